//go:build synctests

package kafka_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

const (
	groupOfWorkers = "workers"
	groupOfLedger  = "connect-ledger"
	brokerPort     = 9092
	bootstrap      = "localhost:9092"
)

// chaos is one round: a broker and workers in a bubble, what happens to them, and
// what must be so whatever happens.
type chaos struct {
	t        *testing.T
	rnd      *rand.Rand
	settings config.Props
	disk     string // where the broker keeps what it has; "": nowhere
	network  kfake.VirtualNetwork
	fake     *kfake.Cluster
	ledger   *ledger
	started  int        // processes
	silent   []*process // those that went without a word to the group
	wanted   map[string]*wanted
	revision int
	asking   chan struct{} // closed when the user has an answer
	log      io.Writer
	logLevel slog.Level

	mu    sync.Mutex
	down  bool // the broker
	alive []*process
	trail []string
}

func (c *chaos) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := time.Now().UTC().Format("15:04:05.000 ") + fmt.Sprintf(format, args...)
	c.trail = append(c.trail, line)
	_, _ = fmt.Fprintln(c.log, line)
}

func (c *chaos) living() []*process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*process(nil), c.alive...)
}

func (c *chaos) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

// dial opens a connection to the broker, if that is there.
func (c *chaos) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	if down {
		return nil, errCut
	}
	return c.network.DialContext(ctx, network, address)
}

// fenced tells whether leaders shut out earlier ones.
func (c *chaos) fenced() bool { return c.settings["exactly.once.source.support"] != "disabled" }

// session is how long groups wait for a member that is silent.
const session = 10 * time.Second

// fetchWait is how long a fetch waits for records: longer than clients ask for, so
// that readers of topics without news cost next to nothing.
const fetchWait = 10 * time.Second

// openBroker starts a broker, with what is on its disk.
func (c *chaos) openBroker() {
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.Ports(brokerPort), kfake.ListenFn(c.network.Listen), kfake.DefaultNumPartitions(1)}
	if c.logLevel < slog.LevelDebug {
		options = append(options, kfake.WithLogger(kfake.BasicLogger(c.log, kfake.LogLevelDebug)))
	}
	if c.disk != "" {
		// A broker that starts again gives out the same ids of fetch sessions again,
		// which a real one does not: there are no sessions before version 7.
		versions := kversion.Stable()
		versions.SetMaxKeyVersion(int16(kmsg.Fetch), 6)
		options = append(options, kfake.DataDir(c.disk), kfake.MaxVersions(versions))
	}
	fake, err := kfake.NewCluster(options...)
	require.NoError(c.t, err)
	fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		r.(*kmsg.FetchRequest).MaxWaitMillis = int32(fetchWait.Milliseconds())
		return nil, nil, false
	})
	c.fake = fake
}

// roundSettings are the settings of a worker, those that differ by rounds at
// random.
func roundSettings(rnd *rand.Rand) config.Props {
	one := func(values ...string) string { return values[rnd.IntN(len(values))] }
	return config.Props{
		"bootstrap.servers": bootstrap, "group.id": groupOfWorkers, "enable.metrics.push": "false",
		"key.converter": "StringConverter", "value.converter": "StringConverter", "header.converter": "StringConverter",
		"config.storage.replication.factor": "1", "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
		"offset.storage.partitions": "3", "status.storage.partitions": "3",
		"offset.flush.interval.ms": "5000", "consumer.auto.offset.reset": "earliest",
		// Sessions outlive rebalances: unlike a real broker, the one in this process
		// forgets members that wait for the others.
		"session.timeout.ms": strconv.Itoa(int(session.Milliseconds())), "rebalance.timeout.ms": "6000",
		"consumer.session.timeout.ms": strconv.Itoa(int(session.Milliseconds())), "consumer.max.poll.interval.ms": "6000",
		"connect.protocol":                 one("sessioned", "sessioned", "sessioned", "compatible", "eager"),
		"exactly.once.source.support":      one("disabled", "preparing", "enabled"),
		"scheduled.rebalance.max.delay.ms": one("0", "10000", "60000"),
	}
}

// TestChaos does things to a cluster at random, by seed, and checks that it
// settles. CHAOS_ROUNDS is the number of rounds, CHAOS_SEED the first seed;
// CHAOS_LOG=debug shows what the workers have to say.
func TestChaos(t *testing.T) {
	rounds, first := 6, 1
	if n, err := strconv.Atoi(os.Getenv("CHAOS_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.Atoi(os.Getenv("CHAOS_SEED")); err == nil {
		first = n
	}
	for seed := first; seed < first+rounds; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			disk := t.TempDir()
			synctest.Test(t, func(t *testing.T) { chaosRound(t, seed, disk) })
		})
	}
}

const (
	phases = 2
	events = 10 // of a phase
)

func newChaos(t *testing.T, seed int, disk string) *chaos {
	c := &chaos{
		t: t, rnd: rand.New(rand.NewPCG(uint64(seed), 4)), ledger: newLedger(), wanted: make(map[string]*wanted),
		asking: make(chan struct{}), log: io.Discard, logLevel: slog.LevelError,
	}
	close(c.asking)
	c.settings = roundSettings(c.rnd)
	if c.rnd.IntN(3) == 0 {
		c.disk = disk
	}
	if c.logLevel.UnmarshalText([]byte(os.Getenv("CHAOS_LOG"))) == nil {
		c.log = os.Stderr
	}
	for name, class := range classes {
		c.wanted[name] = &wanted{most: class.most, target: register[cluster.TargetState]{sure: cluster.TargetStarted}}
	}
	return c
}

// chaosRound runs in a bubble.
func chaosRound(t *testing.T, seed int, disk string) {
	c := newChaos(t, seed, disk)
	defer c.end(seed)
	c.openBroker()
	require.NoError(t, c.fake.CreateTopic(numbersTopic, numbersPartitions, nil))
	for _, name := range []string{"w1", "w2", "w3"} {
		c.start(name)
	}
	time.Sleep(15 * time.Second)
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		c.insist(c.living()[0], name, c.putRequest(name))
	}
	for range phases {
		for range events {
			c.event()
		}
		c.settle()
		c.everybodyServes()
	}
	c.finish()
}

// end leaves nothing behind, of a round that has failed too, and says what happened
// in one that has.
func (c *chaos) end(seed int) {
	for _, p := range c.living() {
		p.kill()
	}
	for _, p := range c.silent {
		<-p.ran
	}
	c.awaitUser()
	c.fake.Close()
	if c.t.Failed() {
		c.t.Logf("again: CHAOS_SEED=%d CHAOS_ROUNDS=1 go test -tags synctests -run 'TestChaos$' ./kafka", seed)
		c.t.Logf("%v, broker with a disk: %v", c.settings, c.disk != "")
		for _, line := range c.trail {
			c.t.Log(line)
		}
	}
}
