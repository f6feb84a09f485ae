package expression

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Limits for one evaluation.
type limits struct {
	cost    int64
	timeout time.Duration
}

const (
	defaultCost    = 1_000_000
	defaultTimeout = time.Second
	// checkEvery is how many rounds of all(), exists(), map() or filter() pass between looks at the clock.
	checkEvery = 100
	// maxNodes and maxDepth bound expressions.
	maxNodes, maxDepth = 10_000, 100
	// maxRegex bounds the program of a regular expression.
	maxRegex = 10_000
)

func (l *limits) Describe(d *config.Def) {
	config.Long(d, &l.cost, "cost.limit").Default(defaultCost).Importance(config.Low).Check(config.AtLeast[int64](1)).
		Doc("What the evaluation for one record may cost at most, in the units of CEL: about one for each step, and for each ten characters gone through. " +
			"1000000 take about a tenth of a second.")
	config.Millis(d, &l.timeout, "timeout.ms").Default(defaultTimeout).Importance(config.Low).Check(config.AtLeast(time.Millisecond)).
		Doc("How long the evaluation for one record may take. It is checked in expressions with all(), exists(), map() or filter() only, " +
			"for others end soon by themselves.")
}

// environment declares what expressions may name. It is made once.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(append(functions(),
		cel.Variable("key", cel.DynType), cel.Variable("value", cel.DynType),
		cel.Variable("keySchema", cel.StringType), cel.Variable("valueSchema", cel.StringType),
		cel.Variable("topic", cel.StringType), cel.Variable("partition", cel.IntType), cel.Variable("offset", cel.IntType),
		cel.Variable("timestamp", cel.DynType), cel.Variable("headers", cel.MapType(cel.StringType, cel.DynType)),
		cel.CrossTypeNumericComparisons(true), cel.EagerlyValidateDeclarations(true),
		cel.ParserRecursionLimit(maxDepth), cel.ExpressionNodeLimit(maxNodes), cel.RegexProgramSizeLimit(maxRegex))...)
})

// compile reads an expression and checks its types.
func compile(text string) (*cel.Ast, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, errors.New(err.Error()) // with the place in the text
	}
	if _, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize)); err != nil { // constants that are wrong, as a regular expression
		return nil, err
	}
	return checked, nil
}

// resultOf compiles an expression and refuses one whose result is known not to be of a type.
func resultOf(text string, want *cel.Type) (*cel.Ast, error) {
	checked, err := compile(text)
	if err != nil {
		return nil, err
	}
	if got := checked.OutputType(); !got.IsExactType(want) && !got.IsExactType(cel.DynType) && !got.IsExactType(cel.NullType) {
		return nil, fmt.Errorf("the expression gives %s, want %s", got, want)
	}
	return checked, nil
}

// validBoolean and validText check expressions of a configuration.
func validBoolean() config.Check[string] {
	return config.CheckFunc("expression of CEL that gives a bool", func(text string) error { _, err := resultOf(text, cel.BoolType); return err })
}

func validText() config.Check[string] {
	return config.CheckFunc("expression of CEL that gives a string", func(text string) error { _, err := resultOf(text, cel.StringType); return err })
}

// A program is an expression ready to run. It is used by one goroutine.
type program struct {
	text    string
	run     cel.Program
	timeout time.Duration // 0: it can not take long
	vars    *variables
}

func newProgram(text string, checked *cel.Ast, l limits, vars *variables) (*program, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	run, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(uint64(l.cost)), cel.InterruptCheckFrequency(checkEvery))
	if err != nil {
		return nil, err
	}
	p := &program{text: text, run: run, vars: vars}
	if loops(checked) {
		p.timeout = l.timeout
	}
	return p, nil
}

// loops tells whether an expression goes through lists or maps.
func loops(checked *cel.Ast) bool {
	root := ast.NavigateAST(checked.NativeRep())
	return len(ast.MatchDescendants(root, ast.KindMatcher(ast.ComprehensionKind))) > 0
}

// eval runs the expression on the record of its variables.
func (p *program) eval(ctx context.Context) (ref.Val, error) {
	var out ref.Val
	var err error
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.timeout)
		defer cancel()
		out, _, err = p.run.ContextEval(ctx, p.vars)
	} else {
		out, _, err = p.run.Eval(p.vars)
	}
	if err != nil {
		return nil, fmt.Errorf("expression %s: %w", shortened(p.text), err)
	}
	return out, nil
}

// boolean runs an expression that has to give true or false.
func (p *program) boolean(ctx context.Context, r *connect.Record) (bool, error) {
	p.vars.record = r
	out, err := p.eval(ctx)
	if err != nil {
		return false, err
	}
	b, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("expression %s: it gave %s, want bool", shortened(p.text), out.Type().TypeName())
	}
	return bool(b), nil
}

// shortened is a text for an error.
func shortened(text string) string {
	const most = 80
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "..."
	}
	return text
}
