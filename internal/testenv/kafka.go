package testenv

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kafkaPom names the jars of Apache Kafka: broker, tools, Connect worker.
//
//go:embed poms/kafka.xml
var kafkaPom []byte

// log4jConfig sends the log of a Java server to its standard output.
//
//go:embed log4j2.yaml
var log4jConfig []byte

// KafkaOptions is how a private cluster differs from the plain one: a single
// node with a plaintext listener.
type KafkaOptions struct {
	// Nodes is the number of nodes, each broker and controller; 0 means 1. Topics
	// have a replica on each, but three at most, unless created otherwise.
	Nodes int
	// Properties are lines for the end of each node's server.properties, where
	// they win over the lines above them.
	Properties []string
	// Listeners are opened beside the plaintext one, on ports of their own.
	Listeners []Listener
	// Proxied puts a [TCPProxy] in front of each node's plaintext listener and
	// has the node advertise the proxy's address. Traffic between nodes goes by
	// a listener of its own and stays as it is.
	Proxied bool
	// Heap is each node's largest heap as java's -Xmx has it; empty means 384m.
	Heap string
}

// Listener is one more listener of each node of a cluster. What its protocol
// needs (mechanisms, users, key stores) goes into [KafkaOptions].Properties, as
// listener.name.<name in lower case>.<key>=<value>.
type Listener struct {
	Name     string // upper case, such as SASL; not PLAINTEXT, INTERNAL or CONTROLLER
	Protocol string // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
}

// KafkaCluster is a cluster of Apache Kafka brokers, as one test sees it.
type KafkaCluster struct {
	t         testing.TB
	bootstrap string
	nodes     []*Node // nil: shared, not to be touched
}

// sharedKafka is the broker of [Kafka].
var sharedKafka shared[*Node]

// Kafka returns the broker that all tests of the binary share; give topics and
// groups names of their own. Where TESTENV_KAFKA is set (host:port, or several,
// separated by commas), that cluster is used and nothing is started.
func Kafka(t testing.TB) *KafkaCluster {
	t.Helper()
	if addr := os.Getenv("TESTENV_KAFKA"); addr != "" {
		return &KafkaCluster{t: t, bootstrap: addr}
	}
	needJava(t)
	n := sharedKafka.get(t, func(ctx context.Context) (*Node, func() error, error) {
		nodes, err := newNodes(ctx, KafkaOptions{})
		if err != nil {
			return nil, nil, err
		}
		if err := startAll(ctx, nodes); err != nil {
			return nil, nil, errors.Join(err, discard(nodes))
		}
		return nodes[0], func() error { return discard(nodes) }, nil
	})
	showLog(t, "the shared broker", n.dir, logSize(n.dir))
	return &KafkaCluster{t: t, bootstrap: n.Addr()}
}

// KafkaNodes starts a private cluster of n nodes, which a test may stop, kill
// and start again. It ends with the test.
func KafkaNodes(t testing.TB, n int) *KafkaCluster {
	t.Helper()
	return KafkaWith(t, KafkaOptions{Nodes: n})
}

// KafkaWith starts a private cluster as o says. It ends with the test.
func KafkaWith(t testing.TB, o KafkaOptions) *KafkaCluster {
	t.Helper()
	needJava(t)
	nodes, err := newNodes(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := discard(nodes); err != nil {
			t.Error(err)
		}
	})
	var addrs []string
	for _, n := range nodes {
		n.t = t
		showLog(t, n.name(), n.dir, 0)
		addrs = append(addrs, n.Addr())
	}
	c := &KafkaCluster{t: t, bootstrap: strings.Join(addrs, ","), nodes: nodes}
	c.Start()
	return c
}

// Bootstrap returns the addresses of all nodes' plaintext listeners, host:port,
// separated by commas; those of the proxies in a proxied cluster.
func (c *KafkaCluster) Bootstrap() string { return c.bootstrap }

// BootstrapOf returns the addresses of all nodes on one of
// [KafkaOptions].Listeners, host:port, separated by commas.
func (c *KafkaCluster) BootstrapOf(listener string) string {
	c.t.Helper()
	var addrs []string
	for _, n := range c.private() {
		p, ok := n.extra[listener]
		if !ok {
			c.t.Fatalf("testenv: the cluster has no listener %s; name it in KafkaOptions.Listeners", listener)
		}
		addrs = append(addrs, p.addr())
	}
	return strings.Join(addrs, ",")
}

// Len returns the number of nodes; 1 for a shared cluster.
func (c *KafkaCluster) Len() int { return max(1, len(c.nodes)) }

// Node returns a node of a private cluster, counted from 0.
func (c *KafkaCluster) Node(i int) *Node {
	c.t.Helper()
	nodes := c.private()
	if i < 0 || i >= len(nodes) {
		c.t.Fatalf("testenv: node %d of a cluster of %d; allowed are 0 to %d", i, len(nodes), len(nodes)-1)
	}
	return nodes[i]
}

