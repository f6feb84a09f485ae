package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// connectorError is an error that a worker remembers.
type connectorError struct {
	WorkerID string `json:"worker_id"`
	Number   int64  `json:"number"`
	Time     int64  `json:"time"`
	Count    int    `json:"count"`
	Task     *int   `json:"task"`
	Outcome  string `json:"outcome"`
	Stage    string `json:"stage"`
	Plugin   string `json:"plugin"`
	At       string `json:"at"`
	Message  string `json:"message"`
}

// connectorErrors are those of all workers that were asked.
type connectorErrors struct {
	Name    string           `json:"name"`
	Errors  []connectorError `json:"errors"`
	Missing []missingWorker  `json:"missing"`
}

type missingWorker struct {
	WorkerID string `json:"worker_id"`
	Message  string `json:"message"`
}

func logsCommand() command {
	return command{
		name: "logs", args: "[flags] NAME", summary: "shows the last errors of a connector, as far as its workers remember them",
		style: flagsAnywhere, words: []wordKind{wordName, wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			var follow bool
			f.BoolVar(&follow, "follow", false, "go on showing new errors until interrupted")
			f.BoolVar(&follow, "f", false, "short for --follow")
			every := f.Duration("every", 2*time.Second, "with --follow: look for new errors at this `interval`")
			limit := f.Int("limit", 0, "show no more than this `number`, the newest; 0: all")
			return func(ctx context.Context, p process, args []string) error {
				if len(args) != 1 || *limit < 0 {
					return usageError("logs takes the name of one connector, and a --limit that is not negative")
				}
				cl, err := flags.connect(p)
				if err != nil {
					return err
				}
				l := &logView{client: cl, path: "/-" + connectorPath(args[0], "/errors"), every: *every, seen: make(map[errorID]bool)}
				if *limit > 0 {
					l.path += fmt.Sprintf("?limit=%d", *limit)
				}
				return sayLacks(l.run(ctx, follow), "keep errors")
			}
		},
	}
}

// A logView shows errors, each once.
type logView struct {
	*client
	path    string
	every   time.Duration
	seen    map[errorID]bool
	missing map[string]bool
}

// errorID tells errors apart: numbers begin anew with a worker.
type errorID struct {
	worker       string
	number, time int64
}

// run shows the errors, and with follow those to come until ctx ends.
func (l *logView) run(ctx context.Context, follow bool) error {
	for first := true; ; first = false {
		found, err := l.fetch(ctx)
		switch {
		case ctx.Err() != nil:
			return nil // interrupted, which is how it ends
		case err != nil && (first || lacks(err) || notFound(err)):
			return err
		case err != nil:
			fmt.Fprintf(l.errors, "connect logs: %v; trying again\n", err)
		case !follow:
			return l.show(found)
		default:
			if err := l.showNew(found); err != nil {
				return err
			}
		}
		if pause(ctx, l.every) != nil {
			return nil
		}
	}
}

// fetch asks once, within --timeout.
func (l *logView) fetch(ctx context.Context) (*connectorErrors, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.timeout, fmt.Errorf("no answer within --timeout %v", l.timeout))
	defer cancel()
	var found connectorErrors
	err := l.call(ctx, http.MethodGet, l.path, nil, &found)
	return &found, err
}

func (l *logView) show(found *connectorErrors) error {
	if l.out.isJSON() {
		return l.out.json(found)
	}
	return l.showNew(found)
}

// showNew shows the errors that were not there the last time; as JSON one a line.
func (l *logView) showNew(found *connectorErrors) error {
	now := make(map[errorID]bool, len(found.Errors))
	for i := range found.Errors {
		e := &found.Errors[i]
		id := errorID{e.WorkerID, e.Number, e.Time}
		now[id] = true
		if l.seen[id] {
			continue
		}
		if err := l.print(e); err != nil {
			return err
		}
	}
	l.seen = now
	missing := make(map[string]bool, len(found.Missing))
	for _, m := range found.Missing {
		if missing[m.WorkerID] = true; !l.missing[m.WorkerID] {
			fmt.Fprintf(l.errors, "connect logs: worker %s does not tell its errors: %s\n", m.WorkerID, m.Message)
		}
	}
	l.missing = missing
	return nil
}

func (l *logView) print(e *connectorError) error {
	if l.out.isJSON() {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = fmt.Fprintf(l.out.w, "%s\n", line)
		}
		return err
	}
	_, err := fmt.Fprintln(l.out.w, e.line())
	return err
}

// line is an error for people: when, where, what became of it, why.
func (e *connectorError) line() string {
	task := "connector"
	if e.Task != nil {
		task = fmt.Sprintf("task %d", *e.Task)
	}
	parts := []string{instant(&e.Time), e.WorkerID, task, strings.ToUpper(e.Outcome)}
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("x%d", e.Count))
	}
	if e.Stage != "" {
		parts = append(parts, e.Stage)
	}
	if e.Plugin != "" {
		parts = append(parts, "by "+e.Plugin)
	}
	if e.At != "" {
		parts = append(parts, "at "+e.At)
	}
	return strings.Join(parts, " ") + ": " + indented(strings.TrimRight(e.Message, "\n"))
}
