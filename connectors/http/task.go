package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/httpkit"
)

// task reads its endpoints in turns.
type task struct {
	client  *httpkit.Client
	readers []*reader
	max     int
}

func newTask(c Config, dial dialer) (*task, error) {
	client, err := httpkit.New(c.Client, httpkit.Options{Dial: dial})
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("http.url: %w", err)
	}
	t := &task{client: client, max: c.MaxRecords}
	for _, e := range c.endpoints() {
		r, err := newReader(e, base, client)
		if err != nil {
			return nil, fmt.Errorf("endpoint %q: %w", e.name, err)
		}
		t.readers = append(t.readers, r)
	}
	return t, nil
}

// Start takes up the offsets.
func (t *task) Start(ctx context.Context, c connect.SourceContext) error {
	partitions := make([]connect.SourcePartition, len(t.readers))
	for i, r := range t.readers {
		partitions[i] = r.partition
	}
	offsets, err := c.Offsets(ctx, partitions...)
	if err != nil {
		return fmt.Errorf("offsets: %w", err)
	}
	for i, r := range t.readers {
		r.log = c.Logger()
		if err := r.restore(offsets[i]); err != nil {
			return fmt.Errorf("endpoint %q: %w", r.e.name, err)
		}
	}
	return nil
}

// Poll hands over what is pending, else asks for the page that is due first.
func (t *task) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	for {
		r := t.first()
		if r == nil {
			return nil, connect.ErrDone
		}
		if len(r.pending) == 0 {
			if err := wait(ctx, time.Until(r.due)); err != nil {
				return nil, err
			}
			if err := r.fetch(ctx); err != nil {
				return nil, t.ended(ctx, err)
			}
		}
		if len(r.pending) > 0 {
			records, err := r.take(t.max)
			if len(records) > 0 || err != nil {
				return records, err
			}
		}
	}
}

// ended gives the reason of a context that has ended, rather than what it did to a request.
func (t *task) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

// first returns the reader that has records, or is due first; nil if all are done.
func (t *task) first() *reader {
	var first *reader
	for _, r := range t.readers {
		switch {
		case len(r.pending) > 0:
			return r
		case r.pos.done:
		case first == nil || r.due.Before(first.due):
			first = r
		}
	}
	return first
}

// Stop lets go of connections.
func (t *task) Stop(context.Context) error {
	t.client.Close()
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
