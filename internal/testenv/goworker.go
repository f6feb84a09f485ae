package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// GoWorker is a worker process of this project: its command, distributed. Its
// methods are as those of [JavaWorker].
type GoWorker struct{ *worker }

// command is the program of [GoConnect], built once.
var command shared[string]

// GoConnect starts a distributed worker of this project's on a cluster and waits
// until its REST interface answers. It ends with the test. The command is built
// by the go tool, without the race detector. Plugins and Heap of the options are
// for Java.
func GoConnect(t testing.TB, cluster *KafkaCluster, o WorkerOptions) *GoWorker {
	t.Helper()
	if o.Group == "" {
		o.Group = "go-" + rand.Text()[:8]
	}
	if o.ExactlyOnce == "" {
		o.ExactlyOnce = "disabled"
	}
	program := command.get(t, buildCommand)
	w := newWorker(t, "worker of "+o.Group)
	props := w.member(cluster, o)
	delete(props, "plugin.path")
	delete(props, "plugin.discovery")
	w.run.argv = []string{program, "distributed", w.write("worker.properties", props)}
	w.run.ready = httpOK(w.URL() + "/connectors")
	w.Start()
	return &GoWorker{w}
}

func buildCommand(ctx context.Context) (program string, end func() error, err error) {
	dir, err := binary.folder("command")
	if err != nil {
		return "", nil, err
	}
	program = filepath.Join(dir, "connect")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/streamlane/connect/cmd/connect")
	if out, err := build.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("testenv: build the command: %w\n%s", err, out)
	}
	return program, func() error { return os.RemoveAll(dir) }, nil
}

// Pause stops the process where it stands, for as long as a test likes.
func (w *worker) Pause() {
	w.t.Helper()
	w.signal(pause)
}

// Resume lets a process go on that was paused. It does not know of the time that
// has passed.
func (w *worker) Resume() {
	w.t.Helper()
	w.signal(resume)
}

func (w *worker) signal(how func(*os.Process) error) {
	w.t.Helper()
	if w.proc == nil {
		return
	}
	if err := how(w.proc.cmd.Process); err != nil {
		w.t.Fatal(err)
	}
}

// Running tells whether the worker was started and has not ended.
func (w *worker) Running() bool { return w.proc != nil && w.proc.running() }

// Resident returns the memory that the process has in use, in bytes. It fails the
// test where the system does not tell, as Linux does.
func (w *worker) Resident() int64 {
	w.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.proc.cmd.Process.Pid))
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			if err != nil {
				w.t.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	w.t.Fatal("the system does not say how much memory a process has")
	return 0
}
