package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The state of an instance that must not be.
const stateFailed = "FAILED"

// instanceInfo is the state of a connector instance or a task.
type instanceInfo struct {
	ID       int     `json:"id"`
	State    string  `json:"state"`
	WorkerID string  `json:"worker_id"`
	Version  *string `json:"version"`
	Trace    string  `json:"trace"`
}

// stateInfo is what a worker tells of a connector's state.
type stateInfo struct {
	Name      string         `json:"name"`
	Connector instanceInfo   `json:"connector"`
	Tasks     []instanceInfo `json:"tasks"`
	Type      string         `json:"type"`
}

// failed names the instances that have failed.
func (s *stateInfo) failed() []string {
	var names []string
	if s.Connector.State == stateFailed {
		names = append(names, s.Name)
	}
	for _, t := range s.Tasks {
		if t.State == stateFailed {
			names = append(names, fmt.Sprintf("%s task %d", s.Name, t.ID))
		}
	}
	return names
}

// count returns the number of tasks in a state.
func (s *stateInfo) count(state string) int {
	n := 0
	for _, t := range s.Tasks {
		if t.State == state {
			n++
		}
	}
	return n
}

// connectorInfo is what a worker tells of a connector's configuration.
type connectorInfo struct {
	Config map[string]*string `json:"config"`
	Type   string             `json:"type"`
}

// expanded is an element of GET /connectors?expand=...
type expanded struct {
	Status stateInfo     `json:"status"`
	Info   connectorInfo `json:"info"`
}

// listed is a line of ls, and its JSON.
type listed struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Class string `json:"class"`
	// State and WorkerID are empty for a connector that has no state yet.
	State      string         `json:"state"`
	WorkerID   string         `json:"worker_id"`
	Tasks      int            `json:"tasks"`
	TaskStates map[string]int `json:"task_states"`
}

func lsCommand() command {
	return command{
		name: "ls", args: "[flags]", summary: "lists the connectors of a cluster", style: flagsAnywhere,
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			return flags.asking(func(ctx context.Context, cl *client, args []string) error {
				if len(args) > 0 {
					return usageError("ls takes no arguments, found %q", args[0])
				}
				return cl.list(ctx)
			})
		},
	}
}

// list prints all connectors.
func (c *client) list(ctx context.Context) error {
	all, err := c.connectors(ctx)
	if err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(all)
	}
	rows := make([][]string, len(all))
	for i, l := range all {
		running := fmt.Sprintf("%d/%d", l.TaskStates["RUNNING"], l.Tasks)
		rows[i] = []string{l.Name, l.Type, l.State, running, strconv.Itoa(l.TaskStates[stateFailed]), l.WorkerID, l.Class}
	}
	return c.out.table([]column{
		{head: "NAME"}, {head: "TYPE"}, {head: "STATE"}, {head: "RUNNING"}, {head: "FAILED"}, {"WORKER", true}, {"CLASS", true},
	}, rows)
}

// connectors returns all connectors in the order of their names. Workers leave
// those without a state out of what they expand.
func (c *client) connectors(ctx context.Context) ([]listed, error) {
	names, found, err := c.expand(ctx, "expand=status&expand=info")
	if err != nil {
		return nil, err
	}
	all := make([]listed, 0, len(names))
	for _, name := range names {
		e := found[name]
		l := listed{
			Name: name, Type: firstOf(e.Info.Type, e.Status.Type, "unknown"), State: e.Status.Connector.State,
			WorkerID: e.Status.Connector.WorkerID, Tasks: len(e.Status.Tasks), TaskStates: make(map[string]int),
		}
		if class := e.Info.Config["connector.class"]; class != nil {
			l.Class = *class
		}
		for _, t := range e.Status.Tasks {
			l.TaskStates[t.State]++
		}
		all = append(all, l)
	}
	return all, nil
}

