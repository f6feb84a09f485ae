package connecttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

func counterPlugin() connect.Plugin {
	return SourcePlugin("Counter", func(config.Props) *counter { return &counter{} })
}

func numbers(records []connect.SourceRecord) []int64 {
	var n []int64
	for _, r := range records {
		i, _ := r.Value.Value.Int()
		n = append(n, i)
	}
	return n
}

func at(n int64) func(map[connect.SourcePartition]connect.SourceOffset) bool {
	return func(o map[connect.SourcePartition]connect.SourceOffset) bool {
		got, _ := o[(&counter{}).partition()].Int("n")
		return got == n
	}
}

func TestSourceHarness(t *testing.T) {
	h := Source(t, counterPlugin(), nil)
	assert.Equal(t, []int64{1, 2, 3}, numbers(h.Next(3)))
	h.AwaitCommitted(at(3))
	h.Restart()
	assert.Equal(t, []int64{4, 5}, numbers(h.Next(2)), "the next record was handed over before, but not taken")
	h.AwaitCommitted(at(5))
	assert.Equal(t, cluster.Running, h.Status().Tasks[0].State)
}

func TestSourceHarnessInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Source(t, counterPlugin(), nil)
		assert.Equal(t, []int64{1, 2}, numbers(h.Next(2)))
		h.AwaitCommitted(at(2))
	})
}

func TestSourceHarnessFails(t *testing.T) {
	for _, stage := range []connect.Stage{connect.StageTransformation, connect.StageKafkaProduce} {
		t.Run(string(stage), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := Source(t, counterPlugin(), nil)
				synctest.Wait() // the first record has passed, and waits to be taken
				h.FailAt(stage, 2, errors.New("out of paper"))
				assert.Equal(t, []int64{1, 2}, numbers(h.Next(2)))
				assert.Contains(t, h.AwaitFailure(), "out of paper")
				h.Restart()
				assert.Equal(t, []int64{3, 4}, numbers(h.Next(2)))
			})
		})
	}
	t.Run("commit", func(t *testing.T) {
		h := Source(t, counterPlugin(), nil)
		h.FailCommit(1, errors.New("out of ink"))
		h.Next(4)
		h.AwaitCommitted(at(4))
	})
	assert.NotEmpty(t, failuresOf(t, func(t testing.TB) {
		h := Source(t, counterPlugin(), nil)
		h.FailAt(connect.StageTransformation, 1, errors.New("out of paper"))
		h.Next(2) // the first may have passed already
	}), "Next fails with the task")
	assert.NotEmpty(t, failuresOf(t, func(t testing.TB) {
		Source(t, counterPlugin(), nil).FailAt(connect.StageTaskPoll, 1, errors.New("no"))
	}), "the stage is the plugin's own")
}

// rows is a sink that keeps texts, and what it was told.
type rows struct {
	mu   sync.Mutex
	got  []string
	errs []error // returned by Put, one a call
}

func (r *rows) put(_ context.Context, records []connect.SinkRecord) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(records) > 0 && len(r.errs) > 0 {
		err := r.errs[0]
		r.errs = r.errs[1:]
		return err
	}
	for i := range records {
		text := records[i].Value.Value.String()
		for _, h := range records[i].Headers {
			text += fmt.Sprintf(" %s=%v", h.Key, h.Datum.Value)
		}
		r.got = append(r.got, text)
	}
	return nil
}

func (r *rows) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r *rows) plugin() connect.Plugin {
	return SinkPlugin("Rows", func(config.Props) SinkTask { return SinkTask{PutFunc: r.put} })
}

func record(text string) connect.Record {
	return connect.Record{Value: connect.Datum{Schema: data.StringSchema, Value: data.String(text)}}
}

