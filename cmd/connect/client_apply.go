package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

func applyCommand() command {
	return command{
		name: "apply", args: "[flags] DIR|FILE ...",
		summary: "makes connectors be as .json and .properties files say",
		style:   flagsAnywhere, words: []wordKind{wordFile},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			var o applyOptions
			f.BoolVar(&o.planOnly, "plan", false, "show what would change, and change nothing")
			f.BoolVar(&o.prune, "prune", false, "delete the connectors that no file has")
			f.BoolVar(&o.wait, "wait", false, "wait, as long as --timeout, until what was created or changed is RUNNING, or as it shall be")
			return flags.asking(func(ctx context.Context, cl *client, paths []string) error {
				if len(paths) == 0 {
					return usageError("apply takes folders or files of connectors, found none")
				}
				set, err := readSet(paths)
				if err != nil {
					return err
				}
				return cl.apply(ctx, set, o)
			})
		},
	}
}

type applyOptions struct{ planOnly, prune, wait bool }

// wanted is a connector as its file has it. Initial is the state that it has
// only if it is new, state the one that it shall have in any case.
type wanted struct {
	props          config.Props
	initial, state cluster.TargetState
}

// readSet reads folders and files.
func readSet(paths []string) (map[string]wanted, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, exitWith(exitOther, err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, exitWith(exitOther, err)
		}
		found := connectorFiles(path, entries)
		if len(found) == 0 {
			return nil, exitWith(exitInvalid, fmt.Errorf("%s: found no .json and no .properties files", path))
		}
		files = append(files, found...)
	}
	connectors, err := readConnectors(files)
	if err != nil {
		return nil, exitWith(exitInvalid, err)
	}
	set := make(map[string]wanted, len(connectors))
	for _, c := range connectors {
		state, err := desiredState(c.path)
		if err != nil {
			return nil, exitWith(exitInvalid, fmt.Errorf("%s: %w", c.path, err))
		}
		set[c.name] = wanted{c.props, c.target, state}
	}
	return set, nil
}

func connectorFiles(dir string, entries []fs.DirEntry) []string {
	var found []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !e.IsDir() && (ext == ".json" || ext == ".properties") && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}

// desiredState reads the member state of a file in the shape {"name", "config"}.
// It is no member of Java's, where it counts for nothing.
func desiredState(path string) (cluster.TargetState, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || object["state"] == nil {
		return "", nil
	}
	var settings map[string]json.RawMessage
	if json.Unmarshal(object["config"], &settings) != nil || settings == nil {
		return "", nil // a flat configuration, whose key it is
	}
	text, err := member(object, "state")
	if err != nil {
		return "", err
	}
	state, err := initialState(text)
	if err != nil {
		return "", errors.New(strings.Replace(err.Error(), "initial_state", "state", 1))
	}
	return state, nil
}

// changeSet is the body of POST /-/apply.
type changeSet struct {
	Connectors map[string]desired `json:"connectors"`
	Prune      bool               `json:"prune"`
	Revisions  map[string]*int64  `json:"revisions,omitempty"`
}

type desired struct {
	Config config.Props `json:"config"`
	State  string       `json:"state,omitempty"`
}

// apply plans, shows, and carries out.
func (c *client) apply(ctx context.Context, set map[string]wanted, o applyOptions) error {
	body, err := c.changeSet(ctx, set, o.prune)
	if err != nil {
		return err
	}
	var plan changePlan
	err = c.call(ctx, http.MethodPost, "/-/apply?dry_run=true", body, &plan)
	carryOut := func() error { return c.applyByWorker(ctx, body, &plan) }
	if lacks(err) {
		err = c.planHere(ctx, body, &plan)
		carryOut = func() error { return c.applyHere(ctx, &plan) }
	}
	if err != nil {
		return err
	}
	if n := plan.invalid(); n > 0 || o.planOnly || plan.changes() == 0 {
		if err := plan.show(c.out); err != nil || n == 0 {
			return err
		}
		return exitWith(exitInvalid, fmt.Errorf("%d of %d connectors are invalid; nothing was changed", n, len(plan.Connectors)))
	}
	failed := carryOut()
	if err := plan.show(c.out); err != nil {
		return err
	}
	if failed != nil || !o.wait {
		return failed
	}
	return c.awaitPlan(ctx, &plan)
}

