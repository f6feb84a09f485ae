package offsets

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// filesystem is what a FileStore does to files, so that tests can make each
// step fail.
type filesystem interface {
	ReadFile(name string) ([]byte, error)
	// Create opens a file for writing and cuts it to nothing.
	Create(name string, mode fs.FileMode) (file, error)
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the entries of a directory durable.
	SyncDir(name string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

// osFiles is the operating system's filesystem.
type osFiles struct{}

func (osFiles) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }
func (osFiles) Rename(from, to string) error         { return os.Rename(from, to) }
func (osFiles) Remove(name string) error             { return os.Remove(name) }

func (osFiles) Create(name string, mode fs.FileMode) (file, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
}

func (osFiles) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // renames are durable there, and directories cannot be synced
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replace gives a file new content: after an error before the rename it has its
// old content, and nothing else is left behind.
func replace(fsys filesystem, name, dir string, mode fs.FileMode, content []byte) error {
	tmp := name + ".tmp"
	if err := write(fsys, tmp, mode, content); err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(tmp)))
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return errors.Join(err, ignoreNotExist(fsys.Remove(tmp)))
	}
	return fsys.SyncDir(dir)
}

func write(fsys filesystem, name string, mode fs.FileMode, content []byte) error {
	f, err := fsys.Create(name, mode)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
