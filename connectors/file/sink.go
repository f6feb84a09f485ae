package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/streamlane/connect"
)

// keptBuffer is the size up to which the buffer of a batch is kept for the next one.
const keptBuffer = 1 << 20

// sinkTask appends records to a file, or to the standard output.
type sinkTask struct {
	path string
	out  io.Writer // the standard output; nil if there is a path

	file    *os.File
	info    fs.FileInfo // identity of file
	created bool        // the directory may not know file yet
	broken  error       // file can not be relied on any more
	buf     []byte
}

func newSinkTask(c SinkConfig, out io.Writer) (*sinkTask, error) {
	switch {
	case c.File != "":
		return &sinkTask{path: c.File}, nil
	case out == nil:
		return nil, noStream("output")
	}
	return &sinkTask{out: out}, nil
}

// Start opens the file, or creates it.
func (t *sinkTask) Start(context.Context, connect.SinkContext) error {
	if t.out != nil {
		return nil
	}
	return t.open()
}

// Put appends one line a record, in one write.
func (t *sinkTask) Put(_ context.Context, records []connect.SinkRecord) error {
	if len(records) == 0 {
		return nil
	}
	t.buf = t.buf[:0]
	for i := range records {
		t.buf = append(records[i].Value.Value.Append(t.buf), '\n')
	}
	defer t.shrink()
	if t.out != nil {
		if _, err := t.out.Write(t.buf); err != nil {
			return fmt.Errorf("file sink: standard output: %w", err)
		}
		return nil
	}
	if err := t.ready(); err != nil {
		return err
	}
	if n, err := t.file.Write(t.buf); err != nil {
		return t.fail(fmt.Errorf("file sink: wrote %d of %d bytes of %d records: %w", n, len(t.buf), len(records), err))
	}
	return nil
}

// Flush has what was put written to disk. Only then are its offsets committed.
func (t *sinkTask) Flush(context.Context, connect.Offsets) error {
	if t.out != nil {
		return nil
	}
	return t.sync()
}

// Stop closes the file. What was put and not flushed is not committed either.
func (t *sinkTask) Stop(context.Context) error { return t.close() }

// shrink lets go of the memory of an unusually large batch.
func (t *sinkTask) shrink() {
	if cap(t.buf) > keptBuffer {
		t.buf = nil
	}
}

// open opens the file for appending.
func (t *sinkTask) open() error {
	_, err := os.Stat(t.path)
	t.created = errors.Is(err, fs.ErrNotExist)
	// Reading is for the look at the last byte.
	file, err := os.OpenFile(t.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("file sink: configuration file: %w", err)
	}
	t.file = file
	if t.info, err = file.Stat(); err == nil {
		err = endPiece(file, t.info)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file sink: %w", err), t.close())
	}
	return nil
}

// endPiece ends the last line of a file if it has no end: the piece that a crash or a full disk left over.
func endPiece(file *os.File, info fs.FileInfo) error {
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	var last [1]byte
	if _, err := file.ReadAt(last[:], info.Size()-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err := file.Write([]byte{'\n'})
	return err
}

// ready makes sure that the open file is the one that has the name. Log rotation may have renamed it; its lines are brought to disk then,
// for the next Flush sees the new file only.
func (t *sinkTask) ready() error {
	if t.broken != nil {
		return t.broken
	}
	if t.file == nil {
		return t.open()
	}
	info, err := os.Stat(t.path)
	if err == nil && os.SameFile(info, t.info) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("file sink: %w", err)
	}
	if err := t.sync(); err != nil {
		return err
	}
	if err := t.close(); err != nil {
		return err
	}
	return t.open()
}

// sync brings the file, and its name if it is new, to disk.
func (t *sinkTask) sync() error {
	if t.broken != nil || t.file == nil {
		return t.broken
	}
	if !t.info.Mode().IsRegular() {
		return nil
	}
	if err := t.file.Sync(); err != nil {
		return t.fail(fmt.Errorf("file sink: %w", err))
	}
	if !t.created {
		return nil
	}
	if err := syncDir(filepath.Dir(t.path)); err != nil {
		return t.fail(fmt.Errorf("file sink: %w", err))
	}
	t.created = false
	return nil
}

// fail keeps the error: after a failed write or fsync nobody knows what the file holds, so no later Flush may succeed.
func (t *sinkTask) fail(err error) error {
	t.broken = err
	return err
}

func (t *sinkTask) close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	if err != nil {
		return fmt.Errorf("file sink: %w", err)
	}
	return nil
}

// syncDir brings the names in a directory to disk. Windows does so by itself, and can not be told to.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
