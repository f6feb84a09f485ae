package connect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// shortly shows errors without their times: task outcome stage xCount at: message.
func shortly(all []connect.ConnectorError) (lines []string) {
	for _, e := range all {
		lines = append(lines, fmt.Sprintf("%d %s %s x%d %s: %s", e.Task, e.Outcome, e.Stage, e.Count, e.At, e.Message))
	}
	return lines
}

// badly is a transform that refuses records by their text.
func badly() connect.Plugin {
	return connecttest.TransformPlugin("Badly", func(config.Props) connecttest.Transform {
		return connecttest.Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) {
			if text, _ := r.Value.Value.Str(); strings.HasPrefix(text, "bad") {
				return false, fmt.Errorf("%s is no good", text)
			}
			return true, nil
		}}
	})
}

// failingSource is a source that asks for each poll what to return.
func failingSource(poll func() (string, error)) connect.Plugin {
	return connecttest.SourcePlugin("Failing", func(p config.Props) connecttest.SourceTask {
		return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			text, err := poll()
			if err != nil {
				return nil, err
			}
			return []connect.SourceRecord{{Record: connect.Record{
				Topic: "t", Value: connect.Datum{Schema: data.StringSchema, Value: data.String(text)},
			}}}, nil
		}}
	})
}

// Errors of every kind are remembered with what is known of them.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		props config.Props
		polls []any // a text, or an error
		want  []string
	}{
		{"nothing", nil, []any{"fine"}, nil},
		{"retried", nil, []any{connect.Retriable(errors.New("busy"), 0), "fine"}, []string{"0 retried TASK_POLL x1 : busy"}},
		{"failed", nil, []any{errors.New("gone")}, []string{"0 failed TASK_POLL x1 : gone"}},
		{"skipped", config.Props{"errors.tolerance": "all"}, []any{"bad 1", "fine", "bad 2"}, []string{
			`0 skipped TRANSFORMATION x1 topic "t": bad 1 is no good`, `0 skipped TRANSFORMATION x1 topic "t": bad 2 is no good`,
		}},
		{"failed on a record", nil, []any{"fine", "bad 1"}, []string{`0 failed TRANSFORMATION x1 topic "t": bad 1 is no good`}},
		{"secrets", config.Props{"my.password": "s3cret", "other": "${vault:x}"}, []any{errors.New("login with s3cret and hooked")},
			[]string{"0 failed TASK_POLL x1 : login with [hidden] and [hidden]"}},
		{"long", nil, []any{errors.New(strings.Repeat("x", 10_000))}, []string{"0 failed TASK_POLL x1 : " + strings.Repeat("x", 4096) + "..."}},
		{"the worker's secrets", nil, []any{errors.New("the broker does not like w0rker-pw")}, []string{"0 failed TASK_POLL x1 : the broker does not like [hidden]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := 0
				w := newWorldWith(t, connect.Options{
					Plugins: []connect.Plugin{badly(), failingSource(func() (string, error) {
						if next++; next > len(c.polls) {
							return "fine", nil
						}
						if err, isError := c.polls[next-1].(error); isError {
							return "", err
						}
						return c.polls[next-1].(string), nil
					})},
					Worker:    config.Props{"producer.ssl.key.password": "w0rker-pw"},
					Providers: map[string]config.Provider{"vault": hook(func() error { return nil })},
				})
				defer w.stop()
				w.put(t, "c", config.Props{"connector.class": "Failing", "transforms": "b", "transforms.b.type": "Badly"}.Merge(c.props))
				time.Sleep(10 * time.Second)
				all, err := w.Errors(t.Context(), "c")
				require.NoError(t, err)
				assert.Equal(t, c.want, shortly(all))
				for i, e := range all {
					assert.Equal(t, int64(i+1), e.Number)
					assert.WithinRange(t, e.Time, time.Now().Add(-10*time.Second), time.Now())
				}
			})
		})
	}
}

