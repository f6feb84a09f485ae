package cassandra

import "github.com/streamlane/connect"

// A ledger follows the records of one Kafka partition from Put to the last acknowledgement. The dispatcher's lock guards it.
type ledger struct {
	slots []slot
	head  int // slots before it are over
	base  int // number of the first slot
	last  int64
}

// A slot is a record whose writes are outstanding.
type slot struct {
	offset int64
	left   int
}

// A slotRef is where a write belongs.
type slotRef struct {
	ledger *ledger
	number int
}

func newLedger() *ledger { return &ledger{last: -1} }

// enter adds a record with a number of writes.
func (l *ledger) enter(offset int64, writes int) slotRef {
	l.slots = append(l.slots, slot{offset, writes})
	l.last = offset
	return slotRef{l, l.base + len(l.slots) - 1}
}

// settle takes note that one write of a record is over.
func (r slotRef) settle() {
	l := r.ledger
	l.slots[r.number-l.base].left--
	for l.head < len(l.slots) && l.slots[l.head].left == 0 {
		l.head++
	}
	if l.head > 64 && l.head*2 > len(l.slots) {
		n := copy(l.slots, l.slots[l.head:])
		l.slots = l.slots[:n]
		l.base += l.head
		l.head = 0
	}
}

// safe returns the offset up to which everything is written, of what was put up to current.
func (l *ledger) safe(current int64) int64 {
	if l.head < len(l.slots) {
		return min(l.slots[l.head].offset, current)
	}
	return current
}

// safeOffsets returns what may be committed.
func (d *dispatcher) safeOffsets(current connect.Offsets) connect.Offsets {
	d.mu.Lock()
	defer d.mu.Unlock()
	agreed := make(connect.Offsets, len(current))
	for tp, offset := range current {
		agreed[tp] = offset
		if l := d.ledgers[tp]; l != nil {
			agreed[tp] = l.safe(offset)
		}
	}
	return agreed
}

// open begins a partition anew. What is outstanding of it from before is written, and counts for nobody.
func (d *dispatcher) open(tps ...connect.TopicPartition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, tp := range tps {
		d.ledgers[tp] = newLedger()
	}
}

// forget ends partitions.
func (d *dispatcher) forget(tps ...connect.TopicPartition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, tp := range tps {
		delete(d.ledgers, tp)
	}
}
