package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/streamlane/connect/config"
)

// An InvalidConfigError says all that is wrong with a connector's
// configuration. It wraps ErrBadRequest and a *config.KeyError for each key.
type InvalidConfigError struct {
	Connector string
	Errs      []error
}

func (e *InvalidConfigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "connector %q: the configuration is invalid and contains %d error(s):", e.Connector, len(e.Errs))
	for _, err := range e.Errs {
		b.WriteString("\n" + err.Error())
	}
	return b.String()
}

// Unwrap returns ErrBadRequest and the errors.
func (e *InvalidConfigError) Unwrap() []error { return append([]error{ErrBadRequest}, e.Errs...) }

// check decodes all that a connector's configuration holds and reports
// everything that is wrong with it at once.
func (rt *Runtime) check(ctx context.Context, name string, raw config.Props) error {
	resolved, err := rt.resolve(ctx, raw)
	if err != nil {
		return fmt.Errorf("connector %q: %w: %w", name, ErrBadRequest, err)
	}
	p, err := rt.connectorPlugin(resolved)
	if err != nil {
		return &InvalidConfigError{name, []error{&config.KeyError{Key: "connector.class", Value: resolved["connector.class"], Err: err}}}
	}
	set, frameworkErr := rt.connectorSettings(p.kind, resolved, raw)
	own := p.describe()
	keys, rest := config.KeyErrors(errors.Join(frameworkErr, config.DecodeResolved(resolved, raw, own), rt.unsupported(set)))
	errs := rest
	for _, k := range keys {
		errs = append(errs, k)
	}
	if len(errs) > 0 {
		return &InvalidConfigError{name, errs}
	}
	describers := []config.Describer{set.describer(), own}
	for _, u := range config.Unknown(raw, describers...) {
		rt.log.WarnContext(ctx, "unknown key", "connector", name, "key", u.Key, "nearest", u.Nearest)
	}
	for _, k := range config.Ignored(raw, describers...) {
		rt.log.InfoContext(ctx, "a key has no effect", "connector", name, "key", k.Key, "why", k.Reason)
	}
	return nil
}
