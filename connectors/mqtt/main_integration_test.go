//go:build integration

package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/internal/testenv"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/offsets"
)

// workerVariable has the test binary be a worker: its value is one.
const workerVariable = "MQTT_TEST_WORKER"

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		var w worker
		err := json.Unmarshal([]byte(text), &w)
		if err == nil {
			err = w.run(context.Background(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
		}
		fmt.Fprintln(os.Stderr, "the worker ended:", err)
		os.Exit(1)
	}
	os.Exit(testenv.Main(m))
}

// worker is a process with a connector, or what acts as one.
type worker struct {
	Bootstrap, Offsets string
	Props              config.Props

	counted map[string]int64 // sums of the counters of tasks that have ended
}

// OnMetrics adds up what tasks have counted.
func (w *worker) OnMetrics(e *connect.MetricsEvent) {
	if !e.Ended {
		return
	}
	if w.counted == nil {
		w.counted = map[string]int64{}
	}
	for _, m := range e.Set.All() {
		w.counted[m.Name] += int64(m.Value)
	}
}

// run runs the connector until ctx ends.
func (w *worker) run(ctx context.Context, log *slog.Logger) error {
	props := config.Props{
		"bootstrap.servers": w.Bootstrap, "key.converter": "org.apache.kafka.connect.storage.StringConverter",
		"value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter", "offset.flush.interval.ms": "100",
	}
	b, err := kafka.New(kafka.Options{Worker: props})
	if err != nil {
		return err
	}
	rt, err := connect.New(connect.Options{
		Plugins: append(Plugins(), converters.All()...), Broker: b, Offsets: offsets.File(w.Offsets), Worker: props, Logger: log,
		Hooks:      []connect.Hook{w},
		Connectors: map[string]config.Props{"c": w.Props.Merge(config.Props{"connector.class": "MqttSource"})},
	})
	if err != nil {
		return err
	}
	return rt.Run(ctx)
}

// start runs the worker in a process of its own, which ends with ctx by kill -9.
func (w *worker) start(ctx context.Context, t testing.TB, log *os.File) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(w)
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	return cmd
}
