package http

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/metric"
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
	t.client.Observe(c.Metrics())
	t.observe(c.Metrics())
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

// observe names the metrics.
func (t *task) observe(s *metric.Set) {
	m := &counters{
		pages:       s.Counter("pages", "Responses that were read, with or without records."),
		records:     s.Counter("records", "Records that were handed over."),
		letters:     s.Counter("dead-letters", "Records and responses that could not be read and were handed over for errors.topic."),
		skipped:     s.Counter("records-skipped", "Records that could not be read and were let go."),
		known:       s.Counter("records-known", "Records that came again and were left out."),
		responses:   s.Counter("responses-skipped", "Responses that were let go: by skip.codes, or because they could not be read."),
		notModified: s.Counter("responses-not-modified", "Responses with status 304."),
	}
	for _, r := range t.readers {
		r.count = m
		r.success.Store(time.Now().UnixNano())
	}
	s.Gauge("last-success-age-ms", "Milliseconds since the last response that could be read, of the endpoint for which it is longest ago.", func() float64 {
		age := time.Duration(0)
		for _, r := range t.readers {
			age = max(age, time.Since(time.Unix(0, r.success.Load())))
		}
		return float64(age.Milliseconds())
	})
}

// counters are what the readers of a task count.
type counters struct {
	pages, records, letters, skipped, known, responses, notModified *metric.Counter
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
