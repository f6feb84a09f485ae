package offsets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/streamlane/connect"
)

// errLocked: another store, of this process or another, has the file open.
var errLocked = fmt.Errorf("%w: another worker has the file open; each needs its own", connect.ErrConflict)

var errNotOpen = fmt.Errorf("%w: the store is not open", connect.ErrStopped)

// FileStore keeps source offsets in one file, for a standalone worker. The
// package documentation tells of the format, of locking, and of files that
// Java's worker wrote. It is safe for concurrent use.
//
// A Runtime opens and closes it; who uses it without one calls OpenStore first.
type FileStore struct {
	path string
	fsys filesystem

	// writing has one token: who holds it may replace the file, open or close.
	// It is a channel because waiting for it ends with a context.
	writing chan struct{}

	mu    sync.Mutex
	pairs map[string][]byte // what the file has; nil unless open. Never changed, only replaced

	// What follows belongs to the holder of the token.
	target string // path behind symbolic links
	mode   fs.FileMode
	lock   io.Closer
	unsure bool // a write failed: the file may have what pairs has not
}

// File returns the store that keeps its offsets in the file of that path
// (offset.storage.file.filename). It touches nothing before OpenStore. The
// directory has to be there, the file need not.
func File(path string) *FileStore {
	return &FileStore{path: path, fsys: osFiles{}, writing: make(chan struct{}, 1)}
}

// OpenStore locks the file and reads it. It fails if the path is empty or a
// directory, if another store has the file open (an error that wraps
// connect.ErrConflict), and if the content is not whole; the file then stays as
// it is. A file that Java wrote is converted, its original kept as a backup.
func (s *FileStore) OpenStore(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	if s.lock != nil {
		return fmt.Errorf("open offset file %s: %w: it is open already", s.path, connect.ErrConflict)
	}
	if err := s.open(); err != nil {
		if s.lock != nil {
			err = errors.Join(err, s.lock.Close())
			s.lock = nil
		}
		return fmt.Errorf("open offset file %q: %w", s.path, err)
	}
	return nil
}

func (s *FileStore) open() (err error) {
	s.unsure = false
	if err := s.locate(); err != nil {
		return err
	}
	if s.lock, err = lock(s.target + ".lock"); err != nil {
		return err
	}
	content, err := s.fsys.ReadFile(s.target)
	if errors.Is(err, fs.ErrNotExist) {
		s.publish(map[string][]byte{})
		return nil
	}
	if err != nil {
		return err
	}
	if isJava(content) {
		return s.takeOver(content)
	}
	pairs, err := decode(content)
	if err != nil {
		return fmt.Errorf("%w (the file is left as it is; restore it, or move it away to start without offsets)", err)
	}
	s.publish(pairs)
	return nil
}

// locate finds the file behind symbolic links, so that a write replaces it and
// not the link, and its mode.
func (s *FileStore) locate() error {
	if s.path == "" {
		return errors.New("the path is empty, want that of a file")
	}
	s.target, s.mode = s.path, 0o600
	if resolved, err := filepath.EvalSymlinks(s.path); err == nil {
		s.target = resolved
	}
	dir := filepath.Dir(s.target)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("its directory: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	info, err := os.Stat(s.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("found %v, want a regular file", info.Mode())
	}
	s.mode = info.Mode().Perm()
	return nil
}

// takeOver replaces a file that Java wrote by one of ours, after a copy of it
// is safe.
func (s *FileStore) takeOver(content []byte) error {
	pairs, err := decodeJava(content)
	if err != nil {
		return fmt.Errorf("%w (the file is left as it is)", err)
	}
	if err := s.backUp(content); err != nil {
		return err
	}
	return s.store(pairs)
}

// maxBackups bounds the search for a free name.
const maxBackups = 100

// backUp keeps a copy of Java's file. A backup of other content is not touched:
// the copy then has a number in its name.
func (s *FileStore) backUp(content []byte) error {
	for n := range maxBackups {
		name := s.target + ".java-backup"
		if n > 0 {
			name = fmt.Sprintf("%s.%d", name, n)
		}
		have, err := s.fsys.ReadFile(name)
		switch {
		case err == nil && bytes.Equal(have, content):
			return nil // an earlier attempt got as far as this
		case err == nil:
			continue
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("back up Java's file: %w", err)
		}
		if err := replace(s.fsys, name, filepath.Dir(name), s.mode, content); err != nil {
			return fmt.Errorf("back up Java's file as %s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("back up Java's file: there are %d backups already", maxBackups)
}

// CloseStore waits for a running Set and unlocks the file. Scan and Set fail
// afterwards, until the store is opened again. Closing a store that is not open
// does nothing.
func (s *FileStore) CloseStore(ctx context.Context) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	if s.lock == nil {
		return nil
	}
	s.publish(nil)
	err := s.lock.Close()
	s.lock = nil
	if err != nil {
		return fmt.Errorf("unlock offset file %q: %w", s.path, err)
	}
	return nil
}

// Scan yields the pairs whose key has the prefix, in the order of their keys,
// as they are in the file when the loop starts.
func (s *FileStore) Scan(ctx context.Context, prefix []byte) iter.Seq2[connect.KV, error] {
	return func(yield func(connect.KV, error) bool) {
		pairs := s.snapshot()
		if pairs == nil || ctx.Err() != nil {
			err := errNotOpen
			if pairs != nil {
				err = context.Cause(ctx)
			}
			yield(connect.KV{}, fmt.Errorf("scan offset file %q: %w", s.path, err))
			return
		}
		for _, key := range slices.Sorted(maps.Keys(pairs)) {
			if !strings.HasPrefix(key, string(prefix)) {
				continue
			}
			if !yield(connect.KV{Key: []byte(key), Value: bytes.Clone(pairs[key])}, nil) {
				return
			}
		}
	}
}

// Set makes the pairs durable, all or none, unless the directory could not be
// synced after the file was replaced: then the error says so and all of them
// may be there. Other errors (a full disk, missing rights) leave the file whole
// and as it was. Of pairs with equal keys the last counts.
func (s *FileStore) Set(ctx context.Context, pairs []connect.KV) error {
	if err := s.acquire(ctx); err != nil {
		return err
	}
	defer s.release()
	old := s.snapshot()
	if old == nil {
		return fmt.Errorf("write offset file %q: %w", s.path, errNotOpen)
	}
	next := maps.Clone(old)
	for _, kv := range pairs {
		if kv.Value == nil {
			delete(next, string(kv.Key))
			continue
		}
		next[string(kv.Key)] = bytes.Clone(kv.Value)
	}
	if !s.unsure && maps.EqualFunc(old, next, bytes.Equal) {
		return nil // the file says so already
	}
	if err := s.store(next); err != nil {
		return fmt.Errorf("write offset file %q: %w", s.path, err)
	}
	return nil
}

// store writes the file, then publishes the pairs. The caller holds the token.
func (s *FileStore) store(pairs map[string][]byte) error {
	content, err := encode(pairs)
	if err != nil {
		return err
	}
	err = replace(s.fsys, s.target, filepath.Dir(s.target), s.mode, content)
	s.unsure = err != nil
	if err != nil {
		return err
	}
	s.publish(pairs)
	return nil
}

func (s *FileStore) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case s.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for offset file %q: %w", s.path, context.Cause(ctx))
	}
}

func (s *FileStore) release() { <-s.writing }

func (s *FileStore) snapshot() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pairs
}

func (s *FileStore) publish(pairs map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs = pairs
}
