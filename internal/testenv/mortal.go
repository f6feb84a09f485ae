package testenv

import "testing"

// A mortal is a server that a test may kill, and that comes back on its data.
type mortal struct {
	spec    spec
	process *process
}

// Kill ends the server without warning.
func (m *mortal) Kill(t testing.TB) {
	t.Helper()
	if err := m.process.kill(); err != nil {
		t.Fatal(err)
	}
}

// Restart starts the server on its data, after it has ended, and waits until it serves.
func (m *mortal) Restart(t testing.TB) {
	t.Helper()
	p, err := start(t.Context(), m.spec)
	if err != nil {
		t.Fatal(err)
	}
	m.process = p
}
