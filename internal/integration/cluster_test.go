//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/internal/wire"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

// joint is a Connect cluster in which Java's workers and ours live side by side:
// one group, and the three topics that testenv gives a Java worker of that group.
type joint struct {
	t         testing.TB
	kafka     *testenv.KafkaCluster
	bootstrap string
	group     string
	props     config.Props // worker keys of all workers
	client    *kgo.Client
}

func newJoint(t testing.TB, kafka *testenv.KafkaCluster, more config.Props) *joint {
	t.Helper()
	bootstrap := kafka.Bootstrap()
	return &joint{t: t, kafka: kafka, bootstrap: bootstrap, group: unique("joint"), client: bare(t, bootstrap), props: config.Props{
		"key.converter": stringConverter, "value.converter": stringConverter,
		"offset.flush.interval.ms": "500",
		// Moves are to be quick, and deaths to be noticed soon.
		"session.timeout.ms": "6000", "heartbeat.interval.ms": "200", "scheduled.rebalance.max.delay.ms": "0",
		"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "200",
	}.Merge(more)}
}

// on returns the cluster for a subtest.
func (j *joint) on(t testing.TB) *joint {
	other := *j
	other.t = t
	return &other
}

func (j *joint) configs() string { return j.group + "-configs" }
func (j *joint) offsets() string { return j.group + "-offsets" }
func (j *joint) states() string  { return j.group + "-status" }

// java starts a Java worker and waits until it answers.
func (j *joint) java() javaPeer {
	j.t.Helper()
	return newJavaPeer(j.t, testenv.JavaConnect(j.t, j.kafka, testenv.WorkerOptions{Group: j.group, Properties: j.props}))
}

// goPeer is a worker of ours with its REST interface.
type goPeer struct {
	restPeer
	worker *worker
	rest   *httptest.Server
	net    *network
}

// ours starts a worker of ours and waits until it has joined the group. More
// worker keys may be given.
func (j *joint) ours(more config.Props) *goPeer {
	j.t.Helper()
	g := &goPeer{rest: httptest.NewUnstartedServer(nil), net: &network{conns: make(map[net.Conn]bool)}}
	g.restPeer = restPeer{j.t, "http://" + g.rest.Listener.Addr().String()}
	loggers := rest.NewLoggers(slog.LevelInfo)
	g.worker = startWorker(j.t, j.bootstrap, workerOptions{
		props: j.props.Merge(config.Props{
			"group.id":                          j.group,
			"config.storage.replication.factor": "-1", "status.storage.replication.factor": "-1",
		}).Merge(more),
		dial: g.net.dial,
		more: func(b *kafka.Broker, o *connect.Options) {
			var err error
			o.Coordinator, err = b.Group("")
			require.NoError(j.t, err)
			o.Offsets, o.Configs, o.Status = b.Offsets(j.offsets()), b.Configs(j.configs()), b.Status(j.states())
			o.URL, o.Peers, o.Hooks = g.base+"/", rest.NewPeers(nil), append(o.Hooks, loggers)
		},
	})
	g.rest.Config.Handler = rest.Handler(g.worker.Runtime, &rest.Options{
		Internal: rest.NewInternal(g.worker.Runtime), Loggers: loggers, SetClusterLevel: g.worker.SetClusterLevel,
	})
	g.rest.Start()
	j.t.Cleanup(g.rest.Close)
	eventually(j.t, func() bool { return slices.Contains(j.round().urls(), g.base+"/") }, "our worker to join the group")
	return g
}

// id is the worker_id of the worker's states.
func (p restPeer) id() string { return strings.TrimPrefix(p.base, "http://") }

// leave ends the worker in good order.
func (g *goPeer) leave() {
	g.t.Helper()
	g.rest.Close()
	g.worker.stop()
}

// abort ends the worker as a crash would: nothing that it says reaches anybody
// any more, so that its group learns of it by its silence.
func (g *goPeer) abort() {
	g.t.Helper()
	g.worker.aborted = true
	g.net.cut()
	g.rest.CloseClientConnections()
	g.rest.Close()
	g.worker.end()
}

// network is a worker's way to the brokers.
type network struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
}

var errCut = errors.New("the network was cut")

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, errCut
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down {
		return nil, errors.Join(errCut, c.Close())
	}
	n.conns[c] = true
	return c, nil
}

// cut ends all connections for good.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = true
	for c := range n.conns {
		_ = c.Close()
	}
}

// A round is what the coordinator of a group knows of it.
type round struct {
	state, protocol string
	leader          string            // the leader's URL
	members         map[string]string // URLs by member id
}

func (r round) urls() []string { return slices.Collect(maps.Values(r.members)) }

// round asks the group's coordinator. It is empty between two rounds.
func (j *joint) round() round {
	j.t.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{j.group}
	resp, err := req.RequestWith(within(j.t), j.client)
	if err != nil || len(resp.Groups) != 1 || resp.Groups[0].State != "Stable" {
		return round{}
	}
	g := resp.Groups[0]
	r := round{state: g.State, protocol: g.Protocol, members: make(map[string]string)}
	for _, m := range g.Members {
		said, err := wire.ParseMetadata(m.ProtocolMetadata)
		require.NoError(j.t, err)
		a, err := wire.ParseAssignment(m.MemberAssignment)
		require.NoError(j.t, err)
		if a.Error != wire.NoError {
			return round{} // there is another one at once
		}
		r.members[m.MemberID], r.leader = said.URL, a.LeaderURL
	}
	return r
}

// awaitRound waits until the group is stable with these workers, of which the
// first leads.
func (j *joint) awaitRound(protocol string, peers ...restPeer) {
	j.t.Helper()
	var want []string
	for _, p := range peers {
		want = append(want, p.base+"/")
	}
	leader := want[0]
	slices.Sort(want)
	var r round
	eventually(j.t, func() bool {
		r = j.round()
		return r.state == "Stable" && slices.Equal(want, slices.Sorted(slices.Values(r.urls())))
	}, "the workers %v to be in a group", want)
	require.Equal(j.t, protocol, r.protocol)
	require.Equal(j.t, leader, r.leader)
}

// configRecords returns the records of the config topic, in order.
func (j *joint) configRecords() []*kgo.Record {
	j.t.Helper()
	return everything(j.t, j.bootstrap, j.configs())
}

// taskSets returns the records of task sets: what is written when a worker finds
// that the stored set is not what the connector wants.
func (j *joint) taskSets() []string {
	j.t.Helper()
	var sets []string
	for _, r := range j.configRecords() {
		if key := string(r.Key); strings.HasPrefix(key, "task-") || strings.HasPrefix(key, "commit-") {
			sets = append(sets, fmt.Sprintf("%d %s %s", r.Offset, key, r.Value))
		}
	}
	return sets
}

// target wants a target state of a connector.
func (p restPeer) target(name, verb string) {
	p.t.Helper()
	p.do(http.MethodPut, "/connectors/"+name+"/"+verb, nil)
}
