package expression

import (
	"context"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// version of the plugins.
const version = "1.0.0"

// All returns the transforms and the predicate.
func All() []connect.Plugin {
	return []connect.Plugin{
		setter(keySide), setter(valueSide),
		connect.Transformer(connect.Info{
			Class: "ExpressionFilter", Version: version, Doc: "Keeps records for which an expression of CEL is true, and drops all others.",
		}, newFilter),
		connect.Transformer(connect.Info{
			Class: "ExpressionRouter", Version: version, Doc: "Takes the topic of records from an expression of CEL.",
		}, newRouter),
		connect.Predicator(connect.Info{
			Class: "ExpressionMatches", Version: version, Doc: "Is true where an expression of CEL is.",
		}, newMatches),
	}
}

// A ConditionConfig configures ExpressionFilter and ExpressionMatches.
type ConditionConfig struct {
	// Condition is an expression that gives true or false.
	Condition string

	limits limits
}

// Describe declares the keys.
func (c *ConditionConfig) Describe(d *config.Def) {
	config.Text(d, &c.Condition, "condition").Importance(config.High).Check(validBoolean()).
		Doc("Expression of CEL that gives true or false, as value.amount > 100.0 && topic.startsWith('orders'). One that fails, for instance for a field that is not " +
			"there, fails the record.")
	c.limits.Describe(d)
}

// condition is what both run.
type condition struct{ program *program }

func newCondition(c ConditionConfig) (condition, error) {
	checked, err := resultOf(c.Condition, cel.BoolType)
	if err != nil {
		return condition{}, &config.KeyError{Key: "condition", Value: c.Condition, Err: err}
	}
	p, err := newProgram(c.Condition, checked, c.limits, &variables{})
	return condition{p}, err
}

// filter is ExpressionFilter.
type filter struct{ condition }

func newFilter(c ConditionConfig) (filter, error) {
	x, err := newCondition(c)
	return filter{x}, err
}

// Apply keeps or drops the record.
func (t filter) Apply(ctx context.Context, r *connect.Record) (bool, error) {
	return t.program.boolean(ctx, r)
}

// matches is ExpressionMatches.
type matches struct{ condition }

func newMatches(c ConditionConfig) (matches, error) {
	x, err := newCondition(c)
	return matches{x}, err
}

// Test looks at the record.
func (p matches) Test(ctx context.Context, r *connect.Record) (bool, error) {
	return p.program.boolean(ctx, r)
}

// A RouterConfig configures ExpressionRouter.
type RouterConfig struct {
	// Topic is an expression that gives the new topic.
	Topic string

	limits limits
}

// Describe declares the keys.
func (c *RouterConfig) Describe(d *config.Def) {
	config.Text(d, &c.Topic, "topic.expression").Importance(config.High).Check(validText()).
		Doc("Expression of CEL that gives the new topic, as value.country == 'CH' ? 'orders-ch' : topic. Null leaves the topic as it is.")
	c.limits.Describe(d)
}

// router is ExpressionRouter.
type router struct{ program *program }

func newRouter(c RouterConfig) (router, error) {
	checked, err := resultOf(c.Topic, cel.StringType)
	if err != nil {
		return router{}, &config.KeyError{Key: "topic.expression", Value: c.Topic, Err: err}
	}
	p, err := newProgram(c.Topic, checked, c.limits, &variables{})
	return router{p}, err
}

// Apply sets the topic.
func (t router) Apply(ctx context.Context, r *connect.Record) (bool, error) {
	t.program.vars.record = r
	out, err := t.program.eval(ctx)
	if err != nil {
		return false, err
	}
	switch topic := out.(type) {
	case types.Null:
		return true, nil
	case types.String:
		if topic != "" {
			r.Topic = strings.Clone(string(topic))
			return true, nil
		}
	}
	return false, fmt.Errorf("expression %s: it gave %s, want the name of a topic", shortened(t.program.text), out.Type().TypeName())
}
