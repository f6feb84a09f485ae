package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A TaskID names one task of a connector. Numbers start at zero.
type TaskID struct {
	Connector string
	Task      int
}

// String returns the form that Kafka Connect prints: connector-0.
func (t TaskID) String() string { return t.Connector + "-" + strconv.Itoa(t.Task) }

// ParseTaskID undoes String. The number follows the last dash, for names may
// contain dashes.
func ParseTaskID(s string) (TaskID, error) {
	i := strings.LastIndexByte(s, '-')
	if i <= 0 {
		return TaskID{}, fmt.Errorf("task %q: want CONNECTOR-NUMBER", s)
	}
	n, err := strconv.Atoi(s[i+1:])
	if err != nil || n < 0 {
		return TaskID{}, fmt.Errorf("task %q: %q is no task number", s, s[i+1:])
	}
	return TaskID{Connector: s[:i], Task: n}, nil
}

// CompareTaskIDs orders by connector, then by number.
func CompareTaskIDs(a, b TaskID) int {
	return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Task, b.Task))
}

// Work is a set of connector instances and tasks: what a worker runs, is given,
// or must give up. The zero value is empty.
type Work struct {
	Connectors []string
	Tasks      []TaskID
}

// IsEmpty reports whether there is nothing in w.
func (w Work) IsEmpty() bool { return len(w.Connectors) == 0 && len(w.Tasks) == 0 }

// Size is the number of connector instances and tasks.
func (w Work) Size() int { return len(w.Connectors) + len(w.Tasks) }

// Sorted returns w with both lists in order.
func (w Work) Sorted() Work {
	w.Connectors = slices.Sorted(slices.Values(w.Connectors))
	w.Tasks = slices.SortedFunc(slices.Values(w.Tasks), CompareTaskIDs)
	return w
}

// Minus returns what is in w but not in o, sorted.
func (w Work) Minus(o Work) Work {
	connectors := make(map[string]bool, len(o.Connectors))
	for _, c := range o.Connectors {
		connectors[c] = true
	}
	tasks := make(map[TaskID]bool, len(o.Tasks))
	for _, t := range o.Tasks {
		tasks[t] = true
	}
	var out Work
	for _, c := range w.Connectors {
		if !connectors[c] {
			out.Connectors = append(out.Connectors, c)
		}
	}
	for _, t := range w.Tasks {
		if !tasks[t] {
			out.Tasks = append(out.Tasks, t)
		}
	}
	return out.Sorted()
}

// Plus returns what is in either, once, sorted.
func (w Work) Plus(o Work) Work {
	extra := o.Minus(w)
	return Work{
		Connectors: slices.Concat(w.Connectors, extra.Connectors),
		Tasks:      slices.Concat(w.Tasks, extra.Tasks),
	}.Sorted()
}