// changeSet is the body for a set. States that are for new connectors alone are
// left out for others.
func (c *client) changeSet(ctx context.Context, set map[string]wanted, prune bool) (*changeSet, error) {
	var names []string
	if err := c.call(ctx, http.MethodGet, "/connectors", nil, &names); err != nil {
		return nil, err
	}
	body := &changeSet{Connectors: make(map[string]desired, len(set)), Prune: prune}
	for name, w := range set {
		state := w.state
		if state == "" && !slices.Contains(names, name) {
			state = w.initial
		}
		body.Connectors[name] = desired{w.props, stateWord(state)}
	}
	return body, nil
}

// applyByWorker has the worker carry out the plan that it has made, if nothing
// has moved since.
func (c *client) applyByWorker(ctx context.Context, body *changeSet, plan *changePlan) error {
	body.Revisions = make(map[string]*int64, len(plan.Connectors))
	for _, p := range plan.Connectors {
		body.Revisions[p.Name] = p.Revision
	}
	var applied changePlan
	if err := c.call(ctx, http.MethodPost, "/-/apply", body, &applied); err != nil {
		return err
	}
	*plan = applied
	return nil
}

// awaitPlan waits for what was created or changed.
func (c *client) awaitPlan(ctx context.Context, plan *changePlan) error {
	var wrong problems
	for _, p := range plan.Connectors {
		if p.Action != cluster.ActionCreate && p.Action != cluster.ActionUpdate {
			continue
		}
		state, err := initialState(textOf(p.State.After))
		if err == nil {
			_, err = c.await(ctx, p.Name, isTarget(state))
		}
		if err != nil {
			wrong.add(fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return wrong.orNil()
}

// planHere makes the plan by what any worker of Kafka Connect tells: present
// configurations and states, and the validation of what would change.
func (c *client) planHere(ctx context.Context, body *changeSet, plan *changePlan) error {
	if body.Prune && len(body.Connectors) == 0 {
		return exitWith(exitInvalid, errors.New("an empty set with --prune would delete all connectors"))
	}
	have, err := c.present(ctx)
	if err != nil {
		return err
	}
	want := make(map[string]cluster.Desired, len(body.Connectors))
	for name, d := range body.Connectors {
		state, err := initialState(d.State)
		if err != nil {
			return exitWith(exitInvalid, err)
		}
		want[name] = cluster.Desired{Props: d.Config, Target: state}
	}
	*plan = changePlan{DryRun: true, ByClient: true, Connectors: []plannedChange{}}
	for _, change := range cluster.PlanChanges(cluster.NewView(-1, have...), want, body.Prune) {
		p := plannedChange{
			Name: change.Name, Action: change.Action, Errors: []keyMessage{}, Warnings: []keyMessage{}, change: change,
			State: stateChange{wordOrNil(change.TargetBefore), wordOrNil(change.TargetAfter)},
		}
		found := newValidation()
		if change.ConfigChanges() {
			if found, err = c.validate(ctx, change.After); err != nil {
				return err
			}
		}
		p.Errors = found.errors
		if change.Before["connector.class"] != change.After["connector.class"] {
			c.addSecrets(ctx, change.Before["connector.class"], found)
		}
		p.Diff = cluster.Diff(change.Before, change.After, func(props config.Props) config.Props { return hide(props, found.secrets) })
		plan.Connectors = append(plan.Connectors, p)
	}
	return nil
}

func wordOrNil(t cluster.TargetState) *string {
	if t == "" {
		return nil
	}
	word := stateWord(t)
	return &word
}

// hide masks what looks secret, and what the plugins say is.
func hide(props config.Props, secrets map[string]bool) config.Props {
	shown := props.Masked()
	for key := range shown {
		if secrets[key] && shown[key] != config.Null && !config.HasPlaceholder(shown[key]) {
			shown[key] = config.Hidden
		}
	}
	return shown
}

// present returns the connectors that there are. A worker tells the states that
// they have and not those that are wanted; paused and stopped ones are so because
// somebody wants it.
func (c *client) present(ctx context.Context) ([]cluster.Connector, error) {
	names, found, err := c.expand(ctx, "expand=status&expand=info")
	if err != nil {
		return nil, err
	}
	var all []cluster.Connector
	for _, name := range names {
		e := found[name]
		if e.Info.Config == nil {
			if err := c.call(ctx, http.MethodGet, connectorPath(name, "/config"), nil, &e.Info.Config); err != nil {
				return nil, err
			}
		}
		k := cluster.Connector{Name: name, Props: propsOf(e.Info.Config), Target: cluster.TargetStarted}
		switch t := cluster.TargetState(e.Status.Connector.State); t {
		case cluster.TargetPaused, cluster.TargetStopped:
			k.Target = t
		}
		all = append(all, k)
	}
	return all, nil
}

func propsOf(texts map[string]*string) config.Props {
	props := make(config.Props, len(texts))
	for key, text := range texts {
		props[key] = config.Null
		if text != nil {
			props[key] = *text
		}
	}
	return props
}

// applyHere carries out a plan by single requests. What fails does not keep the
// others from it.
func (c *client) applyHere(ctx context.Context, plan *changePlan) error {
	plan.DryRun, plan.Applied = false, true
	var wrong problems
	for i := range plan.Connectors {
		p := &plan.Connectors[i]
		if p.Action == cluster.ActionUnchanged {
			continue
		}
		if err := c.carryOut(ctx, &p.change); err != nil {
			p.Failed, plan.Applied = err.Error(), false
			wrong.add(fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return wrong.orNil()
}

// carryOut makes one change, unless the configuration is no longer the one that
// it was planned for.
func (c *client) carryOut(ctx context.Context, change *cluster.Change) error {
	var now map[string]*string
	err := c.call(ctx, http.MethodGet, connectorPath(change.Name, "/config"), nil, &now)
	if err != nil && !notFound(err) {
		return err
	}
	if (now == nil) != (change.Before == nil) || now != nil && !maps.Equal(propsOf(now), change.Before) {
		return exitWith(exitConflict, errors.New("it was changed meanwhile; plan again"))
	}
	switch change.Action {
	case cluster.ActionDelete:
		return c.call(ctx, http.MethodDelete, connectorPath(change.Name, ""), nil, nil)
	case cluster.ActionCreate:
		body := createRequest{Name: change.Name, Config: change.After}
		if change.TargetAfter != cluster.TargetStarted { // which older workers do not know
			body.InitialState = stateWord(change.TargetAfter)
		}
		return c.call(ctx, http.MethodPost, "/connectors", body, nil)
	}
	return c.update(ctx, change)
}

// update configures a connector anew, and asks for another state.
func (c *client) update(ctx context.Context, change *cluster.Change) error {
	configure := func() error {
		if !change.ConfigChanges() {
			return nil
		}
		return c.call(ctx, http.MethodPut, connectorPath(change.Name, "/config"), change.After, nil)
	}
	retarget := func() error {
		if !change.TargetChanges() {
			return nil
		}
		verb := map[cluster.TargetState]string{cluster.TargetStarted: "/resume", cluster.TargetPaused: "/pause", cluster.TargetStopped: "/stop"}
		return c.call(ctx, http.MethodPut, connectorPath(change.Name, verb[change.TargetAfter]), nil, nil)
	}
	steps := []func() error{retarget, configure} // what is to stop does so first
	if change.TargetAfter == cluster.TargetStarted {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
