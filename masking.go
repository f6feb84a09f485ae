package connect

import (
	"context"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// describers declare the keys of a connector's configuration, as far as its
// plugins are known: the framework's and those of transforms and predicates, the
// connector's own, those of its converters.
func (rt *Runtime) describers(raw config.Props) []config.Describer {
	p, err := rt.connectorPlugin(raw)
	if err != nil {
		return nil
	}
	set, _ := rt.connectorSettings(p.kind, raw, raw) // what is wrong with it is for others to say
	all := []config.Describer{set.describer(), p.describe()}
	for _, c := range []struct {
		key  string
		kind framework.Kind
		ref  framework.PluginRef
	}{
		{"key.converter.", framework.Converter, set.KeyConverter},
		{"value.converter.", framework.Converter, set.ValueConverter},
		{"header.converter.", framework.HeaderConverter, set.HeaderConverter},
	} {
		if own, err := rt.registry.find(c.kind, c.ref.Class, c.ref.Version); err == nil {
			all = append(all, below{c.key, own.describe()})
		}
	}
	return all
}

// below describes the keys of a plugin below a prefix.
type below struct {
	prefix string
	inner  config.Describer
}

// Describe declares them.
func (b below) Describe(d *config.Def) { d.Prefix(b.prefix, b.inner) }

// Mask returns a connector's configuration for people to see: config.Hidden
// stands for what its plugins declare as secret, and for what looks like a
// secret. Placeholders stay.
func (rt *Runtime) Mask(props config.Props) config.Props {
	return props.Masked(rt.describers(props)...)
}

// Diff returns the keys that differ between two configurations of a connector, in
// alphabetical order. Secrets are masked as by Mask; what is one in either
// configuration is one in both.
func (rt *Runtime) Diff(before, after config.Props) []cluster.KeyChange {
	describers := append(rt.describers(before), rt.describers(after)...)
	return cluster.Diff(before, after, func(p config.Props) config.Props { return p.Masked(describers...) })
}

// redactor knows the secrets of a connector's resolved configuration.
func (rt *Runtime) redactor(r config.Resolved) *config.Redactor {
	return config.NewRedactor(r, rt.describers(r.Raw)...)
}

// redacted returns one for a raw configuration; without secrets of providers that
// cannot be asked.
func (rt *Runtime) redacted(ctx context.Context, raw config.Props) *config.Redactor {
	r, err := rt.worker.resolver.Resolve(ctx, raw)
	if err != nil {
		r = config.Resolved{Props: raw, Raw: raw}
	}
	return rt.redactor(r)
}
