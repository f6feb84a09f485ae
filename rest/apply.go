package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// changePlan is a connect.ChangePlan.
type changePlan struct {
	Applied bool `json:"applied"`
	DryRun  bool `json:"dry_run"`
	// Position of the config log; null for one without records.
	Position   *int64          `json:"position"`
	Connectors []plannedChange `json:"connectors"`
}

type plannedChange struct {
	Name   string         `json:"name"`
	Action cluster.Action `json:"action"`
	// Revision that the change is for; null for a connector that is not there.
	Revision *int64              `json:"revision"`
	State    stateChange         `json:"state"`
	Diff     []cluster.KeyChange `json:"diff"`
	Errors   []keyMessage        `json:"errors"`
	Warnings []keyMessage        `json:"warnings"`
}

// stateChange has target states in the words of initial_state; null for a
// connector that is not there.
type stateChange struct {
	Before *string `json:"before"`
	After  *string `json:"after"`
}

type keyMessage struct {
	Key     string `json:"key"`
	Message string `json:"message"`
}

func showPlan(p connect.ChangePlan, dryRun bool) changePlan {
	shown := changePlan{Applied: p.Applied, DryRun: dryRun, Position: shownRevision(p.Position), Connectors: make([]plannedChange, len(p.Changes))}
	for i, c := range p.Changes {
		shown.Connectors[i] = plannedChange{
			Name: c.Name, Action: c.Action, Revision: shownRevision(c.Revision),
			State: stateChange{targetWord(c.TargetBefore), targetWord(c.TargetAfter)},
			Diff:  c.Diff, Errors: showMessages(c.Errors), Warnings: showMessages(c.Warnings),
		}
	}
	return shown
}

func showMessages(all []connect.KeyMessage) []keyMessage {
	shown := make([]keyMessage, len(all))
	for i, m := range all {
		shown[i] = keyMessage(m)
	}
	return shown
}

// targetWord is a target state as initial_state has it; nil for none.
func targetWord(t cluster.TargetState) *string {
	word := string(t)
	switch t {
	case "":
		return nil
	case cluster.TargetStarted:
		word = "RUNNING"
	}
	return &word
}

// apply is POST /-/apply.
func (s *server) apply(ctx context.Context, c *call) (answer, error) {
	set, err := parseChangeSet(c.body)
	if err != nil {
		return answer{}, err
	}
	set.DryRun = c.flag("dry_run", false)
	plan, err := s.rt.Apply(ctx, set)
	return planned(plan, set.DryRun, err)
}

// planned answers with a plan. A conflict is told in its own words, not in those
// for a rebalance.
func planned(plan connect.ChangePlan, dryRun bool, err error) (answer, error) {
	if errors.Is(err, connect.ErrConflict) {
		return answer{}, failure(http.StatusConflict, err, "%s", err.Error())
	}
	if err != nil {
		return answer{}, err
	}
	return ok(showPlan(plan, dryRun))
}

func parseChangeSet(body []byte) (set connect.ChangeSet, err error) {
	set, err = readChangeSet(body)
	return set, oursToSay(err)
}

func readChangeSet(body []byte) (set connect.ChangeSet, err error) {
	const entity = "ChangeSet"
	fields, err := parseObject(body, entity)
	if err != nil {
		return set, err
	}
	if err := knownOnly(fields, entity, "connectors", "prune", "revisions"); err != nil {
		return set, err
	}
	connectors, isObject := fields["connectors"].(map[string]any)
	if !isObject {
		return set, badRequest("The field connectors has to be an object: connectors by name, each with its config")
	}
	set.Connectors = make(map[string]cluster.Desired, len(connectors))
	for name, v := range connectors {
		if set.Connectors[name], err = parseDesired(name, v); err != nil {
			return set, err
		}
	}
	switch prune := fields["prune"].(type) {
	case nil:
	case bool:
		set.Prune = prune
	default:
		return set, badRequest("The field prune has to be true or false")
	}
	if v := fields["revisions"]; v != nil {
		set.Revisions, err = parseRevisions(v)
	}
	return set, err
}

func parseDesired(name string, v any) (d cluster.Desired, err error) {
	fields, isObject := v.(map[string]any)
	if !isObject {
		return d, badRequest("Connector %s: found a JSON %s, an object with a config is expected", name, strings.ToLower(jsonKind(v)))
	}
	if err := knownOnly(fields, "Connector "+name, "config", "state"); err != nil {
		return d, err
	}
	if _, isObject := fields["config"].(map[string]any); !isObject {
		return d, badRequest("Connector %s: the field config has to be an object of texts", name)
	}
	if d.Props, err = props(fields["config"]); err != nil {
		return d, err
	}
	word, given, err := text(fields["state"])
	if err != nil || !given {
		return d, err
	}
	switch word = strings.ToUpper(word); word {
	case "RUNNING":
		d.Target = cluster.TargetStarted
	case string(cluster.TargetPaused), string(cluster.TargetStopped):
		d.Target = cluster.TargetState(word)
	default:
		return d, badRequest("Connector %s: state: %q is none of RUNNING, PAUSED, STOPPED", name, word)
	}
	return d, nil
}

func parseRevisions(v any) (map[string]int64, error) {
	fields, isObject := v.(map[string]any)
	if !isObject {
		return nil, badRequest("The field revisions has to be an object: the revision of each connector, null for one that is not there")
	}
	revisions := make(map[string]int64, len(fields))
	for name, v := range fields {
		revisions[name] = cluster.NoRevision
		if v == nil {
			continue
		}
		number, isNumber := v.(json.Number)
		n, err := number.Int64()
		if !isNumber || err != nil || n < 0 {
			return nil, badRequest("The revision of connector %s is %s, a number or null is expected", name, shown(v))
		}
		revisions[name] = n
	}
	return revisions, nil
}
