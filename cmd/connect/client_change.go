package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// A result is what became of one connector, and its JSON.
type result struct {
	Name   string `json:"name"`
	Action string `json:"action"`
	OK     bool   `json:"ok"`
	// State is that of the connector after --wait.
	State string `json:"state,omitempty"`
	Error string `json:"error,omitempty"`
}

// doneWord says for people that the worker has taken an action on.
func doneWord(action string) string {
	switch action {
	case "create":
		return "created"
	case "delete":
		return "deleted"
	case "stop":
		return "stopping"
	}
	return map[string]string{"pause": "pausing", "resume": "resuming", "restart": "restarting"}[action]
}

// each carries an action out for several connectors, and prints what became of
// each. One that fails does not keep the others from it; the error tells of all.
func (c *client) each(names []string, action string, do func(name string) (state string, err error)) error {
	results := make([]result, len(names))
	var wrong problems
	for i, name := range names {
		r := result{Name: name, Action: action, OK: true}
		state, err := do(name)
		r.State = state
		if err != nil {
			r.OK, r.Error = false, err.Error()
			wrong.add(fmt.Errorf("%s: %w", name, err))
		}
		results[i] = r
		if r.OK && !c.out.isJSON() {
			fmt.Fprintf(c.out.w, "%s: %s\n", name, firstOf(r.State, doneWord(action)))
		}
	}
	if c.out.isJSON() {
		if err := c.out.json(results); err != nil {
			return err
		}
	}
	return wrong.orNil()
}

// changeCommand makes a command that does one thing to several connectors.
func changeCommand(name, summary string, more func(f *flag.FlagSet) changer) command {
	return command{
		name: name, args: "[flags] NAME ...", summary: summary, style: flagsAnywhere, words: []wordKind{wordName},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			change := more(f)
			return flags.asking(func(ctx context.Context, cl *client, names []string) error {
				if len(names) == 0 {
					return usageError("%s takes the names of connectors, found none", name)
				}
				return cl.each(names, name, func(name string) (string, error) { return change(ctx, cl, name) })
			})
		},
	}
}

// A changer changes a connector; the state is known if it has waited for one.
type changer func(ctx context.Context, cl *client, name string) (state string, err error)

// waitFlag declares --wait.
func waitFlag(f *flag.FlagSet, forWhat string) *bool {
	return f.Bool("wait", false, "wait, as long as --timeout, until "+forWhat)
}

// putting is a changer that is one PUT request.
func putting(f *flag.FlagSet, rest, forWhat string, reached func(*stateInfo) bool) changer {
	wait := waitFlag(f, forWhat)
	return func(ctx context.Context, cl *client, name string) (string, error) {
		err := cl.call(ctx, http.MethodPut, connectorPath(name, rest), nil, nil)
		if err != nil || !*wait {
			return "", err
		}
		return cl.await(ctx, name, reached)
	}
}

func pauseCommand() command {
	return changeCommand("pause", "suspends connectors and their tasks, which keep what they hold", func(f *flag.FlagSet) changer {
		return putting(f, "/pause", "connector and tasks are PAUSED", everywhere("PAUSED"))
	})
}

func resumeCommand() command {
	return changeCommand("resume", "goes on after pause or stop", func(f *flag.FlagSet) changer {
		return putting(f, "/resume", "connector and tasks are RUNNING", isRunning)
	})
}

func stopCommand() command {
	return changeCommand("stop", "ends connectors and their tasks; configurations and offsets stay", func(f *flag.FlagSet) changer {
		return putting(f, "/stop", "the connector is STOPPED and has no tasks", isStopped)
	})
}

func deleteCommand() command {
	return changeCommand("delete", "deletes connectors; their offsets stay", func(*flag.FlagSet) changer {
		return func(ctx context.Context, cl *client, name string) (string, error) {
			return "", cl.call(ctx, http.MethodDelete, connectorPath(name, ""), nil, nil)
		}
	})
}

func restartCommand() command {
	return changeCommand("restart", "restarts connectors, their tasks too if asked for", func(f *flag.FlagSet) changer {
		wait := waitFlag(f, "connector and tasks are RUNNING again")
		tasks := f.Bool("include-tasks", false, "restart the tasks too, and not the connector instance alone")
		failed := f.Bool("only-failed", false, "leave alone what is not FAILED")
		task := f.Int("task", -1, "restart this task alone, by its `number`")
		return func(ctx context.Context, cl *client, name string) (string, error) {
			rest := fmt.Sprintf("/restart?includeTasks=%t&onlyFailed=%t", *tasks, *failed)
			switch {
			case *task >= 0 && (*tasks || *failed):
				return "", usageError("--task goes without --include-tasks and --only-failed")
			case *task >= 0:
				rest = fmt.Sprintf("/tasks/%d/restart", *task)
			}
			var before stateInfo
			if *wait {
				if err := cl.call(ctx, http.MethodGet, connectorPath(name, "/status"), nil, &before); err != nil {
					return "", err
				}
			}
			err := cl.call(ctx, http.MethodPost, connectorPath(name, rest), nil, nil)
			if err != nil || !*wait {
				return "", err
			}
			cl.awaitMove(ctx, &before)
			return cl.await(ctx, name, isRunning)
		}
	})
}

func createCommand() command {
	return command{
		name: "create", args: "[flags] FILE ...", summary: "creates the connectors of .json and .properties files",
		style: flagsAnywhere, words: []wordKind{wordFile},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			wait := waitFlag(f, "connectors and tasks are RUNNING, or as the file has them begin")
			return flags.asking(func(ctx context.Context, cl *client, paths []string) error {
				if len(paths) == 0 {
					return usageError("create takes files of connectors, found none")
				}
				files, err := readConnectors(paths)
				if err != nil {
					return exitWith(exitInvalid, err)
				}
				return cl.create(ctx, files, *wait)
			})
		},
	}
}

// createRequest is the body of a request to create a connector.
type createRequest struct {
	Name         string       `json:"name"`
	Config       config.Props `json:"config"`
	InitialState string       `json:"initial_state,omitempty"`
}

// create creates connectors.
func (c *client) create(ctx context.Context, files []connectorFile, wait bool) error {
	names := make([]string, len(files))
	byName := make(map[string]connectorFile, len(files))
	for i, f := range files {
		names[i], byName[f.name] = f.name, f
	}
	return c.each(names, "create", func(name string) (string, error) {
		f := byName[name]
		body := createRequest{name, f.props, stateWord(f.target)}
		err := c.call(ctx, http.MethodPost, "/connectors", body, new(json.RawMessage))
		if err != nil || !wait {
			return "", err
		}
		return c.await(ctx, name, isTarget(f.target))
	})
}

// stateWord is a target state as requests have it; "" for none.
func stateWord(t cluster.TargetState) string {
	if t == cluster.TargetStarted {
		return "RUNNING"
	}
	return string(t)
}
