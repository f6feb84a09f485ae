//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package offsets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// lock creates the lock file, which must not be there. After a crash it has to
// be deleted by hand.
func lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = errLocked
		}
		return nil, fmt.Errorf("lock %s (delete it if its process has crashed): %w", name, err)
	}
	return created{f}, nil
}

// created is a lock that its file's existence stands for.
type created struct{ *os.File }

func (c created) Close() error { return errors.Join(c.File.Close(), os.Remove(c.Name())) }
