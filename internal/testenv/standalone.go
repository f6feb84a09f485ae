package testenv

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"
)

// StandaloneOptions is how a standalone worker is run.
type StandaloneOptions struct {
	// Connectors are the configurations that the worker starts with, each with
	// its name key.
	Connectors []map[string]string
	// Properties, Plugins and Heap are as in [WorkerOptions]. Offsets are kept in
	// the file offsets of the worker's folder (see [JavaWorker.Dir]), unless the
	// key offset.storage.file.filename says otherwise.
	Properties map[string]string
	Plugins    []string
	Heap       string
}

// JavaStandalone starts a standalone worker of Java's Kafka Connect on a cluster
// and waits until its REST interface answers. It ends with the test.
func JavaStandalone(t testing.TB, cluster *KafkaCluster, o StandaloneOptions) *JavaWorker {
	t.Helper()
	needJava(t)
	w := newWorker(t, "Java standalone worker")
	props := w.common(cluster, o.Plugins)
	props["offset.storage.file.filename"] = filepath.Join(w.dir, "offsets")
	maps.Copy(props, o.Properties)
	args := []string{w.write("worker.properties", props)}
	for i, c := range o.Connectors {
		args = append(args, w.write(fmt.Sprintf("connector-%d.properties", i), c))
	}
	w.launch(o.Heap, "org.apache.kafka.connect.cli.ConnectStandalone", args...)
	return &JavaWorker{w}
}
