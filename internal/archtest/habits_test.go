package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Packages register nothing behind the back of who imports them.
func TestNoInitFunctions(t *testing.T) {
	check(t, func(*file) bool { return true }, initFunctions)
}

func initFunctions(f *file) []string {
	var findings []string
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, fmt.Sprintf("%s: func init; make the value a plain variable, or a parameter of what needs it", f.at(fn.Pos())))
		}
	}
	return findings
}

// A library leaves the process's output, global logger and end to its program.
func TestLibraryIsQuiet(t *testing.T) {
	check(t, func(f *file) bool { return source(f) && !f.main() && !under(f.dir, "cmd", "examples") }, loud)
}

func loud(f *file) []string {
	var findings []string
	if slices.Contains(f.imports(), "log") {
		findings = append(findings, f.path+" imports log; take a *slog.Logger, or return the error")
	}
	forbidden := map[string][]string{
		"fmt": {"Print", "Printf", "Println"},
		"os":  {"Exit"},
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if pkg, fn := selected(call); slices.Contains(forbidden[pkg], fn) {
			findings = append(findings, fmt.Sprintf("%s: %s.%s outside cmd and examples; return the value or the error", f.at(call.Pos()), pkg, fn))
		}
		return true
	})
	return findings
}

// selected returns package and function of a call pkg.Func.
func selected(call *ast.CallExpr) (pkg, fn string) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return id.Name, sel.Sel.Name
}

// A test that sleeps is slow on every machine and wrong on a slow one. In a
// synctest bubble time is free and sleeping exact.
func TestTestsDoNotSleep(t *testing.T) { check(t, tests, sleeps) }

func sleeps(f *file) []string {
	var findings []string
	visit := func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncDecl); ok && (strings.Contains(fn.Doc.Text(), "bubble") || waitsInBubble(fn)) {
			return false
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if opensBubble(call) {
			return false // time is the bubble's in there
		}
		if pkg, fn := selected(call); pkg == "time" && fn == "Sleep" {
			findings = append(findings, fmt.Sprintf("%s: time.Sleep in a test; wait for what you wait for (a channel, require.Eventually), "+
				"run in a synctest bubble (by synctest.Test or a helper with bubble in its name), or say in a helper's doc comment that it runs in a bubble", f.at(call.Pos())))
		}
		return true
	}
	ast.Inspect(f.ast, visit)
	return findings
}

// waitsInBubble says whether a function calls synctest.Wait, which panics outside
// of bubbles, other than in a bubble that it opens itself.
func waitsInBubble(fn *ast.FuncDecl) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if pkg, name := selected(call); pkg == "synctest" && name == "Wait" {
			found = true
		}
		return !opensBubble(call)
	})
	return found
}

// opensBubble says whether the functions that a call is given run in a bubble:
// synctest.Test, and helpers around it, which say so by their name.
func opensBubble(call *ast.CallExpr) bool {
	pkg, fn := selected(call)
	if id, ok := call.Fun.(*ast.Ident); ok {
		fn = id.Name
	}
	return pkg == "synctest" && fn == "Test" || strings.Contains(strings.ToLower(fn), "bubble") || pkg == "connecttest" && fn == "Cluster"
}

// Every package says what it is for, where one looks for it: in doc.go, or in its
// only file.
func TestPackagesAreDocumented(t *testing.T) {
	files := map[string][]*file{}
	for _, f := range tree(t) {
		if !f.test {
			files[f.dir] = append(files[f.dir], f)
		}
	}
	for dir, of := range files {
		assert.True(t, slices.ContainsFunc(of, func(f *file) bool { return documents(f, len(of)) }),
			"%s has no package comment; write one into its doc.go (a program, or a package of one file: above the package clause)", dir)
	}
}

// documents says whether a file holds the comment of its package of n files.
func documents(f *file, n int) bool {
	return f.ast.Doc != nil && (n == 1 || f.main() || path.Base(f.path) == "doc.go")
}

// Whatever can be used from outside says what it does.
func TestExportsAreDocumented(t *testing.T) {
	check(t, func(f *file) bool { return source(f) && !f.main() }, undocumented)
}

func undocumented(f *file) []string {
	var findings []string
	bare := func(pos token.Pos, name string) {
		findings = append(findings, fmt.Sprintf("%s: %s has no doc comment; say what it is, its units and ranges, its zero value, its errors", f.at(pos), name))
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !ofErrors(d) {
				bare(d.Pos(), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				bareSpec(d, s, bare)
			}
		}
	}
	return findings
}

