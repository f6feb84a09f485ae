package connect

import (
	"context"
)

// A Transform changes records one at a time (a single message transform).
//
// Apply may assign to the fields of r, which is a copy of its own. It never
// changes a value that it did not make: whatever r refers to is shared with
// retries, re-sends and dead letters. It returns keep=false to drop the record.
//
// A transform is used by one goroutine. One that also implements io.Closer is
// closed when its task stops.
type Transform interface {
	Apply(ctx context.Context, r *Record) (keep bool, err error)
}

// A Predicate decides whether a transform applies to a record (KIP-585). It
// only reads r. The rules of Transform hold for it.
type Predicate interface {
	Test(ctx context.Context, r *Record) (bool, error)
}
