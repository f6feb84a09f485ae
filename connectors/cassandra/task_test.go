package cassandra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/metric"
)

// fakePlugin is the sink before a database of the test's.
func fakePlugin(db *fakeDB) connect.Plugin {
	if db.columns == nil {
		db.columns = func(string, string) (*tableSchema, error) { return schemaOf("p text partition_key", "v text"), nil }
	}
	return plugin(func(c Config) (*task, error) {
		t, err := newTask(c)
		t.open = func(context.Context, *Config, *slog.Logger) (session, error) { return db, nil }
		return t, err
	})
}

// started is a task that runs before a database of the test's.
func started(t testing.TB, db *fakeDB, c *connecttest.SinkContext, props config.Props) *task {
	t.Helper()
	x, err := fakePlugin(db).NewSinkTask(config.Props{"topic.t.ks.tbl.mapping": "p=key.p, v=value.v"}.Merge(props))
	require.NoError(t, err)
	c.Assigned = []connect.TopicPartition{tp0}
	require.NoError(t, x.Start(t.Context(), c))
	t.Cleanup(func() { assert.NoError(t, x.Stop(context.Background())) })
	run := x.(*task)
	require.NoError(t, run.Open(t.Context(), c.Assigned))
	return run
}

func batchOf(from, n int64) []connect.SinkRecord {
	var records []connect.SinkRecord
	for i := range n {
		records = append(records, *sinkRecord(from+i, mapOf("p", fmt.Sprint("p", (from+i)%10)), mapOf("v", "V")))
	}
	return records
}

// blocked is a database that does not answer.
func blocked() *fakeDB {
	return &fakeDB{exec: func(ctx context.Context, _ *request) error { <-ctx.Done(); return ctx.Err() }}
}

// Writes that wait hold nothing of the consumer's buffers.
func TestWaitingWritesPinNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pins := connecttest.PinCheck(t, fakePlugin(blocked()), config.Props{"topic.topic.ks.tbl.mapping": "p=value, v=value"},
			func(_ int, value string) connect.SinkRecord {
				return connect.SinkRecord{Record: connect.Record{Topic: "topic", Value: connect.Datum{Value: data.String(value)}}}
			})
		assert.LessOrEqual(t, pins.Put, 1)
		assert.LessOrEqual(t, pins.Committed, 1)
	})
}

func TestATaskPausesItsPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connecttest.SinkContext{}
		x := started(t, blocked(), c, config.Props{"max.waiting.records": "20"})
		require.NoError(t, x.Put(t.Context(), batchOf(0, 19)))
		assert.False(t, c.Paused(tp0))
		require.NoError(t, x.Put(t.Context(), batchOf(19, 5)))
		assert.True(t, c.Paused(tp0))
		safe, err := x.PreCommit(t.Context(), connect.Offsets{tp0: 24})
		require.NoError(t, err)
		assert.Equal(t, connect.Offsets{tp0: 0}, safe)
	})
}

func TestAFatalErrorComesOutOfPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connecttest.SinkContext{}
		x := started(t, &fakeDB{exec: func(context.Context, *request) error { return answer{gocql.ErrCodeUnauthorized, "no right to MODIFY"} }}, c, nil)
		require.NoError(t, x.Put(t.Context(), batchOf(0, 5)))
		synctest.Wait()
		assert.Equal(t, 1, c.CommitsRequested(), "the loop is woken")
		safe, err := x.PreCommit(t.Context(), connect.Offsets{tp0: 5})
		require.NoError(t, err)
		assert.Equal(t, connect.Offsets{tp0: 0}, safe)
		assert.ErrorContains(t, x.Put(t.Context(), nil), "no right to MODIFY")
	})
}

