//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package objectstore

import (
	"errors"
	"os"
)

// tryLock tells that there are no locks here.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
