//go:build integration

package cassandra

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/internal/testenv"
)

// place is a keyspace on the node.
type place struct {
	node     *testenv.CassandraNode
	keyspace string
	s        *gocql.Session
	task     atomic.Pointer[task] // that was made last
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{node: testenv.Cassandra(t), keyspace: fmt.Sprintf("k%d", rand.Uint32())}
	p.connect(t)
	p.run(t, "CREATE KEYSPACE "+p.keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	return p
}

// connect opens the session that the test itself looks by.
func (p *place) connect(t testing.TB) {
	t.Helper()
	c := gocql.NewCluster(p.node.Host())
	c.Port, c.Timeout, c.Consistency, c.ReconnectInterval = p.node.Port(), 20*time.Second, gocql.One, 500*time.Millisecond
	c.Authenticator = gocql.PasswordAuthenticator{Username: "cassandra", Password: "cassandra"}
	c.Metadata.CacheMode, c.NumConns = gocql.KeyspaceOnly, 1
	s, err := c.CreateSession()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	p.s = s
}

// run executes CQL; %s in it is the keyspace.
func (p *place) run(t testing.TB, cql string, args ...any) {
	t.Helper()
	require.NoError(t, p.s.Query(p.cql(cql), args...).ExecContext(t.Context()), cql)
}

func (p *place) cql(text string) string {
	out := ""
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+1 < len(text) && text[i+1] == 's' {
			out += p.keyspace
			i++
			continue
		}
		out += string(text[i])
	}
	return out
}

// rows returns what a query finds, each row as text.
func (p *place) rows(t testing.TB, cql string, args ...any) []string {
	t.Helper()
	found, err := p.tryRows(t.Context(), cql, args...)
	require.NoError(t, err, cql)
	return found
}

func (p *place) tryRows(ctx context.Context, cql string, args ...any) ([]string, error) {
	rows := p.s.Query(p.cql(cql), args...).IterContext(ctx)
	var found []string
	for {
		m := map[string]any{}
		if !rows.MapScan(m) {
			break
		}
		text := ""
		for _, c := range rows.Columns() {
			if text != "" {
				text += " "
			}
			text += fmt.Sprint(m[c.Name])
		}
		found = append(found, text)
	}
	return found, rows.Close()
}

func (p *place) props(more config.Props) config.Props {
	return config.Props{
		"contactPoints": p.node.Host(), "port": strconv.Itoa(p.node.Port()), "loadBalancing.localDc": "datacenter1",
		"auth.username": "cassandra", "auth.password": "cassandra", "retry.backoff.ms": "20", "retry.backoff.max.ms": "500",
		"connectionPoolLocalSize": "1", // each connection costs the node the check of a password
	}.Merge(more)
}

func (p *place) config(t testing.TB, more config.Props) *Config {
	t.Helper()
	var c Config
	require.NoError(t, config.Decode(p.props(more), &c))
	return &c
}

func TestSessionReadsTables(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.run(t, "CREATE TYPE %s.address (street text, zip int)")
	p.run(t, `CREATE TABLE %s.wide (b int, a text, c timeuuid, s set<int> static, "Mixed" frozen<address>, v vector<float, 3>, PRIMARY KEY ((b, a), c)) WITH CLUSTERING ORDER BY (c DESC)`)
	begun := time.Now()
	db, err := openSession(t.Context(), p.config(t, nil), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer db.close()
	t.Logf("a session opens in %v", time.Since(begun))
	s, err := db.table(t.Context(), p.keyspace, "wide")
	require.NoError(t, err)
	var got []string
	for _, c := range s.columns {
		got = append(got, fmt.Sprintf("%s %s %s", c.name, c.kind, c.text))
	}
	assert.Equal(t, []string{
		"b partition_key int", "a partition_key text", "c clustering timeuuid", "s static set<int>",
		"Mixed regular frozen<address>", "v regular vector<float, 3>",
	}, got)
	_, err = db.table(t.Context(), p.keyspace, "nowhere")
	assert.ErrorIs(t, err, errNoTable)
	_, err = db.table(t.Context(), "nowhere", "wide")
	assert.ErrorIs(t, err, errNoKeyspace)
	for _, c := range s.columns {
		enc, err := cqlvalue.NewEncoder(c.typ, cqlvalue.Options{})
		require.NoError(t, err)
		assert.Equal(t, strings.Contains(enc.Type(), "vector"), strings.Contains(c.text, "vector"), "%s: %s", c.name, enc.Type())
	}
	params, partition, err := db.prepare(t.Context(), p.cql("UPDATE %s.wide SET v = :v WHERE b = :x AND a = :y AND c = :z"))
	require.NoError(t, err)
	assert.Equal(t, "v x y z", fmt.Sprint(params[0].Name, " ", params[1].Name, " ", params[2].Name, " ", params[3].Name))
	assert.Equal(t, []int{1, 2}, partition)
}
