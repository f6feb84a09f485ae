package objectstore

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const crashKey = "topics/t/key"

// putSteps are the points that a Put passes.
var putSteps = []string{"created", "data written", "metadata written", "claimed", "claim on disk", "named", "name on disk"}

func openOwned(t *testing.T, dir, owner string) *local {
	t.Helper()
	b, err := OpenLocal(dir, LocalOptions{Owner: owner})
	require.NoError(t, err)
	_, err = b.Capabilities(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	return b.(*local)
}

// sweepAll sweeps as if much time were over since the drafts were written.
func sweepAll(t *testing.T, l *local) {
	t.Helper()
	require.NoError(t, l.sweep(t.Context(), time.Now().Add(time.Hour), time.Now().Add(-time.Hour)))
}

// left lists what is in the folder of drafts.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, draftsDir), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			names = append(names, d.Name())
		}
		return err
	}))
	return names
}

// whole checks that there is an object, whose data and metadata belong together.
func whole(t *testing.T, l *local, dir string) string {
	t.Helper()
	o, err := l.Stat(t.Context(), crashKey)
	require.NoError(t, err)
	body, err := os.ReadFile(filepath.Join(dir, crashKey))
	require.NoError(t, err)
	assert.Equal(t, o.Metadata["body"], string(body))
	assert.Equal(t, o.Size, int64(len(body)))
	return string(body)
}

func putSecond(t *testing.T, l *local) error {
	return l.Put(t.Context(), crashKey, memory("second"), PutOptions{Metadata: map[string]string{"body": "second"}, IfAbsent: true})
}

// A process that is killed at any step leaves an object that is whole, or none; and what it leaves beside is swept, before or after somebody else
// writes the object.
func TestKilledAtEachStep(t *testing.T) {
	for i, step := range putSteps {
		for _, sweepFirst := range []bool{true, false} {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), crashAt+"="+step, crashDir+"="+dir)
			out, err := cmd.CombinedOutput()
			require.ErrorContains(t, err, "killed", "%s: %s", step, out)
			require.NotEmpty(t, left(t, dir), step)
			l := openOwned(t, dir, "c")
			assert.NotEmpty(t, left(t, dir), "%s: what is young is left alone", step)
			if sweepFirst {
				sweepAll(t, l)
				assert.Empty(t, left(t, dir), step)
			}
			err = putSecond(t, l)
			if claimed := i >= 3; claimed {
				require.ErrorIs(t, err, ErrExists, step)
				assert.Equal(t, "first", whole(t, l, dir), step)
			} else {
				require.NoError(t, err, step)
				assert.Equal(t, "second", whole(t, l, dir), step)
			}
			sweepAll(t, l)
			assert.Empty(t, left(t, dir), step)
			whole(t, l, dir)
		}
	}
}

// A task that goes on after it has lost its partitions is not harmed by the sweep of the next one, nor is one of another connector by any.
func TestTheLivingAreNotSwept(t *testing.T) {
	for i, step := range putSteps[1:] {
		for _, owner := range []string{"c", "other"} {
			dir := t.TempDir()
			slow, quick := openOwned(t, dir, "c"), openOwned(t, dir, owner)
			reached, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error)
			slow.at = func(at string) {
				if at == step {
					close(reached)
					<-goOn
				}
			}
			go func() {
				done <- slow.Put(t.Context(), crashKey, memory("first"), PutOptions{Metadata: map[string]string{"body": "first"}, IfAbsent: true})
			}()
			<-reached
			before := left(t, dir)
			sweepAll(t, quick)
			if i < 3 { // the draft has no other name yet
				assert.Equal(t, before, left(t, dir), step)
			}
			second := putSecond(t, quick)
			close(goOn)
			first := <-done
			assert.NotEqual(t, first == nil, second == nil, "%s: one of them has created it: %v, %v", step, first, second)
			want := "first"
			if second == nil {
				want = "second"
			}
			assert.Equal(t, want, whole(t, quick, dir), step)
			assert.Empty(t, left(t, dir), step)
		}
	}
}

// What another connector left is not ours to remove.
func TestSweepIsOfOneConnector(t *testing.T) {
	dir := t.TempDir()
	theirs := openOwned(t, dir, "../other / one")
	name := filepath.Join(dir, theirs.drafts(), dataPrefix+"1")
	require.NoError(t, os.WriteFile(name, []byte("x"), 0o644))
	sweepAll(t, openOwned(t, dir, "c"))
	assert.FileExists(t, name)
	sweepAll(t, theirs)
	assert.NoFileExists(t, name)
	long := openOwned(t, dir, strings.Repeat("ü", 300))
	assert.Less(t, len(filepath.Base(long.drafts())), 200)
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing outside of the folder")
}

// Where metadata of a file that somebody removed are in the way, one of many writers wins, as ever.
func TestOneWriterWinsOverStaleMetadata(t *testing.T) {
	dir := t.TempDir()
	l := openOwned(t, dir, "c")
	for range 40 {
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				body := strings.Repeat(string(rune('a'+i)), i+1)
				err := l.Put(t.Context(), crashKey, memory(body), PutOptions{Metadata: map[string]string{"body": body}, IfAbsent: true})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, ErrExists) {
					assert.NoError(t, err)
				}
			})
		}
		group.Wait()
		require.Equal(t, int64(1), won.Load())
		whole(t, l, dir)
		require.NoError(t, os.Remove(filepath.Join(dir, crashKey)))
	}
	assert.Empty(t, left(t, dir))
}
