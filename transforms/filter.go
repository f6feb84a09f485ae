package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A FilterConfig has no keys: a predicate says which records Filter drops.
type FilterConfig struct{}

// Describe declares nothing, as org.apache.kafka.connect.transforms.Filter does.
func (*FilterConfig) Describe(*config.Def) {}

func filterPlugin() connect.Plugin {
	i := info("Filter", "Drops every record that it is applied to: use it with a predicate.")
	return connect.Transformer(i, func(FilterConfig) (filter, error) { return filter{}, nil })
}

type filter struct{}

// Apply drops the record.
func (filter) Apply(context.Context, *connect.Record) (bool, error) { return false, nil }
