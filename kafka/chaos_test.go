//go:build synctests

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// cable is a worker's way to the brokers, which can be cut.
type cable struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

var errCut = errors.New("the cable is cut")

func (c *cable) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	if cut {
		return nil, errCut
	}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[conn] = true
	return conn, nil
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			_ = conn.Close()
		}
		clear(c.conns)
	}
}

// A chaosWorker is one worker of a chaos round.
type chaosWorker struct {
	name  string
	cable *cable
	rt    *connect.Runtime
	stop  func()
	cut   bool
}

// chaos is one round: workers, what was acknowledged to a user, and who runs
// what.
type chaos struct {
	*workers
	rnd     *rand.Rand
	alive   []*chaosWorker
	started int
	wanted  map[string]int // tasks of each connector whose creation was acknowledged
	trail   []string
}

func (c *chaos) note(format string, args ...any) {
	c.trail = append(c.trail, fmt.Sprintf(format, args...))
}

func (c *chaos) startWorker() {
	c.started++
	w := &chaosWorker{name: "w" + strconv.Itoa(c.started), cable: &cable{dial: c.kafka.Dial, conns: make(map[net.Conn]bool)}}
	w.rt, w.stop = c.startOn(w.name, w.cable.Dial)
	c.alive = append(c.alive, w)
	c.note("start %s", w.name)
}

// step does one thing that may happen to a cluster, in the bubble.
func (c *chaos) step(t *testing.T) {
	w := c.alive[c.rnd.IntN(len(c.alive))]
	switch c.rnd.IntN(7) {
	case 0:
		if len(c.alive) < 4 {
			c.startWorker()
		}
	case 1:
		if len(c.alive) > 1 {
			c.note("stop %s", w.name)
			c.remove(w)
			w.cable.set(false)
			w.stop()
		}
	case 2:
		c.note("cut %s", w.name)
		w.cut = true
		w.cable.set(true)
	case 3:
		c.note("mend %s", w.name)
		w.cut = false
		w.cable.set(false)
	case 4, 5:
		name, tasks := "c"+strconv.Itoa(c.rnd.IntN(3)), 1+c.rnd.IntN(4)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := w.rt.PutConnector(ctx, name, config.Props{"connector.class": "Idle", "tasks.max": strconv.Itoa(tasks)})
		cancel()
		c.note("put %s with %d tasks on %s: %v", name, tasks, w.name, err)
		if err == nil {
			c.wanted[name] = tasks
		} else if !errors.As(err, new(*connect.NotLeaderError)) {
			delete(c.wanted, name) // it may have been stored, or not
		}
	case 6:
		name := "c" + strconv.Itoa(c.rnd.IntN(3))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := w.rt.Restart(ctx, name, connect.RestartOptions{Tasks: true})
		cancel()
		c.note("restart %s on %s: %v", name, w.name, err)
	}
	time.Sleep(time.Duration(c.rnd.Int64N(int64(40 * time.Second))))
}

func (c *chaos) remove(w *chaosWorker) {
	for i := range c.alive {
		if c.alive[i] == w {
			c.alive = append(c.alive[:i], c.alive[i+1:]...)
			return
		}
	}
}

// settle mends everything, waits, and checks what must be so: all that was
// acknowledged is configured on every worker, and every task runs, on one
// worker that is alive.
func (c *chaos) settle(t *testing.T) {
	for _, w := range c.alive {
		w.cable.set(false)
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	alive := make(map[string]bool)
	for _, w := range c.alive {
		alive[w.name+":8083"] = true
	}
	for name, tasks := range c.wanted {
		for n := range tasks {
			require.Equal(t, 1, c.runningNow(name, n), "instances of task %d of %s", n, name)
		}
	}
	for _, w := range c.alive {
		names, err := w.rt.Connectors(t.Context())
		require.NoError(t, err)
		for name, tasks := range c.wanted {
			require.Contains(t, names, name, "worker %s does not know it", w.name)
			conn, err := w.rt.Connector(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(tasks), conn.Props["tasks.max"])
			require.Len(t, conn.Tasks, tasks)
			s, err := w.rt.Status(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, cluster.Running, s.Connector.State, "%+v", s.Connector)
			for n := range tasks {
				require.Equal(t, cluster.Running, s.Tasks[n].State, "task %d of %s: %+v", n, name, s.Tasks[n])
				require.True(t, alive[s.Tasks[n].WorkerID], "task %d of %s is on %s", n, name, s.Tasks[n].WorkerID)
			}
		}
	}
}

// TestChaos does things to a cluster at random, by seed, and checks that it
// settles. CHAOS_ROUNDS is the number of rounds, CHAOS_SEED the first seed.
func TestChaos(t *testing.T) {
	rounds, first := 10, 1
	if n, err := strconv.Atoi(os.Getenv("CHAOS_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.Atoi(os.Getenv("CHAOS_SEED")); err == nil {
		first = n
	}
	for seed := first; seed < first+rounds; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			connecttest.Cluster(t, 1, func(t *testing.T, k *connecttest.KafkaCluster) {
				c := &chaos{
					rnd: rand.New(rand.NewPCG(uint64(seed), 3)), wanted: make(map[string]int),
					workers: newWorkers(t, k, config.Props{"scheduled.rebalance.max.delay.ms": "10000", "exactly.once.source.support": "enabled"}),
				}
				defer func() {
					if t.Failed() {
						for _, line := range c.trail {
							t.Log(line)
						}
					}
				}()
				for range 3 {
					c.startWorker()
				}
				time.Sleep(20 * time.Second)
				for range 12 {
					c.step(t)
				}
				c.settle(t)
				for _, w := range c.alive {
					w.stop()
				}
			})
		})
	}
}
