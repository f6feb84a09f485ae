package goldentest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Failure is what a vector says of a call that threw.
type Failure struct {
	Class   string // full name of the Java exception
	Message string // of which the gist binds, at most; "" for none
}

// SimpleClass returns the name of the exception without its package.
func (f *Failure) SimpleClass() string { return f.Class[strings.LastIndexByte(f.Class, '.')+1:] }

// maxLine is the length of the longest line of any vector file.
const maxLine = 16 << 20

// Each decodes each line of a JSON Lines file into a case of type C and runs a subtest on it, named after the line. It returns the
// number of lines, and fails if there are none.
func Each[C any](t *testing.T, path string, test func(t *testing.T, c C)) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		var c C
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s:%d: %v", path, n, err)
		}
		t.Run(fmt.Sprintf("line %d", n), func(t *testing.T) { test(t, c) })
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatalf("%s: no vectors", path)
	}
	return n
}
