package offsets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

func opened(t *testing.T, path string) *FileStore {
	t.Helper()
	s := File(path)
	require.NoError(t, s.OpenStore(t.Context()))
	t.Cleanup(func() { _ = s.CloseStore(context.WithoutCancel(t.Context())) })
	return s
}

func put(t *testing.T, s *FileStore, key, value string) {
	t.Helper()
	require.NoError(t, s.Set(t.Context(), []connect.KV{{Key: []byte(key), Value: []byte(value)}}))
}

func contents(t *testing.T, s *FileStore) map[string]string {
	t.Helper()
	m := make(map[string]string)
	for kv, err := range s.Scan(t.Context(), nil) {
		require.NoError(t, err)
		m[string(kv.Key)] = string(kv.Value)
	}
	return m
}

func TestFormatIsAsDocumented(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o")
	s := opened(t, path)
	put(t, s, `["orders",{"table":"b"}]`, `{"id":7}`)
	put(t, s, `["orders",{"table":"a"}]`, `{"id":42}`)
	put(t, s, "\xff", "")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(content), "\n")
	assert.Regexp(t, `^connect-offsets 1 3 [0-9a-f]{64}$`, lines[0])
	assert.Equal(t, []string{
		`{"key":"[\"orders\",{\"table\":\"a\"}]","value":"{\"id\":42}"}`,
		`{"key":"[\"orders\",{\"table\":\"b\"}]","value":"{\"id\":7}"}`,
		`{"key64":"/w==","value":""}`, ""}, lines[1:])
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}

func TestModeAndLinksAreKept(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	first := opened(t, target)
	put(t, first, "a", "1")
	require.NoError(t, first.CloseStore(t.Context()))
	require.NoError(t, os.Chmod(target, 0o640))
	require.NoError(t, os.Symlink(target, link))

	s := opened(t, link)
	put(t, s, "b", "2")
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink, "the link is still one")
	info, err = os.Stat(target)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o640), info.Mode().Perm())
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, contents(t, s))
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string]string{
		"":                                "the path is empty",
		filepath.Join(dir, "absent", "o"): "no such file or directory",
		filepath.Join(file, "o"):          "is no directory",
		dir:                               "want a regular file",
		file:                              "found 0 bytes without a complete header",
		write1(t, dir, "props", "a=b\n"):  "found a file that starts with",
		write1(t, dir, "later", later):    `found version "2" of the format, want 1`,
		write1(t, dir, "java", "\xac\xed\x00\x05"): "serialised by Java, at byte 4",
	} {
		before, _ := os.ReadFile(path)
		err := File(path).OpenStore(t.Context())
		if assert.Error(t, err, "%q", path) {
			assert.ErrorContains(t, err, want)
			assert.ErrorContains(t, err, fmt.Sprintf("open offset file %q", path))
		}
		after, _ := os.ReadFile(path)
		assert.Equal(t, before, after, "the file is kept")
		assert.Error(t, File(path).OpenStore(t.Context()), "a failed open leaves no lock that hides the reason")
	}
}

const later = "connect-offsets 2 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"

func write1(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestClosedStoreRefuses(t *testing.T) {
	s := File(filepath.Join(t.TempDir(), "o"))
	for range 2 {
		assert.ErrorIs(t, s.Set(t.Context(), nil), connect.ErrStopped)
		for _, err := range s.Scan(t.Context(), nil) {
			assert.ErrorIs(t, err, connect.ErrStopped)
		}
		require.NoError(t, s.OpenStore(t.Context()))
		assert.ErrorIs(t, s.OpenStore(t.Context()), connect.ErrConflict, "it is open already")
		put(t, s, "a", "1")
		require.NoError(t, s.CloseStore(t.Context()))
		require.NoError(t, s.CloseStore(t.Context()), "closing twice does nothing")
	}
}

func TestOneStoreAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o")
	first := opened(t, path)
	err := File(path).OpenStore(t.Context())
	require.ErrorIs(t, err, connect.ErrConflict)
	assert.ErrorContains(t, err, path+".lock")
	assert.ErrorContains(t, err, "another worker has the file open")
	require.NoError(t, first.CloseStore(t.Context()))
	opened(t, path)
}

// TestTruncatedFile cuts a file at every byte: it is refused, and kept.
func TestTruncatedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "o")
	s := opened(t, path)
	put(t, s, `["c",{"f":"ü"}]`, `{"n":1}`)
	put(t, s, "\xff\x00", "")
	require.NoError(t, s.CloseStore(t.Context()))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := range whole {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		err := File(path).OpenStore(t.Context())
		require.Error(t, err, "cut at byte %d", n)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, whole[:n], left, "cut at byte %d", n)
	}
	for n := range whole { // and one bit that turned
		bad := []byte(string(whole))
		bad[n] ^= 0x10
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		require.Error(t, File(path).OpenStore(t.Context()), "byte %d changed", n)
	}
}

// faulty is a filesystem whose step number at fails, as a full disk would, or
// stops for good, as a kill would: then the step is done in part.
type faulty struct {
	osFiles
	step, at int
	killed   bool
	partial  int // bytes of the write that are done all the same
}

var errDisk = errors.New("no space left on device")

func (f *faulty) next() error {
	f.step++
	if f.step == f.at || f.killed && f.step > f.at {
		return errDisk
	}
	return nil
}

func (f *faulty) Create(name string, mode fs.FileMode) (file, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	created, err := f.osFiles.Create(name, mode)
	return &faultyFile{file: created, f: f}, err
}