func TestIgnoredErrors(t *testing.T) {
	cause := errors.New("the reporter's")
	for _, c := range []struct {
		ignore         string
		refused, unfit bool // whether the record is let go
	}{{"None", false, false}, {"Driver", true, false}, {"All", true, true}} {
		t.Run(c.ignore, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := &connecttest.SinkContext{ReportFunc: func(context.Context, *connect.SinkRecord, error) error { return cause }}
				x := started(t, &fakeDB{exec: func(context.Context, *request) error { return answer{gocql.ErrCodeInvalid, "bad data"} }}, sc, config.Props{"ignoreErrors": c.ignore})
				err := x.Put(t.Context(), []connect.SinkRecord{*sinkRecord(0, mapOf("q", "no p"), mapOf("v", "V"))})
				assert.Equal(t, c.unfit, err == nil, "%v", err)
				require.NoError(t, x.Put(t.Context(), batchOf(1, 1)))
				synctest.Wait()
				err = x.Put(t.Context(), nil)
				assert.Equal(t, c.refused, err == nil, "%v", err)
				assert.Len(t, sc.Reports(), 2)
			})
		})
	}
}

// The offsets of a partition that comes back begin anew.
func TestPartitionsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{}, 1000)
		x := started(t, &fakeDB{exec: func(ctx context.Context, _ *request) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}, &connecttest.SinkContext{}, config.Props{"maxNumberOfRecordsInBatch": "1", "maxConcurrentRequests": "1"})
		require.NoError(t, x.Put(t.Context(), batchOf(0, 10)))
		require.NoError(t, x.Close(t.Context(), []connect.TopicPartition{tp0}))
		require.NoError(t, x.Open(t.Context(), []connect.TopicPartition{tp0}))
		require.NoError(t, x.Put(t.Context(), batchOf(100, 10)))
		for range 10 {
			release <- struct{}{}
		}
		synctest.Wait()
		safe, err := x.PreCommit(t.Context(), connect.Offsets{tp0: 110})
		require.NoError(t, err)
		assert.Equal(t, connect.Offsets{tp0: 100}, safe, "what is written is of before")
		for range 10 {
			release <- struct{}{}
		}
		safe, err = x.PreCommit(t.Context(), connect.Offsets{tp0: 110})
		require.NoError(t, err)
		assert.Equal(t, connect.Offsets{tp0: 110}, safe)
	})
}

// A record for two tables is safe when both have it.
func TestTwoTablesOfOneTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		x := started(t, &fakeDB{exec: func(_ context.Context, r *request) error {
			if r.writes[0].target.cfg.table == "other" {
				<-slow
			}
			return nil
		}}, &connecttest.SinkContext{}, config.Props{"topic.t.ks.other.mapping": "p=key.p, v=value.v"})
		require.NoError(t, x.Put(t.Context(), batchOf(0, 1)))
		time.Sleep(time.Second)
		assert.Equal(t, connect.Offsets{tp0: 0}, x.d.safeOffsets(connect.Offsets{tp0: 1}))
		close(slow)
		synctest.Wait()
		assert.Equal(t, connect.Offsets{tp0: 1}, x.d.safeOffsets(connect.Offsets{tp0: 1}))
	})
}

// A cluster that is away when a task starts is waited for; a wrong password is not.
func TestAStartWaitsForTheCluster(t *testing.T) {
	for _, c := range []struct {
		text  string
		tries int
		want  string
	}{
		{"dial tcp 127.0.0.1:9042: connect: connection refused", 4, ""},
		{"dial tcp 127.0.0.1:9042: connect: connection refused", 1000, "no node can be reached at port 9042"},
		{"Provided username u and/or password are incorrect", 1000, "auth.password: the cluster refuses user"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			x, err := newTask(*decode(t, config.Props{}))
			require.NoError(t, err)
			x.open = func(context.Context, *Config, *slog.Logger) (session, error) {
				if tries++; tries < c.tries {
					return nil, errors.New(c.text)
				}
				return blocked(), nil
			}
			begun := time.Now()
			err = x.Start(t.Context(), &connecttest.SinkContext{})
			defer func() { assert.NoError(t, x.Stop(context.Background())) }()
			switch {
			case c.want == "":
				assert.NoError(t, err)
				assert.Equal(t, c.tries, tries)
			case tries == 1:
				assert.ErrorContains(t, err, c.want)
			default:
				assert.ErrorContains(t, err, c.want)
				assert.Equal(t, openWait, time.Since(begun))
			}
		})
	}
}

