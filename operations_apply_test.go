package connect_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// typedConfig declares its keys, a secret among them.
type typedConfig struct {
	Topic string
	Pin   config.Secret
}

func (c *typedConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Doc("Topic to write to.")
	config.Password(d, &c.Pin, "pin").Default(config.Secret{}).Doc("A secret.")
}

// typed is a source without records.
func typed() connect.Plugin {
	return connect.Source(connect.Info{Class: "Typed"}, connect.OneTask[typedConfig], func(typedConfig) (connecttest.SourceTask, error) {
		return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) { <-ctx.Done(); return nil, nil }}, nil
	})
}

// set makes a set of Typed connectors, by name and topic.
func set(topics map[string]string) connect.ChangeSet {
	s := connect.ChangeSet{Connectors: map[string]cluster.Desired{}}
	for name, topic := range topics {
		s.Connectors[name] = cluster.Desired{Props: config.Props{"connector.class": "Typed", "topic": topic}}
	}
	return s
}

// actions shows a plan as name:action.
func actions(p connect.ChangePlan) (all []string) {
	for _, c := range p.Changes {
		all = append(all, c.Name+":"+string(c.Action))
	}
	return all
}

// revisions are those that a plan was made for.
func revisions(p connect.ChangePlan) map[string]int64 {
	all := map[string]int64{}
	for _, c := range p.Changes {
		all[c.Name] = c.Revision
	}
	return all
}

// hook is a config provider that does something of the test's when it is asked.
type hook func() error

func (h hook) Get(context.Context, string, []string) (config.ProviderData, error) {
	return config.ProviderData{Values: map[string]string{"x": "hooked"}}, h()
}

// worldBubble runs f with a world in a bubble.
func worldBubble(t *testing.T, f func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, typed())
		defer w.stop()
		f(t, w)
	})
}

func TestApply(t *testing.T) {
	worldBubble(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		dry := set(map[string]string{"a": "t", "b": "t"})
		dry.DryRun = true
		plan, err := w.Apply(ctx, dry)
		require.NoError(t, err)
		assert.Equal(t, []string{"a:create", "b:create"}, actions(plan))
		assert.False(t, plan.Applied)
		names, err := w.Connectors(ctx)
		require.NoError(t, err)
		assert.Empty(t, names, "a dry run writes nothing")

		change := set(map[string]string{"a": "t", "b": "t"})
		change.Revisions = revisions(plan)
		plan, err = w.Apply(ctx, change)
		require.NoError(t, err)
		assert.True(t, plan.Applied)
		assert.Equal(t, cluster.Running, w.status(t, "a").Connector.State)
		_, err = w.Apply(ctx, change)
		require.ErrorIs(t, err, connect.ErrConflict, "the connectors are there now")
		require.ErrorContains(t, err, `connector "a": planned for no connector, found revision`)

		second := set(map[string]string{"a": "t", "c": "t"})
		second.Connectors["b"] = cluster.Desired{Props: config.Props{"connector.class": "Typed", "topic": "u", "name": "b", "topik": "x"}, Target: cluster.TargetStopped}
		plan, err = w.Apply(ctx, second)
		require.NoError(t, err)
		assert.Equal(t, []string{"a:unchanged", "b:update", "c:create"}, actions(plan))
		text := func(s string) *string { return &s }
		assert.Equal(t, []cluster.KeyChange{{Key: "topic", Before: text("t"), After: text("u")}, {Key: "topik", After: text("x")}}, plan.Changes[1].Diff)
		assert.Equal(t, []connect.KeyMessage{{Key: "topik", Message: `is not known and has no effect; the nearest is "topic"`}}, plan.Changes[1].Warnings)
		assert.Equal(t, cluster.Stopped, w.status(t, "b").Connector.State)
		assert.Empty(t, w.status(t, "b").Tasks)
		assert.Contains(t, w.log.String(), "key=topik nearest=topic")

		third := set(map[string]string{"c": "t"})
		third.Prune = true
		plan, err = w.Apply(ctx, third)
		require.NoError(t, err)
		assert.Equal(t, []string{"a:delete", "b:delete", "c:unchanged"}, actions(plan))
		names, err = w.Connectors(ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"c"}, names)
		_, err = w.Apply(ctx, connect.ChangeSet{Prune: true})
		require.ErrorIs(t, err, connect.ErrBadRequest)
	})
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct {
		name, key, message string
		wrong              cluster.Desired
	}{
		{"no class", "connector.class", "missing required configuration", cluster.Desired{Props: config.Props{"topic": "t"}}},
		{"unknown class", "connector.class", "not found", cluster.Desired{Props: config.Props{"connector.class": "Nix"}}},
		{"bad value", "tasks.max", "many", cluster.Desired{Props: config.Props{"connector.class": "Typed", "topic": "t", "tasks.max": "many"}}},
		{"key left out", "topic", "Missing required", cluster.Desired{Props: config.Props{"connector.class": "Typed"}}},
		{"another name", "name", `its configuration has the name "x"`, cluster.Desired{Props: config.Props{"connector.class": "Typed", "name": "x"}}},
		{"unknown state", "", `target state "GONE"`, cluster.Desired{Props: config.Props{"connector.class": "Typed"}, Target: "GONE"}},
		{"no configuration", "connector.class", "missing required configuration", cluster.Desired{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			worldBubble(t, func(t *testing.T, w *world) {
				change := set(map[string]string{"good": "t"})
				change.Connectors["wrong"] = c.wrong
				change.DryRun = true
				plan, err := w.Apply(t.Context(), change)
				require.NoError(t, err)
				require.Len(t, plan.Invalid(), 1)
				require.NotEmpty(t, plan.Invalid()[0].Errors)
				assert.Equal(t, c.key, plan.Invalid()[0].Errors[0].Key)
				assert.Contains(t, plan.Invalid()[0].Errors[0].Message, c.message)
				change.DryRun = false
				_, err = w.Apply(t.Context(), change)
				require.ErrorIs(t, err, connect.ErrBadRequest)
				require.ErrorContains(t, err, "nothing was changed, for 1 of 2 connectors are invalid")
				require.ErrorContains(t, err, c.message)
				names, err := w.Connectors(t.Context())
				require.NoError(t, err)
				assert.Empty(t, names)
			})
		})
	}
}

