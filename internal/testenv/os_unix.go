//go:build unix && !linux

package testenv

import "syscall"

// ownGroup puts a child in a process group of its own, so that it can be
// signalled with its children.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
