package testenv

import "syscall"

// ownGroup puts a child in a process group of its own, so that it can be
// signalled with its children, and has the kernel kill it when the thread that
// started it ends (process.run keeps that thread for as long as the child lives,
// so this happens when the test binary is gone, however it went).
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