// A plan is for the revisions that it was made for, and for no others.
func TestApplyRevisions(t *testing.T) {
	for _, c := range []struct {
		name  string
		moves func(t *testing.T, w *world) // after the plan
		other func(s *connect.ChangeSet)   // of the set that is applied
		part  string                       // of the error; "": none
	}{
		{"as planned", func(*testing.T, *world) {}, nil, ""},
		{"configured", func(t *testing.T, w *world) {
			w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "u"})
		}, nil, `connector "a": planned for revision`},
		{"the same again", func(t *testing.T, w *world) {
			w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "t"})
		}, nil, `connector "a": planned for revision`},
		{"deleted", func(t *testing.T, w *world) { require.NoError(t, w.DeleteConnector(t.Context(), "a")) }, nil, "found no connector"},
		{"created", func(t *testing.T, w *world) {
			w.put(t, "n", config.Props{"connector.class": "Typed", "topic": "t"})
		}, nil, `connector "n": planned for no connector`},
		{"paused, which is no configuration", func(t *testing.T, w *world) { require.NoError(t, w.Pause(t.Context(), "a")) }, nil, ""},
		{"more than planned", func(*testing.T, *world) {}, func(s *connect.ChangeSet) {
			s.Connectors["m"] = s.Connectors["n"]
		}, `connector "m": not in the plan`},
	} {
		t.Run(c.name, func(t *testing.T) {
			worldBubble(t, func(t *testing.T, w *world) {
				w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "t"})
				change := set(map[string]string{"a": "u", "n": "t"})
				change.DryRun = true
				plan, err := w.Apply(t.Context(), change)
				require.NoError(t, err)
				c.moves(t, w)
				change.DryRun, change.Revisions = false, revisions(plan)
				if c.other != nil {
					c.other(&change)
				}
				before, err := w.Connectors(t.Context())
				require.NoError(t, err)
				_, err = w.Apply(t.Context(), change)
				if c.part == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, connect.ErrConflict)
				require.ErrorContains(t, err, c.part)
				after, err := w.Connectors(t.Context())
				require.NoError(t, err)
				assert.Equal(t, before, after)
			})
		})
	}
}

// Without revisions Apply plans anew when something moves while it validates,
// and gives up in the end.
func TestApplyPlansAgain(t *testing.T) {
	for _, moves := range []int{1, 100} {
		t.Run(fmt.Sprint(moves), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w *world
				left := 0
				w = newWorldWith(t, connect.Options{Plugins: []connect.Plugin{typed()}, Providers: map[string]config.Provider{"hook": hook(func() error {
					if left > 0 {
						left--
						w.put(t, "a", config.Props{"connector.class": "Typed", "topic": fmt.Sprint("t", left)})
					}
					return nil
				})}})
				defer w.stop()
				w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "t"})
				left = moves
				change := set(map[string]string{"a": "u", "r": "${hook:x}"})
				_, err := w.Apply(t.Context(), change)
				if moves > 5 {
					require.ErrorIs(t, err, connect.ErrConflict)
					require.ErrorContains(t, err, "5 times")
					return
				}
				require.NoError(t, err)
				c, err := w.Connector(t.Context(), "a")
				require.NoError(t, err)
				assert.Equal(t, "u", c.Props["topic"])
			})
		})
	}
}

