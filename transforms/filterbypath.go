package transforms

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/jsonpath"
)

// A filterType says which records stay.
type filterType string

const (
	includeMatches filterType = "include"
	excludeMatches filterType = "exclude"
)

// A missingBehavior says what becomes of records without the field that a condition is about.
type missingBehavior string

const (
	failMissing    missingBehavior = "fail"
	includeMissing missingBehavior = "include"
	excludeMissing missingBehavior = "exclude"
)

// A FilterByPathConfig configures FilterByPath.
type FilterByPathConfig struct {
	// Condition is a JSONPath.
	Condition string

	kind    filterType
	missing missingBehavior
}

// Describe declares the keys of io.confluent.connect.transforms.Filter.
func (c *FilterByPathConfig) Describe(d *config.Def) {
	config.String(d, &c.Condition, "filter.condition").Importance(config.High).Check(validPath()).
		Doc("JSONPath. Records match for which it finds something, as $[?(@.age > 17 && @.city == 'Bern')] does.")
	config.EnumFold(d, &c.kind, "filter.type", includeMatches, excludeMatches).Importance(config.High).
		Doc("include keeps records that match and drops all others, exclude the other way round.")
	config.EnumFold(d, &c.missing, "missing.or.null.behavior", failMissing, includeMissing, excludeMissing).Default(failMissing).Importance(config.Medium).
		Doc("What becomes of records without something, or with null, on the way to the first step of the path that may lead to several values: " +
			"fail fails, include keeps them, exclude drops them. In [?()] such fields just do not match.")
}

// validPath checks a JSONPath.
func validPath() config.Check[string] {
	return config.CheckFunc("JSONPath", func(text string) error {
		_, err := jsonpath.Compile(text)
		return err
	})
}

// filterByPath is FilterByPath.
type filterByPath struct {
	side    side
	c       FilterByPathConfig
	path    *jsonpath.Path
	include bool
}

func newFilterByPath(c FilterByPathConfig, s side) (*filterByPath, error) {
	path, err := jsonpath.Compile(c.Condition)
	return &filterByPath{s, c, path, c.kind == includeMatches}, err
}

// Apply keeps or drops the record.
func (t *filterByPath) Apply(_ context.Context, r *connect.Record) (bool, error) {
	v := t.side.of(r).Value
	found, missing, err := t.path.Find(v)
	if err != nil {
		return false, fmt.Errorf("configuration filter.condition: %w", err)
	}
	if !missing && !v.IsNull() {
		return len(found) > 0 == t.include, nil
	}
	switch t.c.missing {
	case includeMissing:
		return true, nil
	case excludeMissing:
		return false, nil
	}
	return false, dataError("the %s has nothing, or null, on the way of %s (configuration missing.or.null.behavior=fail)",
		t.side.lower(), t.path)
}