// A flood of bad records is one error a second, and does not push out what was
// there before; the number of errors is bounded.
func TestErrorsAreBounded(t *testing.T) {
	for option, want := range map[int]int{0: 50, 5: 5, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			flood := connecttest.SourcePlugin("Flood", func(config.Props) connecttest.SourceTask {
				return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
					select {
					case <-time.After(10 * time.Millisecond):
					case <-ctx.Done():
						return nil, ctx.Err()
					}
					n++
					return []connect.SourceRecord{{Record: connect.Record{Topic: "t", Value: connect.Datum{Value: data.String(fmt.Sprint("bad ", n))}}}}, nil
				}}
			})
			w := newWorldWith(t, connect.Options{Plugins: []connect.Plugin{badly(), flood}, ErrorTail: option})
			defer w.stop()
			w.put(t, "c", config.Props{"connector.class": "Flood", "transforms": "b", "transforms.b.type": "Badly", "errors.tolerance": "all"})
			time.Sleep(90 * time.Second)
			all, err := w.Errors(t.Context(), "c")
			require.NoError(t, err)
			require.Len(t, all, want)
			if want > 0 {
				assert.Equal(t, 100, all[0].Count)
				assert.Equal(t, time.Second, all[1].Time.Sub(all[0].Time))
			}
		})
	}
}

// Errors of the connector instance are there too, and go with the connector.
func TestErrorsOfTheConnector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := newWorld(t, connect.Source(connect.Info{Class: "Shy"},
			func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
				return connecttest.Connector[connecttest.Props]{
					StartFunc: func(_ context.Context, c connect.ConnectorContext) error {
						if c.Props()["start"] == "no" {
							return errors.New("no start today")
						}
						return nil
					},
					TaskConfigsFunc: func(context.Context, int) ([]connecttest.Props, error) {
						asked++
						return nil, fmt.Errorf("no tables yet")
					},
				}, nil
			},
			func(connecttest.Props) (connecttest.SourceTask, error) { return connecttest.SourceTask{}, nil }))
		defer w.stop()
		_, err := w.Errors(t.Context(), "c")
		require.ErrorIs(t, err, connect.ErrNotFound)
		w.put(t, "c", config.Props{"connector.class": "Shy"})
		time.Sleep(time.Minute)
		all, err := w.Errors(t.Context(), "c")
		require.NoError(t, err)
		require.Greater(t, asked, 2)
		require.NotEmpty(t, all)
		assert.Equal(t, "-1 retried  x1 : no tables yet", shortly(all)[len(all)-1])
		w.put(t, "c", config.Props{"connector.class": "Shy", "start": "no"})
		synctest.Wait()
		all, err = w.Errors(t.Context(), "c")
		require.NoError(t, err)
		assert.Equal(t, `-1 failed  x1 : connector "c": start: no start today`, shortly(all)[len(all)-1])
		require.NoError(t, w.DeleteConnector(t.Context(), "c"))
		synctest.Wait()
		_, err = w.Errors(t.Context(), "c")
		require.ErrorIs(t, err, connect.ErrNotFound)
	})
}

// A report that a task survives is an error of its own, and so is the failure
// that comes later.
func TestErrorsOfReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		puts := 0
		var sink connect.SinkContext
		w := newWorld(t, sinkOf(connecttest.SinkTask{
			StartFunc: func(_ context.Context, c connect.SinkContext) error { sink = c; return nil },
			PutFunc: func(ctx context.Context, records []connect.SinkRecord) error {
				if len(records) == 0 {
					return nil
				}
				if puts++; puts == 1 {
					_ = sink.Report(ctx, &records[0], errors.New("odd record"))
					return nil
				}
				return errors.New("the target is gone")
			},
		}))
		defer w.stop()
		w.broker.CreateTopic("t", 1)
		w.put(t, "c", config.Props{"connector.class": "Sink", "topics": "t"})
		for range 2 {
			time.Sleep(5 * time.Second)
			require.NoError(t, w.broker.Produce(connect.Message{TopicPartition: connect.TopicPartition{Topic: "t"}, Value: []byte("x")}))
		}
		time.Sleep(5 * time.Second)
		all, err := w.Errors(t.Context(), "c")
		require.NoError(t, err)
		assert.Equal(t, []string{
			"0 failed TASK_PUT x1 t-0@0: odd record",
			"0 failed TASK_PUT x1 t-0@1: put of 1 records, from this one on: the target is gone",
		}, shortly(all))
	})
}
