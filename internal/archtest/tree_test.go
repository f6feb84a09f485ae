package archtest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/streamlane/connect"

// file is one Go file of the module, whatever its build tags.
type file struct {
	path string // relative to the module's root, with slashes
	dir  string // package folder; "." is the root package
	test bool
	fset *token.FileSet
	ast  *ast.File
}

// main says whether the file belongs to a program.
func (f *file) main() bool { return f.ast.Name.Name == "main" }

// generated says whether the file was written by a program.
func (f *file) generated() bool { return ast.IsGenerated(f.ast) }

// lines returns the number of lines of the file.
func (f *file) lines() int { return f.fset.File(f.ast.FileStart).LineCount() }

// at names a place in the file for a message.
func (f *file) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(pos).Line)
}

// imports returns the paths that the file imports, in order.
func (f *file) imports() []string {
	var paths []string
	for _, i := range f.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted it
		}
		paths = append(paths, p)
	}
	return paths
}

// inModule turns an import path into a folder of the module, if it is one.
func inModule(importPath string) (dir string, ok bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// under says whether dir is one of roots or lies below one.
func under(dir string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return dir == root || strings.HasPrefix(dir, root+"/")
	})
}

// parse makes a file of a text, for the tree and for the tests of the rules.
func parse(t *testing.T, at string, text any) *file {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, at, text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return &file{path: at, dir: path.Dir(at), test: strings.HasSuffix(at, "_test.go"), fset: fset, ast: tree}
}

// tree returns all Go files of the module, tagged ones too, in order of path.
// They are read once and not changed after.
func tree(t *testing.T) []*file {
	t.Helper()
	readOnce.Do(func() { readTree(t) })
	require.NotEmpty(t, allFiles)
	return allFiles
}

var (
	readOnce sync.Once
	allFiles []*file
)

func readTree(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []*file
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(root, at, d.Name())
		}
		if filepath.Ext(at) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		files = append(files, parse(t, filepath.ToSlash(rel), text))
		return nil
	})
	require.NoError(t, err)
	slices.SortFunc(files, func(a, b *file) int { return cmp.Compare(a.path, b.path) })
	allFiles = files
}

// skipDir leaves out what the go command leaves out: hidden folders, testdata,
// modules within the module.
func skipDir(root, at, name string) error {
	if at == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// rule finds what is wrong with one file: each finding names place, fault, remedy.
type rule func(f *file) []string

// check applies a rule to every file of the tree that it is for.
func check(t *testing.T, applies func(f *file) bool, r rule) {
	t.Helper()
	for _, f := range tree(t) {
		if !applies(f) {
			continue
		}
		for _, finding := range r(f) {
			t.Error(finding)
		}
	}
}

func source(f *file) bool { return !f.test && !f.generated() }

func tests(f *file) bool { return f.test }
