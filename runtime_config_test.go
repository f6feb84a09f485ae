package connect

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// ticker is a config provider whose value changes with each minute.
type ticker struct {
	start time.Time
	asked atomic.Int32
}

func (p *ticker) Get(context.Context, string, []string) (config.ProviderData, error) {
	p.asked.Add(1)
	minute := int(time.Since(p.start) / time.Minute)
	return config.ProviderData{
		Values: map[string]string{"topic": "t" + strconv.Itoa(minute), "fixed": "x"},
		TTL:    30 * time.Second, Expires: true,
	}, nil
}

func TestRuntimeReloadsValuesThatExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var topics []string
		receiver := ReceiverFunc(func(_ context.Context, recs []SourceRecord) error {
			topics = append(topics, recs[0].Topic)
			return nil
		})
		log := NewMemoryLog()
		rt, stop := start(t, Options{
			Plugins: []Plugin{counterPlugin()}, Receiver: receiver, Configs: log,
			Providers: map[string]config.Provider{"p": &ticker{start: time.Now()}},
		})
		defer stop()
		raw := config.Props{"connector.class": "Counter", "topic": "${p:topic}", "every.ms": "20000"}
		_, err := rt.PutConnector(t.Context(), "c", raw)
		require.NoError(t, err)
		synctest.Wait()
		c, err := rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, "${p:topic}", c.Tasks[0]["topic"], "what is stored holds no resolved value")
		require.Equal(t, 0, c.Generation)

		time.Sleep(59 * time.Second)
		c, err = rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, 0, c.Generation, "the value was asked for again and is the same: the tasks run on")

		time.Sleep(time.Minute)
		c, err = rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, 1, c.Generation, "the value has changed: the tasks start again")
		stop()
		require.Equal(t, "t0", topics[0])
		require.Equal(t, "t1", topics[len(topics)-1])
	})
}

func TestRuntimeOverridePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, stop := start(t, Options{
			Plugins: []Plugin{counterPlugin()}, Receiver: &collector{},
			Worker: config.Props{"connector.client.config.override.policy": "None"},
		})
		defer stop()
		props := config.Props{"connector.class": "Counter", "topic": "t", "producer.override.acks": "1"}
		_, err := rt.PutConnector(t.Context(), "c", props)
		require.ErrorContains(t, err, "'None' policy does not allow 'acks'")
		invalid, ok := errors.AsType[*InvalidConfigError](err)
		require.True(t, ok)
		require.Equal(t, 1, invalid.Result.ErrorCount)
	})
}

func TestRuntimeRefusesWhatItCannotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t", "exactly.once.support": "required"})
		require.ErrorContains(t, err, "exactly.once.support")
	})
}

// What distributed workers of Java look at, and standalone ones do not.
func TestRuntimeOfAGroupIsStricter(t *testing.T) {
	for _, grouped := range []bool{true, false} {
		o := Options{Plugins: []Plugin{counterPlugin(), Sink(Info{Class: "Drain"}, OneTask[drainConfig], newDrain)}, Worker: config.Props{"group.id": "workers"}}
		if grouped {
			o.Coordinator = follower{}
		}
		rt, err := New(o)
		require.NoError(t, err)
		for _, c := range []struct {
			props config.Props
			want  string
			alone bool // a standalone worker refuses it too
		}{
			{config.Props{"connector.class": "Drain", "topics": "t", "consumer.override.group.id": "workers"}, "Consumer group workers conflicts with Connect worker group workers", false},
			{config.Props{"connector.class": "Counter", "topic": "t", "transaction.boundary": "connector"}, "does not support connector-defined transaction boundaries", false},
			{config.Props{"connector.class": "Counter", "topic": "t", "exactly.once.support": "required"}, "does not have exactly-once source support enabled", true},
		} {
			c.props["name"] = "c"
			result, err := rt.Validate(t.Context(), c.props)
			require.NoError(t, err)
			var found []string
			for _, v := range result.Configs {
				found = append(found, v.Value.Errors...)
			}
			if !grouped && !c.alone {
				require.Empty(t, found)
				continue
			}
			require.Len(t, found, 1)
			require.Contains(t, found[0], c.want)
		}
	}
}

// drain is a sink that forgets.
type drain struct{}

type drainConfig struct{}

func (*drainConfig) Describe(*config.Def) {}

func newDrain(drainConfig) (*drain, error) { return &drain{}, nil }

func (*drain) Start(context.Context, SinkContext) error { return nil }

