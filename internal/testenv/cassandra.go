package testenv

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The Javas that run Cassandra 5: later ones have no SecurityManager.
const (
	cassandraJavaFrom = 17
	cassandraJavaTo   = 23
)

var (
	//go:embed poms/cassandra.xml
	cassandraPom []byte
	//go:embed cassandra.yaml
	cassandraYAML string
	//go:embed cassandra_logback.xml
	cassandraLogback []byte
)

// cassandraOpens are the parts of the JDK that Cassandra looks into.
var cassandraOpens = strings.Fields(`
--add-exports java.base/jdk.internal.misc=ALL-UNNAMED --add-exports java.base/jdk.internal.ref=ALL-UNNAMED
--add-exports java.base/sun.nio.ch=ALL-UNNAMED --add-exports java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED
--add-exports java.rmi/sun.rmi.registry=ALL-UNNAMED --add-exports java.rmi/sun.rmi.server=ALL-UNNAMED
--add-exports java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED --add-exports java.sql/java.sql=ALL-UNNAMED
--add-exports jdk.unsupported/sun.misc=ALL-UNNAMED --add-exports jdk.attach/sun.tools.attach=ALL-UNNAMED
--add-exports jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED
--add-opens java.base/java.lang.module=ALL-UNNAMED --add-opens java.base/java.lang=ALL-UNNAMED
--add-opens java.base/java.lang.reflect=ALL-UNNAMED --add-opens java.base/java.io=ALL-UNNAMED
--add-opens java.base/java.net=ALL-UNNAMED --add-opens java.base/java.nio=ALL-UNNAMED
--add-opens java.base/sun.nio.ch=ALL-UNNAMED --add-opens java.base/java.util=ALL-UNNAMED
--add-opens java.base/java.util.concurrent=ALL-UNNAMED --add-opens java.base/java.util.concurrent.atomic=ALL-UNNAMED
--add-opens java.base/jdk.internal.loader=ALL-UNNAMED --add-opens java.base/jdk.internal.math=ALL-UNNAMED
--add-opens java.base/jdk.internal.module=ALL-UNNAMED --add-opens java.base/jdk.internal.ref=ALL-UNNAMED
--add-opens java.base/jdk.internal.reflect=ALL-UNNAMED --add-opens java.base/jdk.internal.util.jar=ALL-UNNAMED
--add-opens java.base/sun.net.www.protocol.http=ALL-UNNAMED
--add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED --add-opens jdk.compiler/com.sun.tools.javac=ALL-UNNAMED`)

// CassandraNode is a Cassandra of one node that runs.
type CassandraNode struct {
	mortal
	at *port
}

var sharedCassandra shared[*CassandraNode]

// Cassandra returns the node of Apache Cassandra 5 that all tests of the binary
// share. Its user is cassandra with the password cassandra; make keyspaces of your
// own. What it has acknowledged survives Kill.
func Cassandra(t testing.TB) *CassandraNode {
	t.Helper()
	needJava(t)
	command, err := javaBetween(t.Context(), cassandraJavaFrom, cassandraJavaTo)
	if err != nil {
		unavailable(t, err)
	}
	n := sharedCassandra.get(t, func(ctx context.Context) (*CassandraNode, func() error, error) { return startCassandra(ctx, command) })
	showLog(t, "Cassandra", n.spec.dir, logSize(n.spec.dir))
	return n
}

// Host is the address of the node.
func (n *CassandraNode) Host() string { return "127.0.0.1" }

// Port is the port of the node's native protocol. It never changes.
func (n *CassandraNode) Port() int { return n.at.number }

// Addr is Host and Port.
func (n *CassandraNode) Addr() string { return net.JoinHostPort(n.Host(), strconv.Itoa(n.Port())) }

// javaBetween returns the java command of a JDK of a version from low to high: the
// default one, or one that lies beside it.
func javaBetween(ctx context.Context, low, high int) (string, error) {
	for _, command := range append([]string{java()}, besideJava()...) {
		out, err := exec.CommandContext(ctx, command, "-version").CombinedOutput()
		if err != nil {
			continue
		}
		if version, err := javaVersion(string(out)); err == nil && version >= low && version <= high {
			return command, nil
		}
	}
	return "", fmt.Errorf("a Java from %d to %d is needed as the default one or beside it (Debian: apt install openjdk-17-jdk-headless)", low, high)
}

func startCassandra(ctx context.Context, command string) (n *CassandraNode, end func() error, err error) {
	libs, err := installJars(ctx, "cassandra", cassandraPom)
	if err != nil {
		return nil, nil, err
	}
	dir, err := binary.folder("cassandra")
	if err != nil {
		return nil, nil, err
	}
	var ports []*port
	release := func() error {
		var errs []error
		for _, p := range ports {
			errs = append(errs, p.release())
		}
		return errors.Join(errs...)
	}
	for range 3 {
		p, err := reserve()
		if err != nil {
			return nil, nil, errors.Join(err, release())
		}
		ports = append(ports, p)
	}
	if err := writeCassandraConf(dir, ports); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	n = &CassandraNode{at: ports[0], mortal: mortal{spec: spec{
		name: "Cassandra", dir: dir, argv: cassandraArgv(command, dir, libs), ready: cassandraReady(ports[0].addr()),
	}}}
	if n.process, err = start(ctx, n.spec); err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return n, func() error { return errors.Join(n.process.kill(), release()) }, nil
}

// cassandraReady waits for the port, which is opened last, and for the first user.
func cassandraReady(addr string) func(context.Context, *process) error {
	open := portOpen(addr)
	return func(ctx context.Context, p *process) error {
		if err := open(ctx, p); err != nil {
			return err
		}
		if log := readLog(p.dir, 0); !strings.Contains(log, "Created default superuser role") {
			return errors.New("the first user is not there yet")
		}
		return nil
	}
}

func writeCassandraConf(dir string, ports []*port) error {
	conf := filepath.Join(dir, "conf")
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return err
	}
	text := strings.NewReplacer("@PORT@", strconv.Itoa(ports[0].number), "@STORAGE@", strconv.Itoa(ports[1].number),
		"@SSL@", strconv.Itoa(ports[2].number)).Replace(cassandraYAML)
	if err := os.WriteFile(filepath.Join(conf, "cassandra.yaml"), []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(conf, "logback.xml"), cassandraLogback, 0o644)
}

func cassandraArgv(command, dir, libs string) []string {
	argv := []string{command, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"}
	argv = append(argv, cassandraOpens...)
	conf := filepath.Join(dir, "conf")
	return append(argv,
		"-Djdk.attach.allowAttachSelf=true", "-Dfile.encoding=UTF-8",
		"-Dcassandra.config=file://"+filepath.Join(conf, "cassandra.yaml"), "-Dcassandra.storagedir="+filepath.Join(dir, "data"),
		"-Dcassandra-foreground=yes", "-Dlogback.configurationFile="+filepath.Join(conf, "logback.xml"),
		"-Dcassandra.ring_delay_ms=0", "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.superuser_setup_delay_ms=0",
		"-cp", conf+string(os.PathListSeparator)+filepath.Join(libs, "*"), "org.apache.cassandra.service.CassandraDaemon")
}
