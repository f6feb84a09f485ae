package testenv

import (
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamlane/connect/config"
)

// WorkerOptions is how a worker of Java's Kafka Connect differs from the plain one.
type WorkerOptions struct {
	// Group is the worker's group.id and the prefix of its three internal topics
	// (<group>-configs, <group>-offsets, <group>-status). Workers with the same
	// group on the same cluster form one Connect cluster. Empty means a new one.
	Group string
	// ExactlyOnce is exactly.once.source.support: disabled, preparing or enabled;
	// empty means disabled.
	ExactlyOnce string
	// Properties are worker keys to add to testenv's, or to win over them.
	Properties map[string]string
	// Plugins are folders on the worker's plugin.path, beside what Kafka ships.
	Plugins []string
	// Heap is the largest heap as java's -Xmx has it; empty means 512m.
	Heap string
}

// JavaWorker is a worker process of Java's Kafka Connect. Its methods fail the
// test on an error, so they are for the test's goroutine, and not for several at
// once.
type JavaWorker struct{ *worker }

// worker is what worker processes have in common.
type worker struct {
	t     testing.TB
	group string
	dir   string
	rest  *port
	run   spec
	proc  *process // nil: does not run
}

// JavaConnect starts a distributed worker of Java's Kafka Connect on a cluster
// and waits until its REST interface answers. It ends with the test.
func JavaConnect(t testing.TB, cluster *KafkaCluster, o WorkerOptions) *JavaWorker {
	t.Helper()
	needJava(t)
	if o.Group == "" {
		o.Group = "java-" + rand.Text()[:8]
	}
	if o.ExactlyOnce == "" {
		o.ExactlyOnce = "disabled"
	}
	w := newWorker(t, "Java worker of "+o.Group)
	file := w.write("worker.properties", w.member(cluster, o))
	w.launch(o.Heap, "org.apache.kafka.connect.cli.ConnectDistributed", file)
	return &JavaWorker{w}
}

// member returns the worker keys of a member of a Connect cluster.
func (w *worker) member(cluster *KafkaCluster, o WorkerOptions) map[string]string {
	w.group = o.Group
	replicas := strconv.Itoa(min(3, cluster.Len()))
	props := w.common(cluster, o.Plugins)
	maps.Copy(props, map[string]string{
		"group.id":                          o.Group,
		"config.storage.topic":              o.Group + "-configs",
		"config.storage.replication.factor": replicas,
		"offset.storage.topic":              o.Group + "-offsets",
		"offset.storage.partitions":         "5",
		"offset.storage.replication.factor": replicas,
		"status.storage.topic":              o.Group + "-status",
		"status.storage.partitions":         "3",
		"status.storage.replication.factor": replicas,
		"exactly.once.source.support":       o.ExactlyOnce,
	})
	maps.Copy(props, o.Properties)
	return props
}

// newWorker takes the folder and the REST port of a worker that is yet to run,
// and sees to it that they and the worker go with the test.
func newWorker(t testing.TB, name string) *worker {
	t.Helper()
	dir, err := binary.folder("worker")
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{t: t, dir: dir, run: spec{name: name, dir: dir}}
	t.Cleanup(w.discard)
	showLog(t, name, dir, 0)
	if w.rest, err = reserve(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log4j2.yaml"), log4jConfig, 0o644); err != nil {
		t.Fatal(err)
	}
	// An empty plugin.path is refused, an empty folder on it is not.
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// common returns the worker keys that both modes share.
func (w *worker) common(cluster *KafkaCluster, plugins []string) map[string]string {
	return map[string]string{
		"bootstrap.servers":                       cluster.Bootstrap(),
		"key.converter":                           "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                         "org.apache.kafka.connect.json.JsonConverter",
		"offset.flush.interval.ms":                "1000",
		"listeners":                               w.URL(),
		"plugin.discovery":                        "service_load",
		"plugin.path":                             strings.Join(append(slices.Clone(plugins), filepath.Join(w.dir, "plugins")), ","),
		"connector.client.config.override.policy": "All",
	}
}

// write writes a .properties file into the worker's folder and returns its name.
func (w *worker) write(name string, props map[string]string) string {
	w.t.Helper()
	var text strings.Builder
	if err := config.Props(props).WriteProperties(&text); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text.String()), 0o644); err != nil {
		w.t.Fatal(err)
	}
	return name
}

// launch installs Kafka's jars and starts a worker of Java's.
func (w *worker) launch(heap, class string, args ...string) {
	w.t.Helper()
	libs, err := installJars(w.t.Context(), "kafka", kafkaPom)
	if err != nil {
		w.t.Fatal(err)
	}
	if heap == "" {
		heap = "512m"
	}
	w.run.argv = jvm{
		libs:       libs,
		heap:       heap,
		properties: []string{"-Dlog4j2.configurationFile=" + filepath.Join(w.dir, "log4j2.yaml")},
		main:       class,
		args:       args,
	}.argv()
	w.run.ready = httpOK(w.URL() + "/connectors")
	w.Start()
}

// URL returns the base URL of the worker's REST interface, without a slash at
// its end. It stays the same over restarts.
func (w *worker) URL() string { return "http://" + w.rest.addr() }

// Group returns the worker's group.id; empty for a standalone worker.
func (w *worker) Group() string { return w.group }

// Dir returns the worker's folder, removed with the test. A standalone worker
// keeps its offsets there, see [StandaloneOptions].
func (w *worker) Dir() string { return w.dir }

// Log returns all that the worker has logged, over its restarts.
func (w *worker) Log() string { return readLog(w.dir, 0) }

// Start starts the worker again after Stop or Kill, with the same configuration,
// and waits until its REST interface answers. A worker that runs is left alone.
func (w *worker) Start() {
	w.t.Helper()
	if w.Running() {
		return
	}
	p, err := start(w.t.Context(), w.run)
	if err != nil {
		w.t.Fatal(err)
	}
	w.proc = p
}

// Stop has the worker leave in good order: tasks commit, the member leaves the
// group.
func (w *worker) Stop() {
	w.t.Helper()
	w.end((*process).stop)
}

// Kill ends the worker at once, as a crash would.
func (w *worker) Kill() {
	w.t.Helper()
	w.end((*process).kill)
}

func (w *worker) end(how func(*process) error) {
	w.t.Helper()
	if w.proc == nil {
		return
	}
	p := w.proc
	w.proc = nil
	if err := how(p); err != nil {
		w.t.Fatal(err)
	}
}

// discard ends the worker and removes what it held.
func (w *worker) discard() {
	var errs []error
	if w.proc != nil {
		errs = append(errs, w.proc.kill())
	}
	if w.rest != nil {
		errs = append(errs, w.rest.release())
	}
	if err := errors.Join(append(errs, os.RemoveAll(w.dir))...); err != nil {
		w.t.Error(err)
	}
}
