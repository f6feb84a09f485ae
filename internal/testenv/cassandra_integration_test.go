//go:build integration

package testenv_test

import (
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/testenv"
)

func cassandraSession(t *testing.T, n *testenv.CassandraNode) *gocql.Session {
	t.Helper()
	c := gocql.NewCluster(n.Host())
	c.Port, c.Timeout, c.Consistency = n.Port(), 30*time.Second, gocql.One
	c.Authenticator = gocql.PasswordAuthenticator{Username: "cassandra", Password: "cassandra"}
	s, err := c.CreateSession()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// A node that is killed keeps what was acknowledged, and finds its port again.
func TestCassandraComesBackOnItsData(t *testing.T) {
	n := testenv.Cassandra(t)
	s := cassandraSession(t, n)
	for _, cql := range []string{
		"CREATE KEYSPACE back WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE back.t (k int PRIMARY KEY, v text)",
		"INSERT INTO back.t (k, v) VALUES (1, 'one')",
	} {
		require.NoError(t, s.Query(cql).ExecContext(within(t)), cql)
	}
	n.Kill(t)
	n.Restart(t)
	var v string
	require.NoError(t, cassandraSession(t, n).Query("SELECT v FROM back.t WHERE k = 1").ScanContext(within(t), &v))
	assert.Equal(t, "one", v)
}