func (*drain) Put(context.Context, []SinkRecord) error { return nil }

func (*drain) Stop(context.Context) error { return nil }

// follower is a coordinator that gives its worker nothing to do, and the lead
// to another.
type follower struct{}

func (follower) Rejoin(string) {}

func (follower) Assignments(ctx context.Context, m Member) iter.Seq2[Assignment, error] {
	return func(yield func(Assignment, error) bool) {
		if yield(Assignment{MemberID: "b", Leader: "a", LeaderURL: "http://a:8083/", Generation: 3}, nil) {
			<-ctx.Done()
			yield(Assignment{MemberID: "b", Revoked: m.Owned()}, nil)
		}
	}
}

func TestRuntimeNamesTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Coordinator: follower{}})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		notLeader, ok := errors.AsType[*NotLeaderError](err)
		require.True(t, ok, "got %v", err)
		require.Equal(t, "http://a:8083/", notLeader.URL)
		// It may not have read yet what its leader has just written.
		err = rt.PatchConnector(t.Context(), "c", config.Props{"topic": "u"})
		_, ok = errors.AsType[*NotLeaderError](err)
		require.True(t, ok, "got %v", err)
	})
}

// A worker that starts reads of a connector that was deleted, and created again
// since. Its state is that of the worker that runs it.
func TestAStartLeavesStatesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configs, states := NewMemoryLog(), NewMemoryLog()
		put := func(log *MemoryLog, records ...cluster.Record) {
			for _, r := range records {
				require.NoError(t, log.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
			}
		}
		props := config.Props{"connector.class": "Counter", "topic": "t"}
		put(configs, cluster.ConnectorRecord("c", props))
		put(configs, cluster.RemoveConnector("c")...)
		put(configs, cluster.ConnectorRecord("c", props), cluster.TaskRecords("c", []config.Props{props})[0], cluster.CommitRecord("c", 1))
		running := cluster.Status{State: cluster.Running, WorkerID: "other", Generation: 2}
		put(states, cluster.ConnectorStatusRecord("c", running), cluster.TaskStatusRecord(cluster.TaskID{Connector: "c"}, running))
		rt, stop := start(t, Options{
			Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Coordinator: follower{}, Configs: configs, Status: states,
		})
		defer stop()
		synctest.Wait()
		s, err := rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, running, s.Connector)
		require.Equal(t, map[int]cluster.Status{0: running}, s.Tasks)
	})
}

// A task set that another leader has broken, for it wrote at the same time, is made
// again.
func TestABrokenTaskSetIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configs := NewMemoryLog()
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Configs: configs})
		defer stop()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		synctest.Wait()
		second := cluster.CommitRecord("c", 1)
		require.NoError(t, configs.Append(t.Context(), KV{[]byte(second.Key), second.Value}))
		synctest.Wait()
		c, err := rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.False(t, c.Inconsistent)
		require.Len(t, c.Tasks, 1)
		s, err := rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, cluster.Running, s.Tasks[0].State)
	})
}

// shifting is a coordinator under the test's control.
type shifting struct{ next chan Assignment }

func (shifting) Rejoin(string) {}

func (s shifting) Assignments(ctx context.Context, m Member) iter.Seq2[Assignment, error] {
	return func(yield func(Assignment, error) bool) {
		for {
			select {
			case a := <-s.next:
				if a.MemberID == "" {
					a.MemberID, a.Leader = "a", "a"
				}
				if !yield(a, nil) {
					return
				}
			case <-ctx.Done():
				yield(Assignment{MemberID: "a", Leader: "a", Revoked: m.Owned()}, nil)
				return
			}
		}
	}
}

// Between two assignments nobody leads: a request waits for the next one, and
// takes no time of the processor meanwhile.
func TestRequestsWaitForTheNextLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shifting{make(chan Assignment)}
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Coordinator: s})
		defer stop()
		s.next <- Assignment{Generation: 1}
		s.next <- Assignment{MemberID: "a", Lost: true}
		synctest.Wait()
		answer := make(chan error, 1)
		go func() {
			_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
			answer <- err
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, answer, "it did not wait")
		s.next <- Assignment{MemberID: "a", Leader: "b", LeaderURL: "http://b:8083/", Generation: 2}
		notLeader, ok := errors.AsType[*NotLeaderError](<-answer)
		require.True(t, ok)
		require.Equal(t, "http://b:8083/", notLeader.URL)
	})
}

// claims is a config store that counts its leaders. The first write of one fails.
type claims struct {
	*MemoryLog
	led    int
	failed bool
}

