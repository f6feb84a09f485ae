package testing

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// An Index is what the sink fills: a client of some search engine. A document
// that is put again replaces itself.
type Index interface {
	Put(ctx context.Context, documents map[int64]string) error
}

// ErrBusy is an Index's way to say: later.
var ErrBusy = errors.New("the index is busy")

// IndexSink returns the plugin of a sink that fills index.
func IndexSink(index Index) connect.Plugin {
	return connect.Sink(connect.Info{Class: "IndexSink", Version: "1.0.0", Doc: "Fills a search index."},
		connect.OneTask[indexConfig],
		func(c indexConfig) (*indexTask, error) { return &indexTask{cfg: c, index: index}, nil })
}

type indexConfig struct{ MaxLength int }

func (c *indexConfig) Describe(d *config.Def) {
	config.Int(d, &c.MaxLength, "max.length").Default(10_000).Check(config.AtLeast(1)).
		Doc("Length of a document in bytes at most. A longer one is reported and left out.")
}

type indexTask struct {
	cfg   indexConfig
	index Index
	ctx   connect.SinkContext
}

func (t *indexTask) Start(_ context.Context, c connect.SinkContext) error {
	t.ctx = c
	return nil
}

func (t *indexTask) Put(ctx context.Context, records []connect.SinkRecord) error {
	documents := make(map[int64]string, len(records))
	for i := range records {
		number, text, err := t.document(&records[i])
		if err != nil {
			if err := t.ctx.Report(ctx, &records[i], err); err != nil {
				return err
			}
			continue
		}
		documents[number] = text
	}
	if len(documents) == 0 {
		return nil
	}
	err := t.index.Put(ctx, documents)
	if errors.Is(err, ErrBusy) {
		return connect.Retriable(err, 0) // the same records are offered again
	}
	return err
}

// document takes a record apart.
func (t *indexTask) document(r *connect.SinkRecord) (number int64, text string, err error) {
	number, ok := r.Key.Value.Int()
	if !ok {
		return 0, "", fmt.Errorf("found a key of kind %v, want an integer", r.Key.Value.Kind())
	}
	text, ok = r.Value.Value.Str()
	if !ok {
		return 0, "", fmt.Errorf("article %d: found a value of kind %v, want a string", number, r.Value.Value.Kind())
	}
	if len(text) > t.cfg.MaxLength {
		return 0, "", fmt.Errorf("article %d: found %d bytes, want max.length of %d at most", number, len(text), t.cfg.MaxLength)
	}
	return number, text, nil
}

func (t *indexTask) Stop(context.Context) error { return nil }
