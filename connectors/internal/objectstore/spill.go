package objectstore

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// segmentSize is the size from which on a segment takes nothing more.
const segmentSize = 64 << 20

// A spillArea is disk space for what does not fit into memory: temporary files without a name, so that nothing is left of them when
// the process is killed. (Windows can not do that; there they are removed when they are closed.) It is safe for
// concurrent use.
type spillArea struct {
	dir string // "" is the system's

	mu   sync.Mutex
	last *segment
	open map[*segment]struct{}
}

// A segment is one temporary file. It is closed when nothing in it is used any more.
type segment struct {
	file *os.File
	size int64
	used int // extents
}

// An extent is a piece of a segment.
type extent struct {
	seg    *segment
	offset int64
	length int64
}

func newSpillArea(dir string) *spillArea {
	return &spillArea{dir: dir, open: map[*segment]struct{}{}}
}

// write stores the chunks as one extent.
func (a *spillArea) write(chunks [][]byte) (extent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		if err := a.begin(); err != nil {
			return extent{}, err
		}
	}
	seg := a.last
	e := extent{seg: seg, offset: seg.size}
	for _, c := range chunks {
		if _, err := seg.file.WriteAt(c, seg.size+e.length); err != nil {
			return extent{}, fmt.Errorf("write to a temporary file: %w", err)
		}
		e.length += int64(len(c))
	}
	seg.size += e.length
	seg.used++
	if seg.size >= segmentSize {
		a.last = nil
	}
	return e, nil
}

func (a *spillArea) begin() error {
	f, err := os.CreateTemp(a.dir, "connect-spill-*")
	if err != nil {
		return fmt.Errorf("create a temporary file: %w", err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Remove(f.Name()); err != nil {
			return errors.Join(fmt.Errorf("unlink a temporary file: %w", err), f.Close())
		}
	}
	a.last = &segment{file: f}
	a.open[a.last] = struct{}{}
	return nil
}

// free gives an extent up.
func (a *spillArea) free(e extent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.seg.used--
	if e.seg.used > 0 {
		return
	}
	if e.seg == a.last {
		a.last = nil
	}
	_ = a.drop(e.seg) // nothing in it is wanted
}

func (a *spillArea) drop(s *segment) error {
	if _, ok := a.open[s]; !ok {
		return nil
	}
	delete(a.open, s)
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// close gives everything up.
func (a *spillArea) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for s := range a.open {
		errs = append(errs, a.drop(s))
	}
	a.last = nil
	return errors.Join(errs...)
}