// Start starts the nodes that do not run, together, and waits until all are
// ready. (A node that is started alone waits for the majority of the
// controllers, so two stopped nodes of three must be started by this.)
func (c *KafkaCluster) Start() {
	c.t.Helper()
	if err := startAll(c.t.Context(), c.private()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *KafkaCluster) private() []*Node {
	c.t.Helper()
	if c.nodes == nil {
		c.t.Fatal("testenv: the nodes of a shared cluster belong to all tests; use KafkaNodes or KafkaWith for one whose nodes may be touched")
	}
	return c.nodes
}

// Node is one node of a private cluster, broker and controller in one process.
// Its methods fail the test on an error, so they are for the test's goroutine,
// and not for several at once.
type Node struct {
	t                            testing.TB
	id                           int
	dir, libs, heap              string
	client, internal, controller *port
	extra                        map[string]*port
	proxy                        *TCPProxy
	proc                         *process // nil: does not run
}

// newNodes lays out the folders, ports and formatted storage of a cluster. The
// ports are held, so discard the nodes even if they never run.
func newNodes(ctx context.Context, o KafkaOptions) ([]*Node, error) {
	libs, err := installJars(ctx, "kafka", kafkaPom)
	if err != nil {
		return nil, err
	}
	if o.Heap == "" {
		o.Heap = "384m"
	}
	var nodes []*Node
	for id := range max(1, o.Nodes) {
		n := &Node{id: id, libs: libs, heap: o.Heap, extra: map[string]*port{}}
		nodes = append(nodes, n)
		if err := n.reserve(o); err != nil {
			return nil, errors.Join(err, discard(nodes))
		}
	}
	if err := format(ctx, nodes, o); err != nil {
		return nil, errors.Join(err, discard(nodes))
	}
	return nodes, nil
}

// reserve takes the node's folder and ports, and starts its proxy.
func (n *Node) reserve(o KafkaOptions) (err error) {
	if n.dir, err = binary.folder("kafka"); err != nil {
		return err
	}
	for _, p := range []**port{&n.client, &n.internal, &n.controller} {
		if *p, err = reserve(); err != nil {
			return err
		}
	}
	for _, l := range o.Listeners {
		if n.extra[l.Name], err = reserve(); err != nil {
			return err
		}
	}
	if o.Proxied {
		n.proxy, err = newProxy(n.client.addr())
	}
	return err
}

// ID returns the node's id in the cluster (node.id), the node's index.
func (n *Node) ID() int { return n.id }

// Addr returns the address of the node's plaintext listener, host:port; that of
// its proxy in a proxied cluster.
func (n *Node) Addr() string {
	if n.proxy != nil {
		return n.proxy.Addr()
	}
	return n.client.addr()
}

// Proxy returns the proxy in front of the node; nil in a cluster without.
func (n *Node) Proxy() *TCPProxy { return n.proxy }

// Log returns all that the node has logged, over its restarts.
func (n *Node) Log() string { return readLog(n.dir, 0) }

// Start starts the node on its data and waits until it is ready. A node that
// runs is left alone.
func (n *Node) Start() {
	n.t.Helper()
	if err := startAll(n.t.Context(), []*Node{n}); err != nil {
		n.t.Fatal(err)
	}
}

// Stop has the node leave in good order: it hands its partitions over and ends.
func (n *Node) Stop() {
	n.t.Helper()
	n.end((*process).stop)
}

// Kill ends the node at once, as a crash would. Its data stays as it is.
func (n *Node) Kill() {
	n.t.Helper()
	n.end((*process).kill)
}

func (n *Node) end(how func(*process) error) {
	n.t.Helper()
	if n.proc == nil {
		return
	}
	p := n.proc
	n.proc = nil
	if err := how(p); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Node) name() string { return fmt.Sprintf("Kafka node %d", n.id) }

// spec is how the node is run. "Kafka Server started" is logged when the
// controller has let the broker in, after its listeners were opened.
func (n *Node) spec() spec {
	return spec{
		name: n.name(),
		dir:  n.dir,
		argv: jvm{
			libs:       n.libs,
			heap:       n.heap,
			properties: []string{"-Dlog4j2.configurationFile=" + filepath.Join(n.dir, "log4j2.yaml")},
			main:       "kafka.Kafka",
			args:       []string{"server.properties"},
		}.argv(),
		ready: logLine("Kafka Server started"),
	}
}

// startAll launches the nodes that do not run, then waits for each: none of them
// gets ready before a majority runs.
func startAll(ctx context.Context, nodes []*Node) error {
	var launched []*Node
	for _, n := range nodes {
		if n.proc != nil && n.proc.running() {
			continue
		}
		p, err := launch(n.spec())
		if err != nil {
			return err
		}
		n.proc = p
		launched = append(launched, n)
	}
	for _, n := range launched {
		if err := n.proc.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// discard ends nodes and removes what they held.
func discard(nodes []*Node) error {
	var errs []error
	for _, n := range nodes {
		if n.proc != nil {
			errs = append(errs, n.proc.kill())
		}
		if n.proxy != nil {
			errs = append(errs, n.proxy.close())
		}
		if n.dir != "" {
			errs = append(errs, os.RemoveAll(n.dir))
		}
		for _, p := range append(slices.Collect(maps.Values(n.extra)), n.client, n.internal, n.controller) {
			if p != nil {
				errs = append(errs, p.release())
			}
		}
	}
	return errors.Join(errs...)
}
