package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"unicode/utf8"
)

const (
	// chunk is the size of the buffer while lines are short.
	chunk = 256 << 10
	// longestLine bounds a line, and with it the buffer: what never ends must not eat the memory of the process.
	longestLine = 256 << 20
	// markSize is how many bytes before the position tell whether a file that was quiet is still the same.
	markSize = 64
)

// errLineTooLong says that a line does not end within longestLine bytes.
var errLineTooLong = errors.New("line is too long")

// A line is one line of the file, without its end, and the position behind that.
type line struct {
	text string
	size int // of the text as it is in the file
	next int64
}

// A follower reads the lines of a file that grows, shrinks, goes away and is replaced, as the package's documentation has it. It never
// waits: its caller does, for a while, after next had no lines to give.
type follower struct {
	path    string
	log     *slog.Logger
	longest int // bytes of a line

	file *os.File    // nil: not open
	info fs.FileInfo // identity of file
	from int64       // where to begin in the file that is opened next

	buf   []byte
	end   int      // of what was read into buf
	lines splitter // of what was read and not given out: the tail of buf[:end]
	base  int64    // position of the first byte of lines in file
	out   []line

	mark     []byte // the last bytes that were read, when file was found at its end
	quiet    bool   // nothing was read since, so that mark holds
	replaced bool   // another file had taken the name when file was found at its end
	missing  bool   // nothing had the name when it was looked for last
}

func newFollower(path string) *follower {
	return &follower{path: path, log: slog.New(slog.DiscardHandler), longest: longestLine}
}

// next returns lines, at most max, or none if there are none at present. The slice is valid until the next call.
func (f *follower) next(ctx context.Context, max int) ([]line, error) {
	for {
		if out := f.cut(max); len(out) > 0 {
			return out, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.file == nil {
			if found, err := f.open(); err != nil || !found {
				return nil, err
			}
		}
		more, err := f.advance()
		if err != nil {
			return nil, fmt.Errorf("file source: %w", err)
		}
		if !more {
			return f.out, nil // what a file left over, or nothing
		}
	}
}

// advance reads on, or leaves the file for its successor. It reports false if next has to return.
func (f *follower) advance() (more bool, err error) {
	intact, err := f.intact()
	if err != nil {
		return false, err
	}
	if !intact {
		f.log.Warn("file was cut off or rewritten, reading it from its start", "file", f.path, "position", f.position())
		return f.leave()
	}
	n, err := f.fill()
	if n > 0 || err != nil {
		return true, err
	}
	if err := f.settle(); err != nil {
		return false, err
	}
	over, err := f.superseded()
	if err != nil || !over {
		return false, err
	}
	f.log.Info("file was replaced, reading the new one", "file", f.path, "position", f.position())
	return f.leave()
}

// position is where reading goes on in the file.
func (f *follower) position() int64 { return f.base + int64(len(f.lines.buf)) }

// cut takes complete lines off what was read. Their texts share one string, so that a batch costs one allocation.
func (f *follower) cut(max int) []line {
	f.out = f.out[:0]
	front, used := f.lines.buf, 0
	for len(f.out) < max {
		text, n, ok := f.lines.next(false)
		if !ok {
			break
		}
		f.out = append(f.out, line{size: len(text), next: f.base + int64(used+n)})
		used += n
	}
	whole := string(front[:used])
	valid, start := utf8.ValidString(whole), 0
	for i := range f.out {
		l := &f.out[i]
		if l.text = whole[start : start+l.size]; !valid {
			l.text = validText(l.text)
		}
		start = int(l.next - f.base)
	}
	f.base += int64(used)
	return f.out
}

// open opens the file at f.from, if there is one.
func (f *follower) open() (found bool, err error) {
	info, err := os.Stat(f.path) // before opening, for opening a pipe may block
	if errors.Is(err, fs.ErrNotExist) {
		f.waitForIt()
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("file source: %w", err)
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("file source: configuration file: %s is a %s, want a regular file", f.path, kindOf(info.Mode()))
	}
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.waitForIt()
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("file source: %w", err)
	}
	if err := f.begin(file); err != nil {
		return false, errors.Join(fmt.Errorf("file source: %w", err), file.Close())
	}
	return true, nil
}

