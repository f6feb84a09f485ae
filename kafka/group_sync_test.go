//go:build synctests

package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/kafka"
)

// A slowLog is a config store that can be kept from reading on.
type slowLog struct {
	connect.ConfigStore
	connect.StoreOpener

	mu   sync.Mutex
	free chan struct{} // closed: it reads
}

func newSlowLog(s connect.ConfigStore) *slowLog {
	l := &slowLog{ConfigStore: s, StoreOpener: s.(connect.StoreOpener), free: make(chan struct{})}
	close(l.free)
	return l
}

func (l *slowLog) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = make(chan struct{})
}

func (l *slowLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.free)
}

func (l *slowLog) Follow(ctx context.Context) iter.Seq2[connect.Entry, error] {
	return func(yield func(connect.Entry, error) bool) {
		for e, err := range l.ConfigStore.Follow(ctx) {
			l.mu.Lock()
			free := l.free
			l.mu.Unlock()
			select {
			case <-free:
			case <-ctx.Done():
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// leads tells whether a worker leads its group.
func leads(t *testing.T, rt *connect.Runtime) bool {
	t.Helper()
	err := rt.DeleteConnector(t.Context(), "absent")
	require.Error(t, err)
	return errors.Is(err, connect.ErrNotFound)
}

// A pair is two workers, of which the one that follows has a slow config log.
type pair struct {
	*workers
	leader, other *connect.Runtime
	otherName     string
	logs          map[string]*slowLog
}

// startPair starts two workers with a connector of four tasks, in a bubble.
func startPair(t *testing.T, w *workers) *pair {
	t.Helper()
	p := &pair{workers: w, logs: make(map[string]*slowLog), otherName: "b"}
	w.change = func(name string, _ *kafka.Broker, o *connect.Options) {
		p.logs[name] = newSlowLog(o.Configs)
		o.Configs = p.logs[name]
	}
	var stopA, stopB func()
	p.leader, stopA = w.start("a")
	p.other, stopB = w.start("b")
	t.Cleanup(stopA)
	t.Cleanup(stopB)
	time.Sleep(time.Minute)
	if !leads(t, p.leader) {
		p.leader, p.other, p.otherName = p.other, p.leader, "a"
	}
	put(t, "c", 4, p.leader)
	time.Sleep(time.Minute)
	tasks, running := spread(t, p.leader, "c")
	require.Equal(t, 4, running)
	require.Len(t, tasks, 2)
	return p
}

// cutOff keeps the other worker from reading, and changes the configuration.
func (p *pair) cutOff(t *testing.T) *slowLog {
	t.Helper()
	log := p.logs[p.otherName]
	log.hold()
	put(t, "d", 4, p.leader)
	return log
}

// atMostOnce watches for a while, in a bubble, that no task of c runs twice.
func (p *pair) atMostOnce(t *testing.T, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		for task := range 4 {
			require.LessOrEqual(t, p.runningNow("c", task), 1)
		}
	}
}

// settled asserts that all runs, shared out evenly, in a bubble.
func (p *pair) settled(t *testing.T) {
	t.Helper()
	synctest.Wait()
	total := make(map[string]int)
	for _, connector := range []string{"c", "d"} {
		tasks, running := spread(t, p.leader, connector)
		require.Equal(t, 4, running, connector)
		for worker, n := range tasks {
			total[worker] += n
		}
		for task := range 4 {
			require.Equal(t, 1, p.runningNow(connector, task))
		}
	}
	require.Equal(t, map[string]int{"a:8083": 4, "b:8083": 4}, total)
}

// A worker that cannot read what is configured leaves, keeps what it has for a
// while, and goes on with it when it can.
func TestWorkerThatCannotCatchUp(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *workers) {
		p := startPair(t, w)
		before := w.startsOf(4)
		log := p.cutOff(t)
		p.atMostOnce(t, 25*time.Second)
		for task := range 4 {
			require.Equal(t, 1, w.runningNow("c", task), "nothing of what there was has stopped")
		}
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(t, p.other.Ready(soon), context.DeadlineExceeded, "it has no place in the group")
		require.Contains(t, p.other.Activity(), "joining the other workers")
		log.release()
		p.atMostOnce(t, 10*time.Minute)
		p.settled(t)
		for task, starts := range w.startsOf(4) {
			require.LessOrEqual(t, starts, before[task]+2, "that of d, and at most one that moved")
		}
	})
}

// If lost work waits for nobody, a worker that leaves gives its work up first.
func TestWorkerThatCannotCatchUpGivesUp(t *testing.T) {
	for _, more := range []config.Props{
		{"scheduled.rebalance.max.delay.ms": "0"},
		{"scheduled.rebalance.max.delay.ms": "20000"},
		{"connect.protocol": "eager"},
	} {
		t.Run(fmt.Sprint(more), func(t *testing.T) {
			bubble(t, more, func(t *testing.T, w *workers) {
				p := startPair(t, w)
				log := p.cutOff(t)
				p.atMostOnce(t, 2*time.Minute)
				synctest.Wait()
				for _, connector := range []string{"c", "d"} {
					tasks, running := spread(t, p.leader, connector)
					require.Equal(t, 4, running, connector)
					require.NotContains(t, tasks, p.otherName+":8083")
				}
				log.release()
				p.atMostOnce(t, 10*time.Minute)
				p.settled(t)
			})
		})
	}
}

// A worker of another cluster that has the group's name by mistake runs nothing,
// and says what is wrong. The group may hand it work in vain, and waits for it
// then as for a worker that is gone.
func TestTwoClustersWithOneName(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *workers) {
		var log bytes.Buffer
		var mu sync.Mutex
		w.log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))
		w.change = func(name string, b *kafka.Broker, o *connect.Options) {
			if name == "x" {
				o.Configs = b.Configs("other-configs")
			}
		}
		a, stopA := w.start("a")
		time.Sleep(10 * time.Second)
		put(t, "c", 4, a)
		time.Sleep(10 * time.Second)
		x, stopX := w.start("x")
		for range 10 {
			time.Sleep(time.Minute)
			synctest.Wait()
			tasks, _ := spread(t, a, "c")
			require.NotContains(t, tasks, "x:8083")
		}
		names, err := x.Connectors(t.Context())
		require.NoError(t, err)
		require.Empty(t, names)
		stopX()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		tasks, running := spread(t, a, "c")
		require.Equal(t, 4, running)
		require.Equal(t, map[string]int{"a:8083": 4}, tasks)
		stopA()
		require.Contains(t, log.String(), "do all workers of the group have the same config.storage.topic, on the same brokers?")
	})
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
