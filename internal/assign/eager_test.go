package assign_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/assign"
)

func TestEager(t *testing.T) {
	all := cluster.Work{}.Plus(connector("a", 1)).Plus(connector("b", 2)).Plus(connector("c", 1))
	task := func(connector string, n int) cluster.TaskID { return cluster.TaskID{Connector: connector, Task: n} }
	for _, c := range []struct {
		name    string
		members []string
		all     cluster.Work
		want    map[string]cluster.Work
	}{
		{"nobody", nil, all, map[string]cluster.Work{}},
		{"nothing", []string{"w"}, cluster.Work{}, map[string]cluster.Work{"w": {}}},
		{"one", []string{"w"}, all, map[string]cluster.Work{"w": all}},
		{"tasks go on where connectors end", []string{"w2", "w1"}, all, map[string]cluster.Work{
			"w1": {Connectors: []string{"a", "c"}, Tasks: []cluster.TaskID{task("b", 0), task("c", 0)}},
			"w2": {Connectors: []string{"b"}, Tasks: []cluster.TaskID{task("a", 0), task("b", 1)}},
		}},
		{"more members than work", []string{"w3", "w1", "w2"}, connector("a", 1), map[string]cluster.Work{
			"w1": {Connectors: []string{"a"}},
			"w2": {Tasks: []cluster.TaskID{task("a", 0)}},
			"w3": {},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, assign.Eager(c.members, c.all))
		})
	}
}

// TestEagerIsEven: all is given once, nobody has two more than another, and the
// order of the question does not matter.
func TestEagerIsEven(t *testing.T) {
	for seed := range uint64(histories) {
		r := rand.New(rand.NewPCG(seed, 5))
		all := work(0, r.IntN(40))
		var members []string
		for i := range 1 + r.IntN(6) {
			members = append(members, fmt.Sprintf("w%d", i))
		}
		shares := assign.Eager(members, all)
		var given cluster.Work
		var loads []int
		for _, share := range shares {
			assert.Equal(t, share.Size(), share.Minus(given).Size(), "given twice")
			given = given.Plus(share)
			loads = append(loads, share.Size())
		}
		assert.Equal(t, all.Sorted(), given)
		assert.Len(t, loads, len(members))
		assert.LessOrEqual(t, slices.Max(loads)-slices.Min(loads), 1)
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		r.Shuffle(len(all.Tasks), func(i, j int) { all.Tasks[i], all.Tasks[j] = all.Tasks[j], all.Tasks[i] })
		assert.Equal(t, shares, assign.Eager(members, all), "seed %d", seed)
	}
}
