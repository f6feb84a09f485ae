package memlog

// A Leader is the right to append, until another leads or it is given up.
type Leader struct {
	log    *Log
	epoch  int64
	closed bool // guarded by log.mu
}

// Lead makes the caller the leader. Appends of earlier leaders fail from now on.
func (l *Log) Lead() *Leader {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	return &Leader{log: l, epoch: l.epoch}
}

// Append writes the pairs, all or none; see Log.Append. It fails with ErrFenced or
// ErrGivenUp.
func (m *Leader) Append(pairs []Pair) error { return m.log.append(m, pairs) }

// GiveUp ends the leadership.
func (m *Leader) GiveUp() {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.closed = true
}

// check is called under log.mu.
func (m *Leader) check() error {
	switch {
	case m.epoch != m.log.epoch:
		return ErrFenced
	case m.closed:
		return ErrGivenUp
	}
	return nil
}
