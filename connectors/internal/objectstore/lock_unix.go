//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package objectstore

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks a file until it is closed or its process ends, however it ends. It returns an error if there are no locks here, and
// false without one if somebody else has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