func TestHistoryAndRollback(t *testing.T) {
	worldBubble(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.History(ctx, "a")
		require.ErrorIs(t, err, connect.ErrNotFound)
		for _, topic := range []string{"t", "u", "u", "v"} {
			time.Sleep(time.Minute)
			w.put(t, "a", config.Props{"connector.class": "Typed", "topic": topic, "pin": "s3cret-" + topic})
		}
		all, err := w.History(ctx, "a")
		require.NoError(t, err)
		require.Len(t, all, 3)
		assert.Equal(t, 3*time.Minute, all[2].Time.Sub(all[0].Time))
		c, err := w.Connector(ctx, "a")
		require.NoError(t, err)
		assert.Equal(t, c.Offset, all[2].Offset)
		assert.Equal(t, config.Hidden, w.Mask(all[0].Props)["pin"])

		plan, err := w.Rollback(ctx, "a", all[0].Offset, true)
		require.NoError(t, err)
		require.Len(t, plan.Changes, 1)
		for _, d := range plan.Changes[0].Diff {
			assert.NotContains(t, *d.Before+*d.After, "s3cret")
		}
		plan, err = w.Rollback(ctx, "a", all[0].Offset, false)
		require.NoError(t, err)
		assert.True(t, plan.Applied)
		c, err = w.Connector(ctx, "a")
		require.NoError(t, err)
		assert.Equal(t, "s3cret-t", c.Props["pin"])
		all, err = w.History(ctx, "a")
		require.NoError(t, err)
		require.Len(t, all, 4, "a rollback is a revision")

		require.NoError(t, w.DeleteConnector(ctx, "a"))
		histories, err := w.Histories(ctx)
		require.NoError(t, err)
		assert.Equal(t, []cluster.HistoryEntry{{Name: "a", Revisions: 5, Deleted: true}}, histories)
		all, err = w.History(ctx, "a")
		require.NoError(t, err)
		_, err = w.Rollback(ctx, "a", all[4].Offset, false)
		require.ErrorIs(t, err, connect.ErrBadRequest, "the deletion is no configuration")
		_, err = w.Rollback(ctx, "a", 4711, false)
		require.ErrorIs(t, err, connect.ErrNotFound)
		plan, err = w.Rollback(ctx, "a", all[0].Offset, false)
		require.NoError(t, err)
		assert.Equal(t, []string{"a:create"}, actions(plan))
		assert.Equal(t, cluster.Running, w.status(t, "a").Connector.State)
	})
}

// A revision that the worker finds fault with today is not rolled back to.
func TestRollbackValidates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Value
		w := newWorldWith(t, connect.Options{
			Plugins: []connect.Plugin{typed()}, Providers: map[string]config.Provider{"hook": hook(func() error {
				err, _ := now.Load().(error)
				return err
			})},
		})
		defer w.stop()
		w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "${hook:x}"})
		w.put(t, "a", config.Props{"connector.class": "Typed", "topic": "t"})
		all, err := w.History(t.Context(), "a")
		require.NoError(t, err)
		synctest.Wait()
		sealed := errors.New("the vault is sealed")
		now.Store(sealed)
		_, err = w.Rollback(t.Context(), "a", all[0].Offset, false)
		require.ErrorIs(t, err, connect.ErrBadRequest)
		require.ErrorContains(t, err, sealed.Error())
	})
}

// What is remembered is bounded, and may be nothing.
func TestHistoryIsBounded(t *testing.T) {
	for option, want := range map[int]int{0: 20, 3: 3, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorldWith(t, connect.Options{Plugins: []connect.Plugin{typed()}, History: option})
			defer w.stop()
			for i := range 25 {
				w.put(t, "a", config.Props{"connector.class": "Typed", "topic": fmt.Sprint(i)})
			}
			all, err := w.History(t.Context(), "a")
			if want == 0 {
				require.ErrorIs(t, err, connect.ErrNotFound)
				return
			}
			require.NoError(t, err)
			require.Len(t, all, want)
			assert.Equal(t, "24", all[want-1].Props["topic"])
		})
	}
}
