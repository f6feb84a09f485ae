package file

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/streamlane/connect"
)

// input hands out the lines of a stream to the tasks that read it (see Stdio).
type input struct {
	r     io.Reader
	once  sync.Once
	lines chan line
	err   error // why lines was closed; set before that
}

// newInput returns nil for no reader.
func newInput(r io.Reader) *input {
	if r == nil {
		return nil
	}
	return &input{r: r, lines: make(chan line, defaultBatchSize)}
}

// start has the stream read, once.
func (in *input) start() { in.once.Do(func() { go in.read() }) }

// read runs until the stream ends.
func (in *input) read() {
	defer close(in.lines)
	scanner := bufio.NewScanner(in.r)
	scanner.Buffer(nil, longestLine)
	scanner.Split(splitLine)
	for scanner.Scan() {
		in.lines <- line{text: validText(scanner.Text())}
	}
	if err := scanner.Err(); err != nil {
		in.err = fmt.Errorf("file source: standard input: %w", err)
	}
}

// splitLine is a bufio.SplitFunc. The last line needs no end.
func splitLine(b []byte, atEOF bool) (advance int, token []byte, err error) {
	var s splitter
	s.reset(b)
	if text, n, ok := s.next(atEOF); ok {
		return n, text, nil
	}
	if atEOF && len(b) > 0 {
		return len(b), b, nil
	}
	return 0, nil, nil
}

// next waits for a line and returns it with those that are there already. At the end of the stream it returns connect.ErrDone.
func (in *input) next(ctx context.Context, max int) ([]line, error) {
	var out []line
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case l, ok := <-in.lines:
		if !ok {
			return nil, in.end()
		}
		out = append(out, l)
	}
	for len(out) < max {
		select {
		case l, ok := <-in.lines:
			if !ok {
				return out, nil // the end is for the next call
			}
			out = append(out, l)
		default:
			return out, nil
		}
	}
	return out, nil
}

func (in *input) end() error {
	if in.err != nil {
		return in.err
	}
	return connect.ErrDone
}
