package cluster

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/streamlane/connect/config"
)

// NoRevision is the revision of a configuration that is not there.
const NoRevision = int64(-1)

// Desired is a connector as it shall be.
type Desired struct {
	// Props is the whole configuration.
	Props config.Props
	// Target is empty for a target state that stays as it is, and is
	// TargetStarted for a new connector.
	Target TargetState
}

// An Action says what becomes of a connector.
type Action string

// The actions of a plan.
const (
	ActionCreate    Action = "create"
	ActionUpdate    Action = "update"
	ActionDelete    Action = "delete"
	ActionUnchanged Action = "unchanged"
)

// A Change is what becomes of one connector.
type Change struct {
	Name   string
	Action Action
	// Revision is the Connector.Offset that the change was planned for;
	// NoRevision for a connector that is not there.
	Revision int64
	// Before and After are the whole configurations, secrets included; nil: none.
	Before, After config.Props
	// Target is what is wanted of the connector before and after; empty for one
	// that is not there.
	TargetBefore, TargetAfter TargetState
}

// PlanChanges compares connectors as they are with those that shall be, and
// returns what is to be done, in the order of names. With prune the connectors
// that are not desired are deleted, otherwise they are left alone and out of the
// plan.
func PlanChanges(v View, desired map[string]Desired, prune bool) []Change {
	names := slices.Collect(maps.Keys(desired))
	if prune {
		names = append(names, v.Names()...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	changes := make([]Change, len(names))
	for i, name := range names {
		d, wanted := desired[name]
		changes[i] = planChange(name, v.Connector(name), d, wanted)
	}
	return changes
}

func planChange(name string, have *Connector, d Desired, wanted bool) Change {
	c := Change{Name: name, Action: ActionUpdate, Revision: NoRevision}
	if have != nil {
		c.Revision, c.Before, c.TargetBefore = have.Offset, have.Props, have.Target
	}
	if !wanted {
		c.Action = ActionDelete
		return c
	}
	c.After, c.TargetAfter = d.Props, d.Target
	if c.TargetAfter == "" {
		c.TargetAfter = c.TargetBefore
	}
	switch {
	case have == nil:
		c.Action = ActionCreate
		if c.TargetAfter == "" {
			c.TargetAfter = TargetStarted
		}
	case !c.ConfigChanges() && !c.TargetChanges():
		c.Action = ActionUnchanged
	}
	return c
}

// ConfigChanges reports whether the change stores another configuration.
func (c *Change) ConfigChanges() bool {
	return c.After != nil && (c.Before == nil || !c.Before.Equal(c.After))
}

// TargetChanges reports whether the change asks for another target state.
func (c *Change) TargetChanges() bool {
	return c.After != nil && c.TargetAfter != c.TargetBefore && (c.Before != nil || c.TargetAfter != TargetStarted)
}

// SamePlan reports whether two plans do the same to the same revisions.
func SamePlan(a, b []Change) bool {
	return slices.EqualFunc(a, b, func(a, b Change) bool {
		return a.Name == b.Name && a.Action == b.Action && a.Revision == b.Revision &&
			a.TargetBefore == b.TargetBefore && a.TargetAfter == b.TargetAfter
	})
}

// Records returns what carries the change out. What is to pause or stop does so
// before it is configured anew, and what is to start does so afterwards.
func (c *Change) Records() []Record {
	if c.Action == ActionDelete {
		return RemoveConnector(c.Name)
	}
	var target, config []Record
	if c.TargetChanges() {
		if c.TargetAfter == TargetStopped && c.Before != nil {
			target = append(target, CommitRecord(c.Name, 0))
		}
		target = append(target, TargetStateRecord(c.Name, c.TargetAfter))
	}
	if c.ConfigChanges() {
		config = append(config, ConnectorRecord(c.Name, c.After))
	}
	if c.TargetAfter == TargetStarted {
		return append(config, target...)
	}
	return append(target, config...)
}

// A KeyChange is a key whose text differs between two configurations. A text is
// nil where the key is not there, and config.Null where it is null. As JSON it is
// an object of key, change (added, changed or removed), before and after; what is
// not there is left out.
type KeyChange struct {
	Key           string
	Before, After *string
}

// Kind returns added, changed or removed.
func (k *KeyChange) Kind() string {
	switch {
	case k.Before == nil:
		return "added"
	case k.After == nil:
		return "removed"
	}
	return "changed"
}

// keyChangeJSON is a KeyChange as JSON.
type keyChangeJSON struct {
	Key    string          `json:"key"`
	Change string          `json:"change"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// MarshalJSON writes the object.
func (k KeyChange) MarshalJSON() ([]byte, error) {
	return json.Marshal(keyChangeJSON{k.Key, k.Kind(), rawText(k.Before), rawText(k.After)})
}

// UnmarshalJSON reads the object.
func (k *KeyChange) UnmarshalJSON(data []byte) error {
	var v keyChangeJSON
	err := json.Unmarshal(data, &v)
	if err != nil {
		return err
	}
	k.Key = v.Key
	if k.Before, err = textOf(v.Before); err == nil {
		k.After, err = textOf(v.After)
	}
	return err
}

func rawText(text *string) json.RawMessage {
	switch {
	case text == nil:
		return nil
	case *text == config.Null:
		return json.RawMessage("null")
	}
	raw, err := json.Marshal(*text)
	if err != nil {
		return nil // texts always encode
	}
	return raw
}

func textOf(raw json.RawMessage) (*string, error) {
	if raw == nil {
		return nil, nil
	}
	text := config.Null
	if string(raw) != "null" {
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
	}
	return &text, nil
}

// Diff returns the keys that differ, in alphabetical order. The texts are those
// that mask makes of the two configurations, so that a secret that changed is a
// change which shows neither text; a nil mask shows everything.
func Diff(before, after config.Props, mask func(config.Props) config.Props) []KeyChange {
	if mask == nil {
		mask = config.Props.Clone
	}
	shownBefore, shownAfter := mask(before), mask(after)
	changes := []KeyChange{}
	for _, key := range before.Merge(after).Keys() {
		was, had := before[key]
		is, has := after[key]
		if had == has && was == is {
			continue
		}
		change := KeyChange{Key: key}
		if had {
			text := shownBefore[key]
			change.Before = &text
		}
		if has {
			text := shownAfter[key]
			change.After = &text
		}
		changes = append(changes, change)
	}
	return changes
}
