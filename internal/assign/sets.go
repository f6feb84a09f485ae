package assign

import (
	"slices"

	"github.com/streamlane/connect/cluster"
)

// without returns what is in w but not in o, each item once and in the order of
// w. (Work.Minus sorts.)
func without(w, o cluster.Work) cluster.Work {
	return cluster.Work{Connectors: distinct(w.Connectors, o.Connectors), Tasks: distinct(w.Tasks, o.Tasks)}
}

func distinct[T comparable](items, except []T) []T {
	seen := make(map[T]bool, len(items)+len(except))
	for _, item := range except {
		seen[item] = true
	}
	var kept []T
	for _, item := range items {
		if !seen[item] {
			seen[item] = true
			kept = append(kept, item)
		}
	}
	return kept
}

// overlap tells whether a and b have something in common.
func overlap(a, b cluster.Work) bool { return a.Minus(b).Size() < a.Size() }

// union returns a part of all workers, each item once, sorted.
func union(workers []*worker, part func(*worker) cluster.Work) cluster.Work {
	all := concat(workers, part)
	return cluster.Work{Connectors: slices.Compact(all.Connectors), Tasks: slices.Compact(all.Tasks)}
}

// doubles returns what several workers have of a part, sorted.
func doubles(workers []*worker, part func(*worker) cluster.Work) cluster.Work {
	all := concat(workers, part)
	return cluster.Work{Connectors: repeated(all.Connectors), Tasks: repeated(all.Tasks)}
}

// concat returns a part of all workers, sorted.
func concat(workers []*worker, part func(*worker) cluster.Work) cluster.Work {
	var all cluster.Work
	for _, w := range workers {
		p := part(w)
		all.Connectors = append(all.Connectors, p.Connectors...)
		all.Tasks = append(all.Tasks, p.Tasks...)
	}
	return all.Sorted()
}

// repeated returns the items that occur more than once in a sorted list.
func repeated[T comparable](sorted []T) []T {
	var found []T
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			found = append(found, sorted[i])
		}
	}
	return slices.Compact(found)
}
