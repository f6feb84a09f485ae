package testenv

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The names of a node's own listeners. Traffic between nodes has one of its own,
// so that a proxy or security on the clients' side leaves replication alone.
const (
	clientListener     = "PLAINTEXT"
	internalListener   = "INTERNAL"
	controllerListener = "CONTROLLER"
)

// format writes the configuration of all nodes and formats their storage as one
// cluster.
func format(ctx context.Context, nodes []*Node, o KafkaOptions) error {
	if err := checkListeners(o.Listeners); err != nil {
		return err
	}
	id := clusterID()
	for _, n := range nodes {
		text := strings.Join(serverProperties(n, nodes, o), "\n") + "\n"
		if err := os.WriteFile(filepath.Join(n.dir, "server.properties"), []byte(text), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(n.dir, "log4j2.yaml"), log4jConfig, 0o644); err != nil {
			return err
		}
		argv := jvm{
			libs: n.libs,
			heap: "128m",
			main: "kafka.tools.StorageTool",
			args: []string{"format", "-t", id, "-c", "server.properties"},
		}.argv()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = n.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("format the storage of %s: %w\n%s", n.name(), err, tail(string(out)))
		}
	}
	return nil
}

// clusterID returns a new cluster id: 16 random bytes in URL-safe Base64, as of
// org.apache.kafka.common.Uuid, which refuses a leading dash.
func clusterID() string {
	var b [16]byte
	rand.Read(b[:])
	b[0] &= 0x7f // keeps the first letter within A to f
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func checkListeners(listeners []Listener) error {
	protocols := []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}
	taken := []string{clientListener, internalListener, controllerListener}
	for _, l := range listeners {
		if l.Name == "" || l.Name != strings.ToUpper(l.Name) || slices.Contains(taken, l.Name) {
			return fmt.Errorf("testenv: listener name %q; allowed are upper-case names, each once, except %s, %s, %s",
				l.Name, clientListener, internalListener, controllerListener)
		}
		if !slices.Contains(protocols, l.Protocol) {
			return fmt.Errorf("testenv: listener %s has protocol %q; allowed are %s", l.Name, l.Protocol, strings.Join(protocols, ", "))
		}
		taken = append(taken, l.Name)
	}
	return nil
}

// serverProperties returns the lines of a node's server.properties.
func serverProperties(n *Node, nodes []*Node, o KafkaOptions) []string {
	replicas := strconv.Itoa(min(3, len(nodes)))
	lines := []string{
		"process.roles=broker,controller",
		"node.id=" + strconv.Itoa(n.id),
		"controller.quorum.voters=" + voters(nodes),
		"controller.listener.names=" + controllerListener,
		"inter.broker.listener.name=" + internalListener,
		"log.dirs=" + filepath.Join(n.dir, "data"),
	}
	lines = append(lines, listenerProperties(n, o.Listeners)...)
	lines = append(lines,
		"offsets.topic.replication.factor="+replicas,
		"offsets.topic.num.partitions=5",
		"transaction.state.log.replication.factor="+replicas,
		"transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=5",
		"share.coordinator.state.topic.replication.factor="+replicas,
		"share.coordinator.state.topic.min.isr=1",
		"share.coordinator.state.topic.num.partitions=1",
		"default.replication.factor="+replicas,
		// Consumers of a new group need not wait for company.
		"group.initial.rebalance.delay.ms=0",
		// A killed node is noticed after 6 s instead of 9, which shortens tests
		// of leader changes; less would fence the nodes of a busy machine.
		"broker.session.timeout.ms=6000",
		"broker.heartbeat.interval.ms=1000",
		// Smaller threads and buffers than a broker for production has.
		"num.network.threads=2",
		"num.io.threads=4",
		"log.cleaner.dedupe.buffer.size=8388608",
	)
	return append(lines, o.Properties...)
}

// listenerProperties returns the lines about the node's own listeners and the
// further ones that the test wishes.
func listenerProperties(n *Node, further []Listener) []string {
	listen := []string{
		clientListener + "://" + n.client.addr(),
		internalListener + "://" + n.internal.addr(),
	}
	advertise := []string{
		clientListener + "://" + n.Addr(),
		internalListener + "://" + n.internal.addr(),
	}
	protocols := []string{
		clientListener + ":PLAINTEXT",
		internalListener + ":PLAINTEXT",
		controllerListener + ":PLAINTEXT",
	}
	for _, l := range further {
		at := l.Name + "://" + n.extra[l.Name].addr()
		listen = append(listen, at)
		advertise = append(advertise, at)
		protocols = append(protocols, l.Name+":"+l.Protocol)
	}
	listen = append(listen, controllerListener+"://"+n.controller.addr())
	return []string{
		"listeners=" + strings.Join(listen, ","),
		"advertised.listeners=" + strings.Join(advertise, ","),
		"listener.security.protocol.map=" + strings.Join(protocols, ","),
	}
}

// voters returns controller.quorum.voters: id@host:port of each node.
func voters(nodes []*Node) string {
	var v []string
	for _, n := range nodes {
		v = append(v, strconv.Itoa(n.id)+"@"+n.controller.addr())
	}
	return strings.Join(v, ",")
}
