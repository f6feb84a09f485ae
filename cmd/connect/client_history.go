package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

func historyCommand() command {
	return command{
		name: "history", args: "[flags] [NAME [REVISION]]",
		summary: "shows earlier configurations of a connector, as far as the cluster remembers them; without a NAME of which connectors",
		style:   flagsAnywhere, words: []wordKind{wordName, wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			diff := f.Bool("diff", false, "show what differs between REVISION and --to")
			to := f.Int64("to", -1, "with --diff: the other `revision`; the newest if left out")
			return flags.asking(func(ctx context.Context, cl *client, args []string) error {
				return cl.history(ctx, args, *diff, *to)
			})
		},
	}
}

func (c *client) history(ctx context.Context, args []string, diff bool, to int64) error {
	switch {
	case len(args) > 2:
		return usageError("history takes a name and a revision, found %d arguments", len(args))
	case len(args) < 2 && diff, to >= 0 && !diff:
		return usageError("history takes --diff with a revision, and --to with --diff")
	case len(args) == 0:
		return sayLacks(c.histories(ctx), "remember configurations")
	case len(args) == 1:
		return sayLacks(c.revisions(ctx, args[0]), "remember configurations")
	}
	revision, err := parseRevision(args[1])
	if err != nil {
		return err
	}
	path := historyPath(args[0], revision, "")
	if !diff {
		return sayLacks(c.revision(ctx, path), "remember configurations")
	}
	path += "/diff"
	if to >= 0 {
		path += fmt.Sprintf("?to=%d", to)
	}
	return sayLacks(c.diff(ctx, path), "remember configurations")
}

func parseRevision(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, usageError("found the revision %q, want a number", text)
	}
	return n, nil
}

func historyPath(name string, revision int64, rest string) string {
	return fmt.Sprintf("/-%s/%d%s", connectorPath(name, "/history"), revision, rest)
}

// sayLacks gives the error about a worker that does not know an endpoint words
// that say so.
func sayLacks(err error, what string) error {
	if !lacks(err) {
		return err
	}
	return exitWith(exitLacks, fmt.Errorf("this worker does not %s; Java's workers do not", what))
}

// histories prints of which connectors configurations are remembered.
func (c *client) histories(ctx context.Context) error {
	var found []struct {
		Name      string `json:"name"`
		Revisions int    `json:"revisions"`
		Deleted   bool   `json:"deleted"`
	}
	if err := c.call(ctx, http.MethodGet, "/-/history", nil, &found); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(found)
	}
	rows := make([][]string, len(found))
	for i, h := range found {
		deleted := ""
		if h.Deleted {
			deleted = "deleted"
		}
		rows[i] = []string{h.Name, strconv.Itoa(h.Revisions), deleted}
	}
	return c.out.table([]column{{head: "NAME"}, {head: "REVISIONS"}, {head: "DELETED"}}, rows)
}

// revisionEntry is one line of a history.
type revisionEntry struct {
	Revision int64               `json:"revision"`
	Time     *int64              `json:"time"`
	Deleted  bool                `json:"deleted"`
	Diff     []cluster.KeyChange `json:"diff"`
}

// changed says for people what a revision changed.
func (r *revisionEntry) changed() string {
	switch {
	case r.Deleted:
		return "deleted"
	case r.Diff == nil:
		return "(the oldest that is remembered)"
	}
	keys := make([]string, len(r.Diff))
	for i, d := range r.Diff {
		keys[i] = signOf(d.Kind()) + d.Key
	}
	return shorten(strings.Join(keys, " "), longestTrace)
}

// revisions prints the history of a connector.
func (c *client) revisions(ctx context.Context, name string) error {
	var found struct {
		Name      string          `json:"name"`
		Revisions []revisionEntry `json:"revisions"`
	}
	if err := c.call(ctx, http.MethodGet, "/-"+connectorPath(name, "/history"), nil, &found); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(found)
	}
	rows := make([][]string, len(found.Revisions))
	for i, r := range found.Revisions {
		rows[i] = []string{fmt.Sprint(r.Revision), instant(r.Time), r.changed()}
	}
	return c.out.table([]column{{head: "REVISION"}, {head: "TIME"}, {head: "CHANGED"}}, rows)
}

// revision prints a configuration, as a properties file.
func (c *client) revision(ctx context.Context, path string) error {
	var found struct {
		Name     string             `json:"name"`
		Revision int64              `json:"revision"`
		Time     *int64             `json:"time"`
		Deleted  bool               `json:"deleted"`
		Config   map[string]*string `json:"config"`
	}
	if err := c.call(ctx, http.MethodGet, path, nil, &found); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(found)
	}
	when := instant(found.Time)
	if found.Deleted {
		when += ", deleted"
	}
	fmt.Fprintf(c.out.w, "# revision %d of %s, %s\n", found.Revision, found.Name, when)
	props := propsOf(found.Config)
	for _, key := range props.Keys() {
		if props[key] == config.Null {
			fmt.Fprintf(c.out.w, "# %s is null\n", key)
			delete(props, key)
		}
	}
	return props.WriteProperties(c.out.w)
}

// diff prints what differs between two revisions.
func (c *client) diff(ctx context.Context, path string) error {
	var found struct {
		Name string              `json:"name"`
		From int64               `json:"from"`
		To   int64               `json:"to"`
		Diff []cluster.KeyChange `json:"diff"`
	}
	if err := c.call(ctx, http.MethodGet, path, nil, &found); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(found)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "~ %s (revision %d -> %d)\n", found.Name, found.From, found.To)
	for i := range found.Diff {
		showKey(&b, &found.Diff[i])
	}
	_, err := fmt.Fprint(c.out.w, b.String())
	return err
}

func rollbackCommand() command {
	return command{
		name: "rollback", args: "[flags] NAME REVISION", summary: "gives a connector an earlier configuration again",
		style: flagsAnywhere, words: []wordKind{wordName, wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			planOnly := f.Bool("plan", false, "show what would change, and change nothing")
			wait := waitFlag(f, "connector and tasks are RUNNING, or as they shall be")
			return flags.asking(func(ctx context.Context, cl *client, args []string) error {
				if len(args) != 2 {
					return usageError("rollback takes a name and a revision, found %d arguments", len(args))
				}
				revision, err := parseRevision(args[1])
				if err != nil {
					return err
				}
				return sayLacks(cl.rollback(ctx, args[0], revision, *planOnly, *wait), "remember configurations")
			})
		},
	}
}

func (c *client) rollback(ctx context.Context, name string, revision int64, planOnly, wait bool) error {
	var plan changePlan
	path := historyPath(name, revision, fmt.Sprintf("/rollback?dry_run=%t", planOnly))
	if err := c.call(ctx, http.MethodPost, path, nil, &plan); err != nil {
		return err
	}
	if err := plan.show(c.out); err != nil {
		return err
	}
	switch {
	case plan.invalid() > 0:
		return exitWith(exitInvalid, fmt.Errorf("revision %d of %s is invalid today", revision, name))
	case wait && plan.Applied:
		return c.awaitPlan(ctx, &plan)
	}
	return nil
}