// expand returns the names of all connectors, sorted, and what is known of each.
func (c *client) expand(ctx context.Context, query string) (names []string, found map[string]expanded, err error) {
	if err := c.call(ctx, http.MethodGet, "/connectors?"+query, nil, &found); err != nil {
		return nil, nil, err
	}
	if err := c.call(ctx, http.MethodGet, "/connectors", nil, &names); err != nil {
		return nil, nil, err
	}
	names = slices.AppendSeq(names, maps.Keys(found))
	slices.Sort(names)
	return slices.Compact(names), found, nil
}

func statusCommand() command {
	return command{
		name: "status", args: "[flags] [NAME ...]", summary: "shows the states of connectors and tasks; without a NAME of all",
		style: flagsAnywhere, words: []wordKind{wordName},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			var o statusOptions
			f.BoolVar(&o.check, "check", false, "exit with 7 if anything is FAILED")
			f.BoolVar(&o.trace, "trace", false, "show whole traces, below the table")
			return flags.asking(func(ctx context.Context, cl *client, names []string) error { return cl.status(ctx, names, o) })
		},
	}
}

type statusOptions struct{ check, trace bool }

// status prints the states of connectors.
func (c *client) status(ctx context.Context, names []string, o statusOptions) error {
	states, raw, missing, err := c.states(ctx, names)
	if err != nil {
		return err
	}
	if c.out.isJSON() {
		err = c.out.json(raw)
	} else {
		err = c.printStates(states, o.trace)
	}
	if err != nil {
		return err
	}
	var wrong problems
	wrong.add(missing)
	if o.check {
		for _, s := range states {
			for _, name := range s.failed() {
				wrong.add(exitWith(exitFailed, fmt.Errorf("%s is FAILED", name)))
			}
		}
	}
	return wrong.orNil()
}

// states returns the states of the named connectors, of all if none is named, as
// such and as the worker tells them. Missing says which are not there.
func (c *client) states(ctx context.Context, names []string) (states []stateInfo, raw []json.RawMessage, missing, err error) {
	found := make(map[string]struct{ Status json.RawMessage })
	if len(names) == 0 {
		if err := c.call(ctx, http.MethodGet, "/connectors?expand=status", nil, &found); err != nil {
			return nil, nil, nil, err
		}
		names = slices.Sorted(maps.Keys(found))
	}
	raw = []json.RawMessage{}
	var absent problems
	for _, name := range names {
		text := found[name].Status
		if text == nil {
			err := c.call(ctx, http.MethodGet, connectorPath(name, "/status"), nil, &text)
			if notFound(err) {
				absent.add(err)
				continue
			}
			if err != nil {
				return nil, nil, nil, err
			}
		}
		var s stateInfo
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, nil, nil, exitWith(exitOther, fmt.Errorf("status of connector %q: %w", name, err))
		}
		states, raw = append(states, s), append(raw, text)
	}
	return states, raw, absent.orNil(), nil
}

// longestTrace is how much of a trace a cell shows.
const longestTrace = 100

func (c *client) printStates(states []stateInfo, traces bool) error {
	var rows [][]string
	var below strings.Builder
	row := func(name, task string, s instanceInfo) {
		version, trace := "", s.Trace
		if s.Version != nil {
			version = *s.Version
		}
		if traces && trace != "" {
			fmt.Fprintf(&below, "\n%s, %s:\n%s\n", name, task, strings.TrimRight(trace, "\n"))
		}
		if c.out.format != outputWide {
			trace = shorten(firstLine(trace), longestTrace)
		}
		rows = append(rows, []string{name, task, s.State, s.WorkerID, version, trace})
	}
	for _, s := range states {
		row(s.Name, "connector", s.Connector)
		for _, t := range s.Tasks {
			row(s.Name, fmt.Sprintf("task %d", t.ID), t)
		}
	}
	err := c.out.table([]column{{head: "NAME"}, {head: "INSTANCE"}, {head: "STATE"}, {head: "WORKER"}, {"VERSION", true}, {head: "TRACE"}}, rows)
	if err == nil {
		_, err = fmt.Fprint(c.out.w, below.String())
	}
	return err
}
