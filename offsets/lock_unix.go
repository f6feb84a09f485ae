//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package offsets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lock takes the lock file. The system gives it back when the process ends,
// however it ends.
func lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errLocked
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f, nil
}
