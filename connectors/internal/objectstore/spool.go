package objectstore

import (
	"io"
	"slices"
	"sort"
)

const (
	firstChunk = 4 << 10
	lastChunk  = 256 << 10
)

// A spool holds the bytes of a file that is being made: the older ones perhaps on disk, the newer ones in memory. It is
// written by one goroutine. From then on it may be read by several.
type spool struct {
	area    *spillArea
	extents []extent
	starts  []int64 // of the extents, then of the chunks
	spilled int64
	chunks  [][]byte
	size    int64
	memory  int64 // capacity of the chunks
}

func newSpool(area *spillArea) *spool { return &spool{area: area} }

// Write appends. It fails never.
func (s *spool) Write(p []byte) (int, error) {
	n := len(p)
	s.size += int64(n)
	for len(p) > 0 {
		last := len(s.chunks) - 1
		if last < 0 || len(s.chunks[last]) == cap(s.chunks[last]) {
			s.grow(len(p))
			last = len(s.chunks) - 1
		}
		c := s.chunks[last]
		k := min(len(p), cap(c)-len(c))
		s.chunks[last] = append(c, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

func (s *spool) grow(want int) {
	size := firstChunk
	if n := len(s.chunks); n > 0 {
		size = min(2*cap(s.chunks[n-1]), lastChunk)
	}
	if size < want {
		size = min(max(want, size), lastChunk)
	}
	s.chunks = append(s.chunks, make([]byte, 0, size))
	s.starts = append(s.starts, s.size-int64(want))
	s.memory += int64(size)
}

// spill moves what is in memory to disk.
func (s *spool) spill() error {
	if len(s.chunks) == 0 {
		return nil
	}
	e, err := s.area.write(s.chunks)
	if err != nil {
		return err
	}
	s.starts = append(s.starts[:len(s.extents)], s.spilled)
	s.extents = append(s.extents, e)
	s.spilled += e.length
	s.chunks, s.memory = nil, 0
	return nil
}

// release gives all of it up.
func (s *spool) release() {
	for _, e := range s.extents {
		s.area.free(e)
	}
	s.extents, s.chunks, s.starts, s.size, s.spilled, s.memory = nil, nil, nil, 0, 0, 0
}

// Size implements Content.
func (s *spool) Size() int64 { return s.size }

// ReadAt implements Content.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		if off >= s.size {
			return n, io.EOF
		}
		i := sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > off }) - 1
		k, err := s.readPiece(i, p[n:], off-s.starts[i])
		n, off = n+k, off+int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// readPiece reads from one extent or chunk.
func (s *spool) readPiece(i int, p []byte, within int64) (int, error) {
	if i >= len(s.extents) {
		return copy(p, s.chunks[i-len(s.extents)][within:]), nil
	}
	e := s.extents[i]
	p = p[:min(int64(len(p)), e.length-within)]
	n, err := e.seg.file.ReadAt(p, e.offset+within)
	if n == len(p) {
		return n, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// bytesOf returns the content as one slice, for small ones.
func bytesOf(c Content) ([]byte, error) {
	b := slices.Grow([]byte(nil), int(c.Size()))[:c.Size()]
	_, err := c.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b, err
}
