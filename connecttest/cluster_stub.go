//go:build !synctests

package connecttest

import "testing"

// fakeCluster is the part of a KafkaCluster that needs the build tag.
type fakeCluster struct{}

// Cluster fails the test: without the build tag synctests the Kafka client's
// locks are no durable waits, and could stop the clock of a bubble.
func Cluster(t *testing.T, _ int, _ func(t *testing.T, c *KafkaCluster)) {
	t.Helper()
	needsTag(t)
}

func needsTag(t testing.TB) {
	t.Helper()
	t.Fatal("connecttest.Cluster needs a build tag: go test -tags synctests")
}
