package objectstore

import (
	"context"
	"time"

	"github.com/streamlane/connect"
)

// A partition is one of Kafka's that the task owns, from an assignment or a step back on.
type partition struct {
	tp  connect.TopicPartition
	ctx context.Context // of its jobs
	end context.CancelFunc

	safe int64 // the offset that may be committed; below 0: not known yet
	next int64 // after the last record that was handled

	// What is known of stored objects that must not be written again, by folder: skip holds the last offset in them, forced that
	// of files of which only keys or headers are there and which have to end where these do.
	skip, forced map[string]int64
	// hold is the greatest of these offsets. No round ends before it.
	hold int64
	// refused are offsets of records that were reported and are to be left out.
	refused map[int64]bool

	files  map[string]*file // open, by folder
	sealed []*file          // of the open round
	rounds []*round         // on their way to the store
	last   map[string]*file // the newest of each folder since the partition was taken over
	jobs   int              // that run
	// conflict: an object of somebody else was met. Nothing more is begun; when the jobs are over, the partition goes back to safe.
	conflict bool
	// ignore: the rest of the batch is from before a step back.
	ignore bool
	// stepping: a step back was asked for, and no record has come since.
	stepping bool
	paused   bool

	round roundState
}

// roundState is what rotation looks at.
type roundState struct {
	count     int
	firstTime time.Time // of the first record, by the extractor
	began     time.Time // by the wall clock
	wrote     time.Time
	scheduled time.Time
	folder    string  // of the last record
	full      trigger // a file has as much of this as one may have
}

// A round is files that ended together.
type round struct {
	files []*file
	next  int64 // its boundary
}

func newPartition(life context.Context, tp connect.TopicPartition) *partition {
	p := &partition{
		tp: tp, safe: -1, next: -1, hold: -1,
		skip: map[string]int64{}, forced: map[string]int64{}, refused: map[int64]bool{},
		files: map[string]*file{}, last: map[string]*file{},
	}
	p.ctx, p.end = context.WithCancel(life)
	return p
}

// again returns a partition that goes on at offset, and knows what this one knows of the store.
func (p *partition) again(life context.Context, offset int64) *partition {
	q := newPartition(life, p.tp)
	q.safe, q.next, q.paused = offset, offset, p.paused
	q.skip, q.forced, q.hold, q.refused = p.skip, p.forced, p.hold, p.refused
	return q
}

// idle tells whether nothing of the partition is open or on its way.
func (p *partition) idle() bool {
	return len(p.files) == 0 && len(p.sealed) == 0 && len(p.rounds) == 0 && p.jobs == 0 && !p.conflict && !p.stepping
}

// dirty tells whether there is something to rotate.
func (p *partition) dirty() bool { return len(p.files)+len(p.sealed) > 0 }

// mayEnd tells whether a round may end here: not within what others stored.
func (p *partition) mayEnd() bool { return p.hold < p.next }

// forget drops what lies behind offset.
func (p *partition) forget(offset int64) {
	for dir, e := range p.skip {
		if e < offset {
			delete(p.skip, dir)
		}
	}
	for dir, e := range p.forced {
		if e < offset {
			delete(p.forced, dir)
		}
	}
	for at := range p.refused {
		if at < offset {
			delete(p.refused, at)
		}
	}
}

// maxFolders is the number of folders whose newest files are remembered.
const maxFolders = 10_000

// prune forgets the newest files of folders that are stored, if they are too many. Their next files are looked for
// in the store once more.
func (p *partition) prune() {
	if len(p.last) < maxFolders {
		return
	}
	for dir, f := range p.last {
		select {
		case <-f.done:
			delete(p.last, dir)
		default:
		}
	}
}
