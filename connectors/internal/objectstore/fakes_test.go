package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

// lineFormat writes the text of each value as a line. With failOn it refuses one.
type lineFormat struct {
	ext    string
	failOn string
	// block is the number of bytes that a writer keeps to itself.
	block int
}

func (f lineFormat) Extension() string   { return f.ext }
func (f lineFormat) ContentType() string { return "text/plain" }
func (f lineFormat) NewWriter(out io.Writer, _ connect.Datum) (format.Writer, error) {
	return &lineWriter{f: f, out: out}, nil
}

type lineWriter struct {
	f   lineFormat
	out io.Writer
	buf []byte
}

func (w *lineWriter) Write(d connect.Datum) error {
	text := d.Value.String()
	if w.f.failOn != "" && text == w.f.failOn {
		return &format.DataError{Err: fmt.Errorf("%s is refused", text)}
	}
	w.buf = append(append(w.buf, text...), '\n')
	if len(w.buf) > w.f.block {
		return w.Flush()
	}
	return nil
}
func (w *lineWriter) Buffered() int64 { return int64(len(w.buf)) }
func (w *lineWriter) Memory() int64   { return int64(cap(w.buf)) }
func (w *lineWriter) Flush() error {
	_, err := w.out.Write(w.buf)
	w.buf = nil
	return err
}
func (w *lineWriter) Close() error { return w.Flush() }

// stored is an object of memoryStore.
type stored struct {
	body string
	meta map[string]string
}

// memoryStore is a store in memory that all tasks of a test share.
type memoryStore struct {
	mu      sync.Mutex
	objects map[string]stored
	puts    int
}

func newMemoryStore() *memoryStore { return &memoryStore{objects: map[string]stored{}} }

func (s *memoryStore) put(key, body string, o PutOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[key]; ok && o.IfAbsent {
		return fmt.Errorf("%s: %w", key, ErrExists)
	}
	s.objects[key] = stored{body, o.Metadata}
	s.puts++
	return nil
}

func (s *memoryStore) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k := range s.objects {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// memoryBackend is one task's way to the store, on which things go wrong. It is for bubbles, where time costs nothing.
type memoryBackend struct {
	store *memoryStore
	caps  Capabilities
	// fate is asked before each Put; nil: all is well.
	fate func() fate
	// held, if not nil, holds all Puts back until it is closed.
	held chan struct{}
}

// fate says what becomes of a request.
type fate struct {
	delay  time.Duration
	before error // instead of the request
	after  error // after it has been carried out
}

var errCut = errors.New("the connection was cut")

func (b *memoryBackend) Capabilities(context.Context) (Capabilities, error) { return b.caps, nil }

func (b *memoryBackend) Put(ctx context.Context, key string, c Content, o PutOptions) error {
	body, err := bytesOf(c)
	if err != nil {
		return err
	}
	var f fate
	if b.fate != nil {
		f = b.fate()
	}
	if err := pass(f.delay); err != nil { // the request goes on, whoever waits for it
		return err
	}
	if b.held != nil {
		select {
		case <-b.held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.before != nil {
		return connect.Retriable(f.before, 0)
	}
	err = b.store.put(key, string(body), o)
	if f.after != nil {
		return connect.Retriable(f.after, 0)
	}
	return err
}

// pass lets time pass in a bubble.
func pass(d time.Duration) error {
	if d > 0 {
		<-time.After(d)
	}
	return nil
}

func (b *memoryBackend) Stat(_ context.Context, key string) (Object, error) {
	if b.fate != nil {
		if f := b.fate(); f.before != nil {
			return Object{}, connect.Retriable(f.before, 0)
		}
	}
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	o, ok := b.store.objects[key]
	if !ok {
		return Object{}, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return Object{Key: key, Size: int64(len(o.body)), Metadata: o.meta}, nil
}

func (b *memoryBackend) List(_ context.Context, prefix, after string, limit int) ([]Object, error) {
	var found []Object
	for _, k := range b.store.keys() {
		if strings.HasPrefix(k, prefix) && k > after && len(found) < limit {
			found = append(found, Object{Key: k})
		}
	}
	return found, nil
}

func (b *memoryBackend) Delete(_ context.Context, key string) error {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	delete(b.store.objects, key)
	return nil
}

func (b *memoryBackend) Close() error { return nil }

// randomFate makes requests slow, lost and repeated.
func randomFate(r *rand.Rand, mu *sync.Mutex, worst time.Duration) func() fate {
	return func() fate {
		mu.Lock()
		defer mu.Unlock()
		f := fate{delay: time.Duration(r.Int64N(int64(worst)))}
		switch r.IntN(8) {
		case 0:
			f.before = errCut
		case 1:
			f.after = errCut
		}
		return f
	}
}