func (f *faulty) Rename(from, to string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.osFiles.Rename(from, to)
}

func (f *faulty) Remove(name string) error {
	if f.killed {
		return errDisk
	}
	return f.osFiles.Remove(name)
}

func (f *faulty) SyncDir(name string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.osFiles.SyncDir(name)
}

type faultyFile struct {
	file
	f *faulty
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.f.next(); err != nil {
		n, _ := f.file.Write(b[:min(f.f.partial, len(b))])
		return n, err
	}
	return f.file.Write(b)
}

func (f *faultyFile) Sync() error {
	if err := f.f.next(); err != nil {
		return err
	}
	return f.file.Sync()
}

// TestFaults lets each step of a write fail: create, write, sync, rename, sync
// of the directory.
func TestFaults(t *testing.T) {
	const steps, dirSync = 5, 5
	for at := 1; at <= steps; at++ {
		path := filepath.Join(t.TempDir(), "o")
		s := opened(t, path)
		put(t, s, "a", "1")
		f := &faulty{at: at, partial: 5}
		s.fsys = f
		err := s.Set(t.Context(), []connect.KV{{Key: []byte("a"), Value: []byte("2")}, {Key: []byte("b"), Value: []byte("2")}})
		require.ErrorIs(t, err, errDisk, "step %d", at)
		assert.ErrorContains(t, err, path)
		assert.NoFileExists(t, path+".tmp", "step %d", at)
		assert.Equal(t, map[string]string{"a": "1"}, contents(t, s), "step %d: nothing is seen before it is durable", at)
		f.at = 0 // the disk is well again
		put(t, s, "a", "1")
		require.NoError(t, s.CloseStore(t.Context()))
		again := opened(t, path)
		assert.Equal(t, "1", contents(t, again)["a"], "step %d: what was set last counts, even if it looked unchanged", at)
		if at < dirSync {
			assert.Equal(t, map[string]string{"a": "1"}, contents(t, again), "step %d", at)
		}
	}
}

// TestKills ends a write after any step and at any byte: the next open finds
// the old content or the new.
func TestKills(t *testing.T) {
	old, next := map[string]string{"a": "1"}, map[string]string{"a": "2", "b": "\xff"}
	probe, err := encode(map[string][]byte{"a": []byte("2"), "b": {0xff}})
	require.NoError(t, err)
	kill := func(at, partial int) {
		path := filepath.Join(t.TempDir(), "o")
		s := opened(t, path)
		put(t, s, "a", "1")
		s.fsys = &faulty{at: at, killed: true, partial: partial}
		require.Error(t, s.Set(t.Context(), []connect.KV{{Key: []byte("a"), Value: []byte("2")}, {Key: []byte("b"), Value: []byte{0xff}}}))
		require.NoError(t, s.lock.Close()) // as the system does for a killed process
		want := old
		if at == 5 {
			want = next
		}
		again := opened(t, path)
		assert.Equal(t, want, contents(t, again), "killed in step %d at byte %d", at, partial)
		put(t, again, "c", "3")
		again.fsys = osFiles{}
	}
	for at := 1; at <= 5; at++ {
		kill(at, 0)
	}
	for partial := range probe {
		kill(2, partial)
	}
}

func TestConcurrentUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o")
	s := opened(t, path)
	var wg sync.WaitGroup
	want := make(map[string]string)
	for w := range 4 {
		key := fmt.Sprint("key-", w)
		want[key] = "19"
		wg.Go(func() {
			for i := range 20 {
				assert.NoError(t, s.Set(t.Context(), []connect.KV{{Key: []byte(key), Value: []byte(fmt.Sprint(i))}}))
				for _, err := range s.Scan(t.Context(), nil) {
					assert.NoError(t, err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.CloseStore(t.Context()))
	assert.Equal(t, want, contents(t, opened(t, path)))
}

func TestSetWaitsWithItsContext(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "o"))
	s.writing <- struct{}{} // another write is under way
	ctx, cancel := context.WithCancel(t.Context())
	cause := make(chan error, 1)
	go func() { cause <- s.Set(ctx, []connect.KV{{Key: []byte("a"), Value: []byte("1")}}) }()
	cancel()
	assert.ErrorIs(t, <-cause, context.Canceled)
	<-s.writing
}

func TestMissingRights(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes are those of Unix")
	}
	if os.Geteuid() == 0 {
		runAsNobody(t)
		return
	}
	missingRights(t, t.TempDir())
}

// missingRights runs as a user who is bound by file modes.
func missingRights(t *testing.T, dir string) {
	path := filepath.Join(dir, "o")
	s := opened(t, path)
	put(t, s, "a", "1")
	require.NoError(t, os.Chmod(dir, 0o500))
	defer func() { _ = os.Chmod(dir, 0o700) }()
	err := s.Set(t.Context(), []connect.KV{{Key: []byte("a"), Value: []byte("2")}})
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorContains(t, err, path)
	require.NoError(t, s.CloseStore(t.Context()))
	assert.Equal(t, map[string]string{"a": "1"}, contents(t, opened(t, path)), "the old file is whole")
	unlocked := File(filepath.Join(dir, "other"))
	require.ErrorIs(t, unlocked.OpenStore(t.Context()), fs.ErrPermission, "a new file cannot be locked")
}

func TestMapsAreIndependent(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "o"))
	put(t, s, "a", "1")
	before := maps.Clone(s.snapshot())
	for kv := range s.Scan(t.Context(), nil) {
		kv.Value[0] = 'X'
	}
	assert.Equal(t, before, s.snapshot())
}
