//go:build integration && unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuickstartByGo lets go run the command, in a tree that has the example's
// copy and, by symbolic links, all else of the repository.
func TestQuickstartByGo(t *testing.T) {
	q := newQuickstart(t)
	root, err := filepath.Abs(repository)
	require.NoError(t, err)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if name := e.Name(); name != "examples" && name[0] != '.' {
			require.NoError(t, os.Symlink(filepath.Join(root, name), filepath.Join(q.dir, name)))
		}
	}
	q.prelude = "go() { shift 3; command go run ./cmd/connect dev --rest 127.0.0.1:0 \"$@\"; }\n" // port 8083 may be in use here
	q.output("go build -o /dev/null ./cmd/connect")                                               // takes its time, which the page does not count
	q.follow()
}
