//go:build integration

package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// committed returns a group's committed offset of a partition; -1: none.
func committed(t testing.TB, adm *kadm.Client, group, topic string, partition int32) int64 {
	t.Helper()
	offsets, err := adm.FetchOffsets(within(t), group)
	if err != nil {
		return -1
	}
	o, ok := offsets.Lookup(topic, partition)
	if !ok || o.Err != nil {
		return -1
	}
	return o.At
}

// awaitCommitted waits until a group's committed offset is at least as given, and
// wants it to be exactly that.
func awaitCommitted(t testing.TB, bootstrap, group, topic string, partition int32, want int64) {
	t.Helper()
	adm := kadm.NewClient(bare(t, bootstrap))
	var at int64
	eventually(t, func() bool {
		at = committed(t, adm, group, topic, partition)
		return at >= want
	}, "group %s to commit offset %d of %s/%d", group, want, topic, partition)
	require.Equal(t, want, at, "committed offset of group %s", group)
}