// bareSpec reports what a type, constant or variable declaration exports without
// a comment. A comment above a group, or behind a line, will do.
func bareSpec(d *ast.GenDecl, s ast.Spec, bare func(token.Pos, string)) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
			bare(s.Pos(), s.Name.Name)
		}
		if iface, ok := s.Type.(*ast.InterfaceType); ok && s.Name.IsExported() {
			bareMethods(s.Name.Name, d.Doc.Text()+s.Doc.Text(), iface, bare)
		}
	case *ast.ValueSpec:
		for _, n := range s.Names {
			if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				bare(n.Pos(), n.Name)
			}
		}
	}
}

// bareMethods reports the methods of an interface about which nothing is said:
// not above them, not above the method before, not above the interface.
func bareMethods(name, said string, iface *ast.InterfaceType, bare func(token.Pos, string)) {
	if iface.Methods.NumFields() < 2 {
		return // the interface's comment is the method's
	}
	before := ""
	for _, m := range iface.Methods.List {
		for _, n := range m.Names {
			if n.IsExported() && m.Doc == nil && m.Comment == nil && !strings.Contains(said+before, n.Name) {
				bare(n.Pos(), name+"."+n.Name)
			}
		}
		before = m.Doc.Text()
	}
}

// exportedReceiver says whether a function is no method, or one of an exported
// type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.IndexListExpr:
			t = u.X
		case *ast.Ident:
			return u.IsExported()
		default:
			return true
		}
	}
}

// ofErrors says whether a function is a method of which package errors says all
// there is to say.
func ofErrors(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{"Error", "Unwrap"}, d.Name.Name)
}

func TestPackageCommentRule(t *testing.T) {
	const with, without = "// Package x is.\npackage x", "package x"
	assert.True(t, documents(parse(t, "a/doc.go", with), 2))
	assert.True(t, documents(parse(t, "doc.go", with), 2))
	assert.True(t, documents(parse(t, "a/x.go", with), 1))
	assert.True(t, documents(parse(t, "a/x.go", "// Command a does.\npackage main"), 2))
	assert.False(t, documents(parse(t, "a/x.go", with), 2))
	assert.False(t, documents(parse(t, "a/doc.go", without), 1))
}

func TestHabitRules(t *testing.T) {
	for _, c := range []struct {
		name string
		rule rule
		text string
		want int // findings
	}{
		{"init", initFunctions, "func init() {}", 1},
		{"method init", initFunctions, "func (x T) init() {}", 0},
		{"quiet", loud, `func f() { fmt.Fprintln(w); fmt.Sprint(1); os.Getenv("") }`, 0},
		{"loud", loud, `func f() { fmt.Println(); fmt.Printf(""); os.Exit(1) }`, 3},
		{"log", loud, `import "log"`, 1},
		{"slog", loud, `import "log/slog"`, 0},
		{"sleep", sleeps, "func f() { time.Sleep(1) }", 1},
		{"sleep in a bubble", sleeps, "func f() { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }", 0},
		{"sleep in a helper's bubble", sleeps, "func f() { sinkBubble(t, func() { time.Sleep(1) }) }", 0},
		{"sleep before a wait in the bubble", sleeps, "func f() { time.Sleep(1); synctest.Wait() }", 0},
		{"sleep before a bubble with a wait", sleeps, "func f() { time.Sleep(1); synctest.Test(t, func(t *testing.T) { synctest.Wait() }) }", 1},
		{"sleep beside a bubble", sleeps, "func f() { synctest.Test(t, g); time.Sleep(1) }", 1},
		{"sleep in a helper", sleeps, "// f waits, in a bubble.\nfunc f() { time.Sleep(1) }", 0},
		{"bare function", undocumented, "func F() {}\nfunc f() {}", 1},
		{"function", undocumented, "// F does.\nfunc F() {}", 0},
		{"bare methods", undocumented, "func (*T) M() {}\nfunc (T[K]) N() {}\nfunc (t) M() {}", 2},
		{"bare type", undocumented, "type T struct{}", 1},
		{"types in a group", undocumented, "type (\n// T is.\nT struct{}\nU int // U is.\nV int\n)", 1},
		{"bare value", undocumented, "var A, B = 1, 2\nconst c = 1", 2},
		{"group with a comment", undocumented, "// Kinds.\nconst (\nA = 1\nB = 2\n)", 0},
		{"interface", undocumented, "// I is.\ntype I interface {\n// M does.\nM()\nN() // N does.\nO()\n}", 1},
		{"methods of an error", undocumented, "func (*E) Error() string\nfunc (*E) Unwrap() error\nfunc Error()", 1},
		{"interface that says it all", undocumented, "// I has M and N.\ntype I interface {\nM()\nN()\nO()\n}", 1},
		{"methods in a pair", undocumented, "// I is.\ntype I interface {\n// M does, N undoes.\nM()\nN()\nO()\n}", 1},
		{"interface of one method", undocumented, "// I is.\ntype I interface { M() }", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Len(t, c.rule(parse(t, "x.go", "package x\n"+c.text)), c.want)
		})
	}
}
