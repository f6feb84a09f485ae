package null

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Plugin is the sink connector NullSink.
var Plugin = connect.Sink(connect.Info{
	Class:   "NullSink",
	Version: "1.0.0",
	Doc:     "Counts records and throws them away.",
}, newConnector, newTask)

// A Config configures the connector and its tasks.
type Config struct {
	// Records after which DoneFile is written; 0: never.
	Records int64
	// DoneFile tells that Records were given, and when.
	DoneFile string
	// Delay of each Put that has records.
	Delay time.Duration
	// FailEvery makes each n-th Put that has records fail; 0: none.
	FailEvery int
	// FailRetriable makes these failures retriable.
	FailRetriable bool
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.Long(d, &c.Records, "records").Default(0).Check(config.AtLeast[int64](0)).
		Doc("Number of records in a task after which done.file is written. 0: never.")
	config.String(d, &c.DoneFile, "done.file").Optional().
		Doc(`File that is written, at once and as a whole, when a task was given the number of records: {"count":1000,"first_ms":t,"last_ms":t}, ` +
			"with the times of the first and the last of them in milliseconds since 1970. Several tasks overwrite it in turn.")
	config.Millis(d, &c.Delay, "delay.ms").Default(0).Check(config.AtLeast[time.Duration](0)).
		Doc("Time that each batch takes, in milliseconds.")
	config.Int(d, &c.FailEvery, "fail.every").Default(0).Check(config.AtLeast(0)).
		Doc("Makes each batch of that number fail: 3 stands for the third, the sixth and so on. None of its records count. 0: no batch fails.")
	config.Bool(d, &c.FailRetriable, "fail.retriable").Default(false).
		Doc("Whether a batch that was made to fail is offered again; otherwise the task fails.")
}

// Check refuses half a pair.
func (c *Config) Check() error {
	if (c.DoneFile == "") == (c.Records == 0) {
		return nil
	}
	if c.DoneFile == "" {
		return &config.KeyError{Key: "done.file", Err: errors.New("found none beside records, want both or neither")}
	}
	return &config.KeyError{Key: "records", Err: errors.New("found none beside done.file, want both or neither")}
}

// connector makes as many equal tasks as are allowed.
type connector struct{ cfg Config }

func newConnector(c Config) (*connector, error) { return &connector{cfg: c}, nil }

func (c *connector) Start(context.Context, connect.ConnectorContext) error { return nil }
func (c *connector) Stop(context.Context) error                            { return nil }

func (c *connector) TaskConfigs(_ context.Context, max int) ([]Config, error) {
	tasks := make([]Config, max)
	for i := range tasks {
		tasks[i] = c.cfg
	}
	return tasks, nil
}

// errOnPurpose is what fail.every makes a batch fail with.
var errOnPurpose = errors.New("failed on purpose, as fail.every says")

// task counts.
type task struct {
	cfg   Config
	puts  int
	count int64
	first time.Time
	done  bool
}

func newTask(c Config) (*task, error) { return &task{cfg: c}, nil }

// Start has nothing to do.
func (t *task) Start(context.Context, connect.SinkContext) error { return nil }

// Put counts the records.
func (t *task) Put(ctx context.Context, records []connect.SinkRecord) error {
	if len(records) == 0 {
		return nil
	}
	if t.first.IsZero() {
		t.first = time.Now()
	}
	if err := sleep(ctx, t.cfg.Delay); err != nil {
		return err
	}
	if t.puts++; t.cfg.FailEvery > 0 && t.puts%t.cfg.FailEvery == 0 {
		err := fmt.Errorf("null sink: batch %d: %w", t.puts, errOnPurpose)
		if t.cfg.FailRetriable {
			return connect.Retriable(err, 0)
		}
		return err
	}
	t.count += int64(len(records))
	if t.done || t.cfg.Records == 0 || t.count < t.cfg.Records {
		return nil
	}
	if err := t.report(); err != nil {
		return fmt.Errorf("null sink: configuration done.file: %w", err)
	}
	t.done = true
	return nil
}

// Stop has nothing to release.
func (t *task) Stop(context.Context) error { return nil }

// report writes the done file through a rename, so that whoever waits for it never reads half of it.
func (t *task) report() (err error) {
	b, err := json.Marshal(struct {
		Count   int64 `json:"count"`
		FirstMS int64 `json:"first_ms"`
		LastMS  int64 `json:"last_ms"`
	}{t.count, t.first.UnixMilli(), time.Now().UnixMilli()})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(t.cfg.DoneFile), filepath.Base(t.cfg.DoneFile)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(append(b, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), t.cfg.DoneFile)
}

// sleep waits, or returns the reason why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
