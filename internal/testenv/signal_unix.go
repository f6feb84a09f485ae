//go:build unix

package testenv

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// terminate asks the process to end; its children follow by its own doing.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// killGroup ends the process group that p leads, at once.
func killGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill process group %d: %w", p.Pid, err)
	}
	return nil
}

// lockFile opens path and takes its lock. With wait it waits for the holder, else
// it fails. The lock goes with the file's Close and with the process's death.
func lockFile(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// pause stops a process where it stands, and resume lets it go on.
func pause(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

func resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
