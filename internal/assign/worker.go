package assign

import (
	"cmp"
	"slices"
	"strings"

	"github.com/streamlane/connect/cluster"
)

// worker is a member in the course of a round.
type worker struct {
	id      string
	next    cluster.Work // what it will run after the round
	added   cluster.Work // of that, what is new
	revoked cluster.Work
}

// newWorkers returns the members sorted by id, each with what it owns, in the
// order it has reported.
func newWorkers(members []Member) []*worker {
	workers := make([]*worker, len(members))
	for i, m := range members {
		workers[i] = &worker{id: m.ID, next: without(m.Owned, cluster.Work{})} // once each, whatever was sent
	}
	slices.SortFunc(workers, func(a, b *worker) int { return strings.Compare(a.id, b.id) })
	return workers
}

// find returns the worker of an id, nil if there is none. Workers are sorted.
func find(workers []*worker, id string) *worker {
	i, ok := slices.BinarySearchFunc(workers, id, func(w *worker, id string) int { return strings.Compare(w.id, id) })
	if !ok {
		return nil
	}
	return workers[i]
}

// revoke takes what w has of work from it.
func (w *worker) revoke(work cluster.Work) {
	rest := without(w.next, work)
	w.revoked = w.revoked.Plus(w.next.Minus(rest))
	w.next = rest
}

func (w *worker) owns() cluster.Work { return w.next }

func (w *worker) addConnector(c string) {
	w.next.Connectors = append(w.next.Connectors, c)
	w.added.Connectors = append(w.added.Connectors, c)
}

func (w *worker) addTask(t cluster.TaskID) {
	w.next.Tasks = append(w.next.Tasks, t)
	w.added.Tasks = append(w.added.Tasks, t)
}

// takeBack takes up to so many connectors and tasks of those that were added, the
// last first, and returns them.
func (w *worker) takeBack(connectors, tasks int) cluster.Work {
	connectors, tasks = min(connectors, len(w.added.Connectors)), min(tasks, len(w.added.Tasks))
	taken := cluster.Work{
		Connectors: w.added.Connectors[len(w.added.Connectors)-connectors:],
		Tasks:      w.added.Tasks[len(w.added.Tasks)-tasks:],
	}
	w.added, w.next = without(w.added, taken), without(w.next, taken)
	return taken
}

func (w *worker) connectors() int { return len(w.next.Connectors) }
func (w *worker) tasks() int      { return len(w.next.Tasks) }

// deal gives work to those who have least, connectors and tasks apart.
func deal(workers []*worker, work cluster.Work) {
	dealEach(workers, work.Connectors, (*worker).connectors, (*worker).addConnector)
	dealEach(workers, work.Tasks, (*worker).tasks, (*worker).addTask)
}

// dealEach gives one item at a time to each of the least loaded workers, until
// the items are used up. Workers of equal load stand in the order of their ids.
func dealEach[T any](workers []*worker, items []T, load func(*worker) int, add func(*worker, T)) {
	byLoad := slices.SortedStableFunc(slices.Values(workers), func(a, b *worker) int { return cmp.Compare(load(a), load(b)) })
	for len(items) > 0 {
		least := load(byLoad[0])
		for _, w := range byLoad {
			if load(w) > least || len(items) == 0 {
				break
			}
			add(w, items[0])
			items = items[1:]
		}
	}
}

// surplus returns what each worker has to give up before a configured number of
// connectors and tasks can be spread evenly.
func surplus(workers []*worker, configured cluster.Work) map[*worker]cluster.Work {
	result := make(map[*worker]cluster.Work)
	connectors := surplusCounts(workers, len(configured.Connectors), (*worker).connectors)
	tasks := surplusCounts(workers, len(configured.Tasks), (*worker).tasks)
	for i, w := range workers {
		if connectors[i] > 0 || tasks[i] > 0 {
			result[w] = cluster.Work{Connectors: w.next.Connectors[:connectors[i]], Tasks: w.next.Tasks[:tasks[i]]}
		}
	}
	return result
}

// surplusCounts: everybody may keep total/n items. The remainder is given as one
// more to the first workers that have more than that already.
func surplusCounts(workers []*worker, total int, load func(*worker) int) []int {
	fair, extra := total/len(workers), total%len(workers)
	counts := make([]int, len(workers))
	for i, w := range workers {
		keep := fair
		if load(w) > fair && extra > 0 {
			keep++
			extra--
		}
		counts[i] = max(load(w)-keep, 0)
	}
	return counts
}