func (c *claims) Lead(ctx context.Context) (Leadership, error) {
	c.led++
	l, err := c.MemoryLog.Lead(ctx)
	return failing{l, c}, err
}

type failing struct {
	Leadership
	of *claims
}

func (f failing) Append(ctx context.Context, pairs ...KV) error {
	if !f.of.failed {
		f.of.failed = true
		return errors.New("the transaction is in doubt")
	}
	return f.Leadership.Append(ctx, pairs...)
}

// A leader whose write failed claims the leadership anew before the next.
func TestAFailedWriteEndsTheLeadership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		configs := &claims{MemoryLog: NewMemoryLog()}
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Configs: configs})
		defer stop()
		props := config.Props{"connector.class": "Counter", "topic": "t"}
		_, err := rt.PutConnector(t.Context(), "c", props)
		require.ErrorContains(t, err, "in doubt")
		_, err = rt.PutConnector(t.Context(), "c", props)
		require.NoError(t, err)
		require.Equal(t, 2, configs.led)
	})
}

// The leader of an eager group leads on between two rounds.
func TestALeaderLeadsOnBetweenRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, configs := shifting{make(chan Assignment)}, &claims{MemoryLog: NewMemoryLog(), failed: true}
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Coordinator: s, Configs: configs})
		defer stop()
		s.next <- Assignment{Generation: 1, Protocol: ProtocolCompatible}
		s.next <- Assignment{MemberID: "a"}
		synctest.Wait()
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		s.next <- Assignment{Generation: 2, Protocol: ProtocolSessioned}
		synctest.Wait()
		require.Equal(t, ProtocolSessioned, rt.lead.Get().protocol)
		require.Equal(t, 1, configs.led)
	})
}

func TestRuntimeFollowsAssignments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collector
		s := shifting{make(chan Assignment)}
		status := NewMemoryLog()
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &got, Coordinator: s, Status: status})
		defer stop()
		s.next <- Assignment{Generation: 1}
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		require.Empty(t, got.take(), "nothing was assigned")
		_, err = rt.Status(t.Context(), "c")
		require.ErrorIs(t, err, ErrNotFound)

		s.next <- Assignment{Generation: 2, Added: cluster.Work{Connectors: []string{"c"}}}
		synctest.Wait()
		c, err := rt.Connector(t.Context(), "c")
		require.NoError(t, err)
		require.Len(t, c.Tasks, 1)
		task := cluster.Work{Tasks: []cluster.TaskID{{Connector: "c"}}}
		s.next <- Assignment{Generation: 3, Added: task}
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, []int64{1, 2}, got.take())
		st, err := rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, int32(2), st.Connector.Generation)
		require.Equal(t, cluster.Status{State: cluster.Running, WorkerID: "embedded", Generation: 3, Version: "1.0"}, st.Tasks[0])

		s.next <- Assignment{Generation: 4, Revoked: task}
		time.Sleep(5 * time.Second)
		require.Empty(t, got.take())
		st, err = rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, cluster.Unassigned, st.Tasks[0].State)
		require.Equal(t, cluster.Running, st.Connector.State)

		s.next <- Assignment{Generation: 5, Added: task}
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{3}, got.take(), "it goes on where the stop committed")
		s.next <- Assignment{Generation: 6, Revoked: task, Lost: true}
		time.Sleep(time.Second)
		st, err = rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, cluster.Running, st.Tasks[0].State, "who lost a task has nothing to say about it")
		s.next <- Assignment{Generation: 7, Added: task}
		time.Sleep(1500 * time.Millisecond)
		require.Equal(t, []int64{3}, got.take(), "what was lost was not committed")
	})
}

