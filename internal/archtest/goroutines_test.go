package archtest

import (
	"go/ast"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// starters are the files of the root, kafka and rest in which goroutines may
// start, each with who waits for them. A goroutine is a thing to be owned: think
// of a plain call first, then add the file and say who owns what it starts.
var starters = map[string]string{
	"connect.go":                "Run owns the loop and the followers of the stores, and returns when they have",
	"loop.go":                   "a run of a connector or task has one goroutine; Run waits for all of them",
	"kafka/client.go":           "a refused producer gives up its records; releasing the client waits for that",
	"kafka/group_member.go":     "heartbeats of a membership end before the next join",
	"kafka/consumer_session.go": "a session looks for topics that match a pattern; closing the session waits for that",
	"rest/errortail.go":         "a request asks other workers at once and waits for all answers",
	"rest/serve.go":             "Serve owns its listeners and their end, and returns when they have",
	"source_pipeline.go":        "run starts the commit loop beside the pump and joins both",
}

// A go statement has no owner by itself, so they are few.
const goStatements = 15

func TestGoroutinesStartWhereListed(t *testing.T) {
	statements, calls := 0, 0
	starting := map[string]bool{}
	for _, f := range tree(t) {
		if !source(f) || f.dir != "." && !under(f.dir, "kafka", "rest") {
			continue
		}
		s, c := goroutines(f)
		statements += len(s)
		calls += len(c)
		for _, at := range append(s, c...) {
			starting[f.path] = true
			if _, ok := starters[f.path]; !ok {
				t.Errorf("%s starts a goroutine; call the function in place, or list the file in starters "+
					"(internal/archtest/goroutines_test.go) with who waits for the goroutine", at)
			}
		}
	}
	for path := range starters {
		assert.True(t, starting[path], "%s is in starters but starts no goroutine; remove the entry", path)
	}
	t.Logf("root, kafka and rest: %d go statements, %d calls of Go", statements, calls)
	assert.LessOrEqual(t, statements, goStatements, "go statements in root, kafka and rest; use a WaitGroup's or errgroup's Go, whose owner waits")
}

// goroutines returns the places of go statements, and of calls X.Go(func), as a
// WaitGroup and an errgroup have them.
func goroutines(f *file) (statements, calls []string) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			statements = append(statements, f.at(n.Pos()))
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Go", "TryGo"}, sel.Sel.Name) && len(n.Args) == 1 {
				calls = append(calls, f.at(n.Pos()))
			}
		}
		return true
	})
	return statements, calls
}

func TestGoroutineRule(t *testing.T) {
	f := parse(t, "x.go", `package x
func f() {
	go g()
	wg.Go(func() { go g() })
	group.TryGo(g)
	Go(g)
	x.Going(g)
}`)
	statements, calls := goroutines(f)
	assert.Equal(t, []string{"x.go:3", "x.go:4"}, statements)
	assert.Equal(t, []string{"x.go:4", "x.go:5"}, calls)
}