// A record that is refused after its partition went to another task is that one's to report.
func TestReportsOfLostPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connecttest.SinkContext{ReportFunc: func(context.Context, *connect.SinkRecord, error) error {
			return fmt.Errorf("gone: %w", connect.ErrRevoked)
		}}
		x := started(t, &fakeDB{exec: func(context.Context, *request) error { return answer{gocql.ErrCodeInvalid, "bad data"} }}, c, nil)
		require.NoError(t, x.Put(t.Context(), batchOf(0, 3)))
		synctest.Wait()
		require.NoError(t, x.Put(t.Context(), nil))
		assert.Len(t, c.Reports(), 3)
	})
}

// When retries run out, ignoreErrors=Driver goes on with the next record, and None fails.
func TestRetriesRunOut(t *testing.T) {
	for ignore, fails := range map[string]bool{"Driver": false, "None": true} {
		synctest.Test(t, func(t *testing.T) {
			c := &connecttest.SinkContext{ReportFunc: func(_ context.Context, _ *connect.SinkRecord, cause error) error { return cause }}
			x := started(t, &fakeDB{exec: func(context.Context, *request) error { return gocql.ErrNoConnections }}, c,
				config.Props{"ignoreErrors": ignore, "retry.timeout.ms": "60000"})
			require.NoError(t, x.Put(t.Context(), batchOf(0, 30)))
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			assert.Equal(t, fails, x.Put(t.Context(), nil) != nil)
			if !fails {
				safe, err := x.PreCommit(t.Context(), connect.Offsets{tp0: 30})
				require.NoError(t, err)
				assert.Equal(t, connect.Offsets{tp0: 30}, safe)
				assert.Equal(t, int64(30), x.stats.skipped.Value())
			}
		})
	}
}

// Tasks make a table one after the other, and not if another one was faster.
func TestTasksTakeTurnsToMakeATable(t *testing.T) {
	person := data.StructBuilder().Field("p", data.StringSchema).MustBuild()
	x, err := data.NewStruct(person)
	require.NoError(t, err)
	r := sinkRecord(1, connect.Datum{Schema: data.StringSchema, Value: data.String("k")}, connect.Datum{Schema: person, Value: data.StructOf(x)})
	for _, made := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			db := &creatingDB{}
			db.columns = func(string, string) (*tableSchema, error) {
				if len(db.defined) > 0 || made && time.Since(begun) > creationStep {
					return schemaOf("key text partition_key", "p text"), nil
				}
				return nil, errNoTable
			}
			cfg := &tableConfig{topic: "t", keyspace: "ks", table: "tbl", ttl: -1, ttlUnit: "SECONDS", timestampUnit: "SECONDS", consistency: "ONE"}
			a := &autoTables{c: &AutoConfig{Create: true}, db: db, task: 2, looked: map[*target]time.Time{}}
			p, err := a.ensure(t.Context(), newTarget(1, cfg, cqlvalue.Options{}, ""), r)
			require.NoError(t, err)
			assert.NotNil(t, p)
			assert.Equal(t, 2*creationStep, time.Since(begun))
			assert.Equal(t, made, len(db.defined) == 0)
		})
	}
}

type creatingDB struct {
	fakeDB
	defined []string
}

func (c *creatingDB) define(_ context.Context, cql string) error {
	c.defined = append(c.defined, cql)
	return nil
}

func TestStats(t *testing.T) {
	s := newStats(new(metric.Set), nil)
	for _, n := range []int{1, 2, 3, 4, 15, 16, 31, 32, 100} {
		s.request(written, &request{writes: slices.Repeat([]*write{testWrite("a", 1, 1)}, n)}, nil)
	}
	var sizes []int64
	for _, c := range s.sizes {
		sizes = append(sizes, c.Value())
	}
	assert.Equal(t, []int64{1, 2, 1, 1, 2, 2}, sizes)
	assert.Equal(t, int64(204), s.rows.Value())
	assert.Equal(t, int64(8), s.batches.Value())
	s.request(overloaded, &request{}, errors.New("x"))
	s.request(stopped, &request{}, errors.New("x"))
	assert.Equal(t, int64(1), s.failure(overloaded).Value())
}