func TestSinkHarness(t *testing.T) {
	var r rows
	h := Sink(t, r.plugin(), nil)
	withHeader := record("a")
	withHeader.Headers = []connect.Header{{Key: "h", Datum: connect.Datum{Value: data.Int64(7)}}, {Key: "null"}}
	h.Put(withHeader, record("b"))
	assert.Equal(t, []string{"a h=7 null=null", "b"}, r.take())
	h.Flush()
	assert.Equal(t, connect.Offsets{tp(SinkTopic, 0): 2}, h.Committed())
	h.Restart()
	h.Put(record("c"))
	assert.Equal(t, []string{"c"}, r.take())
	h.Flush()
	h.Expel()
	h.Put(record("d"))
	assert.Contains(t, r.take(), "d")
}

func TestSinkHarnessFails(t *testing.T) {
	var r rows
	h := Sink(t, r.plugin(), nil)
	h.FailCommit(1, errors.New("out of ink"))
	h.Put(record("a"))
	h.Flush()
	r.mu.Lock()
	r.errs = []error{errors.New("out of paper")}
	r.mu.Unlock()
	h.Produce(record("b"))
	assert.Contains(t, h.AwaitFailure(), "out of paper")
	h.Restart()
	h.Put()
	h.Flush()
	assert.Equal(t, []string{"a", "b"}, r.take())
	assert.NotEmpty(t, failuresOf(t, func(t testing.TB) {
		h := Sink(t, (&rows{errs: []error{errors.New("out of paper")}}).plugin(), nil)
		h.Put(record("a"))
	}), "Put fails with the task")
	assert.NotEmpty(t, failuresOf(t, func(t testing.TB) {
		h := Sink(t, (&rows{}).plugin(), nil)
		h.FailAt(connect.StageTransformation, 2, errors.New("out of paper"))
		h.Put(record("a"), record("b"))
	}), "a stage fails")
}

// keeper is a sink that keeps texts until they are committed, or for ever.
type keeper struct {
	clone, forEver bool
	kept           []string
}

func (k *keeper) Start(context.Context, connect.SinkContext) error { return nil }
func (k *keeper) Stop(context.Context) error                       { return nil }

func (k *keeper) Put(_ context.Context, records []connect.SinkRecord) error {
	for i := range records {
		if text, _ := records[i].Value.Value.Str(); k.clone {
			k.kept = append(k.kept, strings.Clone(text[:4]))
		} else {
			k.kept = append(k.kept, text[:4])
		}
	}
	return nil
}

func (k *keeper) Flush(context.Context, connect.Offsets) error {
	if !k.forEver {
		k.kept = nil
	}
	return nil
}

func TestPinCheck(t *testing.T) {
	for name, c := range map[string]struct {
		task keeper
		want Pins
	}{
		"copies what it keeps": {keeper{clone: true}, Pins{Fetches: 64, BytesPerFetch: 64 << 10}},
		"keeps until flushed":  {keeper{}, Pins{Fetches: 64, BytesPerFetch: 64 << 10, Put: 64}},
		"keeps for ever":       {keeper{forEver: true}, Pins{Fetches: 64, BytesPerFetch: 64 << 10, Put: 64, Committed: 64}},
	} {
		t.Run(name, func(t *testing.T) {
			plugin := SinkPlugin("Keeper", func(config.Props) *keeper { k := c.task; return &k })
			assert.Equal(t, c.want, PinCheck(t, plugin, nil, nil))
		})
	}
}

func TestSourcePluginTasksSeeTheirProps(t *testing.T) {
	seen := make(chan config.Props, 1)
	plugin := SourcePlugin("Props", func(p config.Props) SourceTask {
		seen <- p
		return SourceTask{}
	})
	Source(t, plugin, config.Props{"a": "b"})
	assert.Equal(t, "b", receive(t, seen, "a task")["a"])
}

func TestConnectorContext(t *testing.T) {
	c := &ConnectorContext{Config: config.Props{"a": "b"}}
	assert.Equal(t, "b", c.Props()["a"])
	go c.Reconfigure()
	require.NoError(t, c.AwaitReconfigure(bounded(t), 0))
	c.Fail(errors.New("x"))
	assert.Len(t, c.Failures(), 1)
}
