package cluster

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

func TestPlanChanges(t *testing.T) {
	have := NewView(9,
		Connector{Name: "a", Offset: 3, Props: config.Props{"name": "a", "x": "1"}, Target: TargetStarted},
		Connector{Name: "p", Offset: 5, Props: config.Props{"name": "p"}, Target: TargetPaused},
	)
	type row struct {
		action  Action
		rev     int64
		targets string
		records []string
	}
	const put, target, commit = "connector-", "target-state-", "commit-"
	for _, c := range []struct {
		name    string
		desired map[string]Desired
		prune   bool
		want    map[string]row
	}{
		{"nothing", nil, false, map[string]row{}},
		{"create", map[string]Desired{"n": {Props: config.Props{"name": "n"}}}, false,
			map[string]row{"n": {ActionCreate, -1, ">STARTED", []string{put}}}},
		{"create running", map[string]Desired{"n": {config.Props{"name": "n"}, TargetStarted}}, false,
			map[string]row{"n": {ActionCreate, -1, ">STARTED", []string{put}}}},
		{"create stopped", map[string]Desired{"n": {config.Props{"name": "n"}, TargetStopped}}, false,
			map[string]row{"n": {ActionCreate, -1, ">STOPPED", []string{target, put}}}},
		{"same", map[string]Desired{"a": {Props: config.Props{"x": "1", "name": "a"}}}, false,
			map[string]row{"a": {ActionUnchanged, 3, "STARTED>STARTED", nil}}},
		{"same, paused stays", map[string]Desired{"p": {Props: config.Props{"name": "p"}}}, false,
			map[string]row{"p": {ActionUnchanged, 5, "PAUSED>PAUSED", nil}}},
		{"another text", map[string]Desired{"a": {Props: config.Props{"x": "2", "name": "a"}}}, false,
			map[string]row{"a": {ActionUpdate, 3, "STARTED>STARTED", []string{put}}}},
		{"pause only", map[string]Desired{"a": {config.Props{"x": "1", "name": "a"}, TargetPaused}}, false,
			map[string]row{"a": {ActionUpdate, 3, "STARTED>PAUSED", []string{target}}}},
		{"stop and configure", map[string]Desired{"a": {config.Props{"name": "a"}, TargetStopped}}, false,
			map[string]row{"a": {ActionUpdate, 3, "STARTED>STOPPED", []string{commit, target, put}}}},
		{"configure and resume", map[string]Desired{"p": {config.Props{"name": "p", "y": "1"}, TargetStarted}}, false,
			map[string]row{"p": {ActionUpdate, 5, "PAUSED>STARTED", []string{put, target}}}},
		{"prune", map[string]Desired{"a": {Props: config.Props{"x": "1", "name": "a"}}}, true, map[string]row{
			"a": {ActionUnchanged, 3, "STARTED>STARTED", nil}, "p": {ActionDelete, 5, "PAUSED>", []string{put, target}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[string]row{}
			last := ""
			for _, ch := range PlanChanges(have, c.desired, c.prune) {
				assert.Less(t, last, ch.Name, "in the order of names")
				last = ch.Name
				r := row{ch.Action, ch.Revision, string(ch.TargetBefore + ">" + ch.TargetAfter), nil}
				for _, rec := range ch.Records() {
					prefix, name := cutKey(rec.Key)
					assert.Equal(t, ch.Name, name)
					r.records = append(r.records, prefix)
				}
				got[ch.Name] = r
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// A plan carried out leaves nothing to do, whatever was there before, and two
// plans from the same state are the same.
func TestPlanCarriedOut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	targets := []TargetState{"", TargetStarted, TargetPaused, TargetStopped}
	set := func() map[string]Desired {
		desired := map[string]Desired{}
		for range random.IntN(5) {
			name := fmt.Sprint("c", random.IntN(4))
			desired[name] = Desired{config.Props{"name": name, "x": fmt.Sprint(random.IntN(2))}, targets[random.IntN(4)]}
		}
		return desired
	}
	for range 500 {
		var f Fold
		offset := int64(0)
		carryOut := func(changes []Change) {
			for _, c := range changes {
				for _, r := range c.Records() {
					_, err := f.Apply(r, offset)
					require.NoError(t, err)
					offset++
				}
			}
		}
		for range 3 {
			want, prune := set(), random.IntN(2) == 0
			changes := PlanChanges(f.View(), want, prune)
			require.True(t, SamePlan(changes, PlanChanges(f.View(), want, prune)))
			untouched := f.View().Position
			carryOut(changes)
			again := PlanChanges(f.View(), want, prune)
			for _, c := range again {
				require.Equal(t, ActionUnchanged, c.Action, "%+v", c)
				require.NotEqual(t, NoRevision, c.Revision)
			}
			require.Len(t, again, len(want))
			if f.View().Position != untouched {
				require.False(t, SamePlan(changes, again))
			}
		}
	}
}

func TestDiff(t *testing.T) {
	text := func(s string) *string { return &s }
	before := config.Props{"same": "1", "gone": "2", "changed": "3", "db.password": "a", "api.token": "t", "null": config.Null}
	after := config.Props{"same": "1", "new": "4", "changed": "5", "db.password": "b", "api.token": "${file:/x:t}", "null": ""}
	assert.Equal(t, []KeyChange{
		{"api.token", text(config.Hidden), text("${file:/x:t}")},
		{"changed", text("3"), text("5")},
		{"db.password", text(config.Hidden), text(config.Hidden)},
		{"gone", text("2"), nil},
		{"new", nil, text("4")},
		{"null", text(config.Null), text("")},
	}, Diff(before, after, func(p config.Props) config.Props { return p.Masked() }))
	assert.Equal(t, []KeyChange{{"a", nil, text("b")}}, Diff(nil, config.Props{"a": "b"}, nil))
	assert.Equal(t, []KeyChange{}, Diff(before, before.Clone(), nil))
}

// A change is the same after a way through JSON.
func TestKeyChangeAsJSON(t *testing.T) {
	text := func(s string) *string { return &s }
	for want, c := range map[string]KeyChange{
		`{"key":"a","change":"added","after":"x\u003c"}`:             {"a", nil, text("x<")},
		`{"key":"a","change":"removed","before":""}`:                 {"a", text(""), nil},
		`{"key":"","change":"changed","before":null,"after":"null"}`: {"", text(config.Null), text("null")},
	} {
		b, err := json.Marshal(c)
		require.NoError(t, err)
		assert.Equal(t, want, string(b))
		var again KeyChange
		require.NoError(t, json.Unmarshal(b, &again))
		assert.Equal(t, c, again)
	}
	for _, bad := range []string{`5`, `{"key":5}`, `{"key":"a","before":5}`, `{"key":"a","after":{}}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), new(KeyChange)), bad)
	}
}
