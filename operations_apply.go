package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// planAttempts is how often Apply plans anew when the configuration moves under
// its hands.
const planAttempts = 5

// A ChangeSet is a set of connectors as they shall be, for Runtime.Apply.
type ChangeSet struct {
	// Connectors by name. The name in their configurations may be left out.
	Connectors map[string]cluster.Desired
	// Prune deletes the connectors that are not in the set. It needs a set that is
	// not empty.
	Prune bool
	// Revisions, unless nil, are those that the changes were planned for, as
	// cluster.Change.Revision has them. Apply fails with ErrConflict if a
	// connector is at another by now, or if it would change one that is not
	// listed.
	Revisions map[string]int64
	// DryRun has Apply return the plan and write nothing.
	DryRun bool
}

// A ChangePlan is what Apply has done, or would do.
type ChangePlan struct {
	// Position of the config log that the plan was made at: the offset after the
	// last record, or -1.
	Position int64
	// Changes are in the order of names.
	Changes []PlannedChange
	// Applied says that the changes are stored.
	Applied bool
}

// An InvalidPlanError says that nothing was written, because some of the
// configurations are wrong. It wraps ErrBadRequest.
type InvalidPlanError struct{ Plan ChangePlan }

func (e *InvalidPlanError) Error() string {
	invalid := e.Plan.Invalid()
	var b strings.Builder
	fmt.Fprintf(&b, "nothing was changed, for %d of %d connectors are invalid:", len(invalid), len(e.Plan.Changes))
	for _, c := range invalid {
		for _, m := range c.Errors {
			fmt.Fprintf(&b, "\nconnector %q: %s", c.Name, m)
		}
	}
	return b.String()
}

// Unwrap returns ErrBadRequest.
func (e *InvalidPlanError) Unwrap() error { return ErrBadRequest }

// A PlannedChange is what becomes of one connector.
type PlannedChange struct {
	cluster.Change
	// Diff of the configurations, secrets masked.
	Diff []cluster.KeyChange
	// Errors are what is wrong with the configuration, if it would change.
	Errors []KeyMessage
	// Warnings are what is odd about it: keys that are not known or have no
	// effect.
	Warnings []KeyMessage
}

// A KeyMessage is about one key of a configuration, or, with an empty Key, about
// the whole. It holds no secrets.
type KeyMessage struct{ Key, Message string }

// String returns KEY: MESSAGE, or the message alone.
func (m KeyMessage) String() string {
	if m.Key == "" {
		return m.Message
	}
	return m.Key + ": " + m.Message
}

// Invalid returns the changes with errors.
func (p *ChangePlan) Invalid() []PlannedChange {
	return slices.DeleteFunc(slices.Clone(p.Changes), func(c PlannedChange) bool { return len(c.Errors) == 0 })
}

// Apply makes the connectors be as the set says: it creates, configures, pauses,
// resumes, stops and, with Prune, deletes. What is as it shall be is left alone.
//
// All configurations that would change are validated first. If one is wrong
// nothing is written, and the error is an *InvalidPlanError. Otherwise everything
// is written at once, in one transaction where the config store has them. Only
// the leader can do it, or plan it.
func (rt *Runtime) Apply(ctx context.Context, set ChangeSet) (ChangePlan, error) {
	if set.Prune && len(set.Connectors) == 0 {
		return ChangePlan{}, fmt.Errorf("%w: an empty set with prune would delete all connectors", ErrBadRequest)
	}
	for range planAttempts {
		plan, err := rt.planChanges(ctx, &set)
		if err != nil || set.DryRun {
			return plan, err
		}
		if len(plan.Invalid()) > 0 {
			return plan, &InvalidPlanError{plan}
		}
		err = rt.carryOutPlan(ctx, &set, &plan)
		if !errors.Is(err, errPlanMoved) || set.Revisions != nil {
			plan.Applied = err == nil
			return plan, err
		}
	}
	return ChangePlan{}, fmt.Errorf("%w: %d times the configuration changed while the changes were made ready", ErrConflict, planAttempts)
}

// errPlanMoved: the configuration is no longer what the plan was made for.
var errPlanMoved = fmt.Errorf("%w: connectors were changed meanwhile; plan again", ErrConflict)

