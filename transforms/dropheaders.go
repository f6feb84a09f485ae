package transforms

import (
	"context"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A DropHeadersConfig configures DropHeaders.
type DropHeadersConfig struct {
	// Headers are the keys of the headers to drop.
	Headers []string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.DropHeaders.
func (c *DropHeadersConfig) Describe(d *config.Def) {
	config.List(d, &c.Headers, "headers").Importance(config.High).Check(fieldList(false)).
		Doc("Keys of the headers to drop. All headers of such a key go.")
}

func dropHeadersPlugin() connect.Plugin {
	return connect.Transformer(info("DropHeaders", "Drops headers by their keys."), func(c DropHeadersConfig) (*dropHeaders, error) {
		return &dropHeaders{c.Headers}, nil
	})
}

type dropHeaders struct{ keys []string }

// Apply leaves headers out. The slice belongs to the stage before, so it is copied where there is something to drop.
func (t *dropHeaders) Apply(_ context.Context, r *connect.Record) (bool, error) {
	drop := func(h connect.Header) bool { return slices.Contains(t.keys, h.Key) }
	if slices.ContainsFunc(r.Headers, drop) {
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), drop)
	}
	return true, nil
}