// Who runs a task says so again when others hide it, unless they have it now.
func TestStatesAreAffirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, states := shifting{make(chan Assignment)}, NewMemoryLog()
		rt, stop := start(t, Options{Plugins: []Plugin{counterPlugin()}, Receiver: &collector{}, Coordinator: s, Status: states})
		defer stop()
		s.next <- Assignment{Generation: 3, Added: cluster.Work{Connectors: []string{"c"}, Tasks: []cluster.TaskID{{Connector: "c"}}}}
		_, err := rt.PutConnector(t.Context(), "c", config.Props{"connector.class": "Counter", "topic": "t"})
		require.NoError(t, err)
		synctest.Wait()
		s.next <- Assignment{Generation: 3}
		others := func(state cluster.State, generation int32) {
			synctest.Wait()
			st := cluster.Status{State: state, WorkerID: "other", Generation: generation}
			for _, r := range []cluster.Record{cluster.ConnectorStatusRecord("c", st), cluster.TaskStatusRecord(cluster.TaskID{Connector: "c"}, st)} {
				require.NoError(t, states.Append(t.Context(), KV{[]byte(r.Key), r.Value}))
			}
			synctest.Wait()
		}
		says := func(worker string, generation int32) {
			t.Helper()
			got, err := rt.Status(t.Context(), "c")
			require.NoError(t, err)
			for _, s := range []cluster.Status{got.Connector, got.Tasks[0]} {
				require.Equal(t, cluster.Running, s.State)
				require.Equal(t, worker, s.WorkerID)
				require.Equal(t, generation, s.Generation)
			}
		}
		others(cluster.Running, 2)
		says("embedded", 3)
		others(cluster.Failed, 2)
		says("embedded", 3)
		others(cluster.Destroyed, 0)
		says("embedded", 3)
		others(cluster.Running, 5)
		says("other", 5)
		s.next <- Assignment{Generation: 6}
		synctest.Wait()
		says("embedded", 6)

		late := cluster.TaskStatusRecord(cluster.TaskID{Connector: "c", Task: 1}, cluster.Status{State: cluster.Failed, WorkerID: "other"})
		require.NoError(t, states.Append(t.Context(), KV{[]byte(late.Key), late.Value}))
		synctest.Wait()
		got, err := rt.Status(t.Context(), "c")
		require.NoError(t, err)
		require.Len(t, got.Tasks, 1, "the leader deletes the states of what is not configured, late ones too")
	})
}

func TestRegistry(t *testing.T) {
	versioned := func(class, version string, aliases ...JavaClass) Plugin {
		return Source(Info{Class: class, Version: version, StandsFor: aliases}, OneTask[counterConfig], newCounter)
	}
	java := JavaClass{"org.example.BlueSourceConnector", "org.example.BlueTask"}
	r, err := newRegistry([]Plugin{versioned("Blue", "1.0", java), versioned("Blue", "2.1", java), versioned("Red", "1.0")})
	require.NoError(t, err)
	for _, name := range []string{"Blue", "org.example.BlueSourceConnector", "BlueSourceConnector", "BlueSource"} {
		p, err := r.find("Connector", name, "")
		require.NoError(t, err, name)
		require.Equal(t, "2.1", p.info.Version, "the newest")
	}
	p, err := r.find("Connector", "BlueSource", "[1.0,2.0)")
	require.NoError(t, err)
	require.Equal(t, "1.0", p.info.Version)
	_, err = r.find("Connector", "Blue", "[3.0,)")
	require.ErrorContains(t, err, "2.1")
	_, err = r.find("Connector", "Green", "")
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "Red")
	require.Equal(t, "org.example.BlueTask", p.taskClass("org.example.BlueSourceConnector"))
}

// misser has an optional method with the wrong signature.
type misser struct{ counter }

func (misser) Commit() error { return nil }

func TestPluginsWithNearMissesAreRefused(t *testing.T) {
	p := Source(Info{Class: "Miss"}, OneTask[counterConfig], func(counterConfig) (*misser, error) { return &misser{}, nil })
	require.ErrorContains(t, p.Err(), "Commit")
	_, err := New(Options{Plugins: []Plugin{p}})
	require.ErrorContains(t, err, "connect.Committer")

	hidden := Source(Info{Class: "Miss"}, OneTask[counterConfig], func(counterConfig) (SourceTask, error) { return &misser{}, nil })
	require.NoError(t, hidden.Err(), "an interface hides it")
	_, err = hidden.NewSourceTask(config.Props{"topic": "t"})
	require.ErrorContains(t, err, "Commit", "until there is an instance")
}

// TestWorkerKeysWithPlaceholders has a grace period come from a provider that
// the worker's keys declare.
func TestWorkerKeysWithPlaceholders(t *testing.T) {
	t.Setenv("CONNECT_TEST_GRACE", "1500")
	rt, err := New(Options{Worker: config.Props{
		"config.providers": "env", "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
		"task.shutdown.graceful.timeout.ms": "${env:CONNECT_TEST_GRACE}", "plugin.path": "/nowhere",
	}})
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, rt.worker.grace)

	_, err = New(Options{Worker: config.Props{"config.providers": "x", "config.providers.x.class": "org.example.Vault"}})
	require.ErrorContains(t, err, "config.providers.x")
}
