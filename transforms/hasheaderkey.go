package transforms

import (
	"context"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A HasHeaderKeyConfig configures HasHeaderKey.
type HasHeaderKeyConfig struct {
	// Name is the key of the header.
	Name string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.predicates.HasHeaderKey.
func (c *HasHeaderKeyConfig) Describe(d *config.Def) {
	config.String(d, &c.Name, "name").Importance(config.Medium).Check(config.NonEmpty()).Doc("Key of the header to look for.")
}

func hasHeaderKeyPlugin() connect.Plugin {
	i := predicateInfo("HasHeaderKey", "Holds for records that have a header of a key.")
	return connect.Predicator(i, func(c HasHeaderKeyConfig) (hasHeaderKey, error) { return hasHeaderKey{c.Name}, nil })
}

type hasHeaderKey struct{ name string }

// Test looks for the header.
func (p hasHeaderKey) Test(_ context.Context, r *connect.Record) (bool, error) {
	return slices.ContainsFunc(r.Headers, func(h connect.Header) bool { return h.Key == p.name }), nil
}
