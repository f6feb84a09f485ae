//go:build !unix

package testenv

import (
	"errors"
	"os"
	"syscall"
)

// errUnsupported makes every server unavailable, and so skips its tests, on
// systems without process groups and advisory locks.
var errUnsupported = errors.New("testenv: real servers need a Unix system")

func ownGroup() *syscall.SysProcAttr { return nil }

func terminate(*os.Process) error { return errUnsupported }

func pause(*os.Process) error { return errUnsupported }

func resume(*os.Process) error { return errUnsupported }

func killGroup(p *os.Process) error { return p.Kill() }

func lockFile(string, bool) (*os.File, error) { return nil, errUnsupported }