// planChanges makes the plan by the newest configuration.
func (rt *Runtime) planChanges(ctx context.Context, set *ChangeSet) (ChangePlan, error) {
	if _, err := rt.view(ctx); err != nil {
		return ChangePlan{}, err
	}
	if _, err := rt.leader(ctx); err != nil {
		return ChangePlan{}, err
	}
	view, err := rt.view(ctx)
	if err != nil {
		return ChangePlan{}, err
	}
	desired, wrong := named(set.Connectors)
	changes := cluster.PlanChanges(view, desired, set.Prune)
	if err := checkRevisions(changes, view, set.Revisions); err != nil {
		return ChangePlan{}, err
	}
	plan := ChangePlan{Position: view.Position, Changes: make([]PlannedChange, len(changes))}
	for i, c := range changes {
		p := PlannedChange{Change: c, Diff: rt.Diff(c.Before, c.After)}
		switch found, isWrong := wrong[c.Name]; {
		case isWrong:
			p.Errors = []KeyMessage{found}
		case c.ConfigChanges():
			if p.Errors, p.Warnings, err = rt.findings(ctx, c.After); err != nil {
				return ChangePlan{}, err
			}
		}
		plan.Changes[i] = p
	}
	return plan, nil
}

// named puts the names of connectors into their configurations, and says what is
// wrong with which before any validation.
func named(all map[string]cluster.Desired) (desired map[string]cluster.Desired, wrong map[string]KeyMessage) {
	desired, wrong = maps.Clone(all), make(map[string]KeyMessage)
	for name, d := range all {
		props, err := withName(name, d.Props)
		if err != nil {
			wrong[name] = KeyMessage{"name", err.Error()}
			continue
		}
		if d.Target != "" {
			if _, err := cluster.ParseTargetState(string(d.Target)); err != nil {
				wrong[name] = KeyMessage{"", err.Error()}
				continue
			}
		}
		desired[name] = cluster.Desired{Props: props, Target: d.Target}
	}
	return desired, wrong
}

// checkRevisions holds the changes against the revisions that they were planned
// for.
func checkRevisions(changes []cluster.Change, view cluster.View, planned map[string]int64) error {
	if planned == nil {
		return nil
	}
	var moved []string
	for _, name := range slices.Sorted(maps.Keys(planned)) {
		now := cluster.NoRevision
		if c := view.Connector(name); c != nil {
			now = c.Offset
		}
		if now != planned[name] {
			moved = append(moved, fmt.Sprintf("connector %q: planned for %s, found %s", name, revisionName(planned[name]), revisionName(now)))
		}
	}
	for _, c := range changes {
		if _, listed := planned[c.Name]; !listed && c.Action != cluster.ActionUnchanged {
			moved = append(moved, fmt.Sprintf("connector %q: not in the plan", c.Name))
		}
	}
	if len(moved) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errPlanMoved, strings.Join(moved, "; "))
}

func revisionName(revision int64) string {
	if revision == cluster.NoRevision {
		return "no connector"
	}
	return fmt.Sprintf("revision %d", revision)
}

// findings validates a configuration. The error is that ctx ended.
func (rt *Runtime) findings(ctx context.Context, props config.Props) (wrong, odd []KeyMessage, err error) {
	result, err := rt.Validate(ctx, props)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		message := KeyMessage{Message: err.Error()}
		if key, ok := errors.AsType[*config.KeyError](err); ok {
			message = KeyMessage{key.Key, key.Err.Error()}
		}
		wrong = append(wrong, message)
	}
	for _, c := range result.Configs {
		for _, text := range c.Value.Errors {
			wrong = append(wrong, KeyMessage{c.Value.Name, text})
		}
	}
	for _, r := range rt.remarks(props) {
		odd = append(odd, KeyMessage{r.key, r.text()})
	}
	redact := rt.redacted(ctx, props)
	for i := range wrong {
		wrong[i].Message = redact.Redact(wrong[i].Message)
	}
	return wrong, odd, nil
}

// carryOutPlan writes the plan, if it is still the one to make.
func (rt *Runtime) carryOutPlan(ctx context.Context, set *ChangeSet, plan *ChangePlan) error {
	planned := make([]cluster.Change, len(plan.Changes))
	var records []cluster.Record
	for i, c := range plan.Changes {
		planned[i] = c.Change
		if c.Action != cluster.ActionUnchanged {
			records = append(records, c.Records()...)
		}
	}
	if len(records) == 0 {
		return nil
	}
	desired, _ := named(set.Connectors)
	err := rt.change(ctx, func(l Leadership, view cluster.View) error {
		if !cluster.SamePlan(planned, cluster.PlanChanges(view, desired, set.Prune)) {
			return errPlanMoved
		}
		return appendRecords(ctx, l, records)
	})
	if err != nil {
		return err
	}
	for _, c := range planned {
		if c.ConfigChanges() {
			rt.remark(ctx, c.Name, c.After)
		}
	}
	return nil
}