// waitForIt says once that there is no file.
func (f *follower) waitForIt() {
	if !f.missing {
		f.log.Warn("file not found, waiting for it", "file", f.path)
	}
	f.missing = true
}

// begin makes file the one that is read.
func (f *follower) begin(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	pos := min(f.from, info.Size())
	switch {
	case f.from > info.Size():
		pos = 0
		f.log.Warn("file is shorter than the committed position, reading it from its start", "file", f.path, "position", f.from, "size", info.Size())
	case pos > 0:
		if pos, err = lineStart(file, pos); err != nil {
			return err
		}
		if pos != f.from {
			f.log.Warn("committed position is not at the start of a line, going back to it", "file", f.path, "position", f.from, "start", pos)
		}
	}
	f.file, f.info, f.base, f.from, f.end = file, info, pos, 0, 0
	f.quiet, f.replaced, f.missing = false, false, false
	f.lines.reset(nil)
	return nil
}

// leave closes the file, so that the next one, or the same, is read from its start. What it left over becomes a line, and then there is
// something for next to return.
func (f *follower) leave() (more bool, err error) {
	f.out = f.out[:0]
	if rest, _, ok := f.lines.next(true); ok || len(f.lines.buf) > 0 {
		if !ok {
			rest = f.lines.buf
		}
		f.out = append(f.out, line{text: validText(string(rest))})
	}
	f.lines.reset(nil)
	return len(f.out) == 0, f.close()
}

// close releases the file.
func (f *follower) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// fill reads what follows into the buffer. It returns 0 at the end of the file.
func (f *follower) fill() (int, error) {
	rest := f.lines.buf
	switch size := len(f.buf); {
	case len(rest) >= f.longest:
		return 0, fmt.Errorf("%s: %w: it begins at position %d and does not end within %d bytes", f.path, errLineTooLong, f.base, f.longest)
	case len(rest) == size:
		f.rebuffer(max(2*size, chunk))
	case len(rest) < chunk/2 && size > chunk: // a long line went by
		f.rebuffer(chunk)
	case len(rest) < f.end && f.end == size:
		copy(f.buf, rest)
		f.end = len(rest)
	}
	n, err := f.file.ReadAt(f.buf[f.end:], f.position())
	f.end += n
	f.lines.grown(f.buf[f.end-n-len(rest) : f.end])
	if n > 0 {
		f.quiet, f.replaced = false, false
	}
	if n > 0 || errors.Is(err, io.EOF) {
		return n, nil
	}
	return n, err
}

// rebuffer moves what was read and not given out to a buffer of another size.
func (f *follower) rebuffer(size int) {
	buf := make([]byte, size)
	f.end = copy(buf, f.lines.buf)
	f.buf = buf
}

// intact reports whether what was read is still in the file.
func (f *follower) intact() (bool, error) {
	info, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < f.position() {
		return false, nil
	}
	if !f.quiet {
		return true, nil
	}
	now, err := f.lastBytes()
	return bytes.Equal(now, f.mark), err
}

// settle notes what the end of the file looks like.
func (f *follower) settle() (err error) {
	if !f.quiet {
		f.mark, err = f.lastBytes()
		f.quiet = err == nil
	}
	return err
}

// lastBytes returns the bytes before the position as they are in the file.
func (f *follower) lastBytes() ([]byte, error) {
	pos := f.position()
	b := make([]byte, min(pos, markSize))
	n, err := f.file.ReadAt(b, pos-int64(len(b)))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// superseded reports whether another file has had the name for two looks in a row, between which nothing was read.
func (f *follower) superseded() (bool, error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	before := f.replaced
	f.replaced = !os.SameFile(info, f.info)
	return before && f.replaced, nil
}
