package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// An InvalidConfigError says all that is wrong with a connector's
// configuration. It wraps ErrBadRequest and a *config.KeyError for each error.
type InvalidConfigError struct {
	Connector string
	// Result is the whole answer of the validation.
	Result config.Result
}

func (e *InvalidConfigError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "connector %q: the configuration is invalid and contains %d error(s):", e.Connector, e.Result.ErrorCount)
	for _, c := range e.Result.Configs {
		for _, text := range c.Value.Errors {
			fmt.Fprintf(&b, "\n%s: %s", c.Value.Name, text)
		}
	}
	return b.String()
}

// Unwrap returns ErrBadRequest and the key errors.
func (e *InvalidConfigError) Unwrap() []error {
	errs := []error{ErrBadRequest}
	for _, c := range e.Result.Configs {
		for _, text := range c.Value.Errors {
			errs = append(errs, &config.KeyError{Key: c.Value.Name, Err: errors.New(text)})
		}
	}
	return errs
}

// Validate answers key by key whether a connector's configuration is right:
// the framework's keys, those of the connector, and those of the plugins that
// it names. It starts nothing; a plugin may try the network, within ctx. The
// error is about a configuration whose connector.class cannot be found, or
// whose placeholders cannot be resolved. What config providers gave is in neither:
// the answer shows placeholders.
func (rt *Runtime) Validate(ctx context.Context, props config.Props) (config.Result, error) {
	resolved, err := rt.resolveAll(ctx, props)
	if err != nil {
		return config.Result{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	result, err := rt.validate(ctx, resolved.Props, props)
	secrets := rt.redactor(resolved)
	if err != nil {
		class := &config.KeyError{Key: "connector.class", Value: props["connector.class"], Err: err}
		if len(resolved.Provided) > 0 {
			class.Err = errors.New(secrets.Redact(err.Error()))
		}
		return config.Result{}, fmt.Errorf("%w: %w", ErrBadRequest, class)
	}
	result.Conceal(resolved, secrets)
	return result, nil
}

// validate is Validate of a configuration whose placeholders are resolved. Its error
// is about connector.class.
func (rt *Runtime) validate(ctx context.Context, resolved, props config.Props) (config.Result, error) {
	request := framework.Request{
		Props: resolved, Plugins: rt.registry.infos, Policy: rt.worker.policy,
		GroupID: rt.groupID(), WorkerConsumer: rt.worker.props.Prefix("consumer."), Defaults: rt.converterDefaults(),
	}
	p, err := rt.connectorPlugin(resolved)
	if errors.Is(err, framework.ErrNoVersion) {
		return framework.ValidateCommon(ctx, request), nil
	}
	if err != nil {
		return config.Result{}, err
	}
	request.Source, request.Connector = p.kind == SourcePlugin, p.describe()
	result := framework.Validate(ctx, request)
	set, err := rt.connectorSettings(p.kind, resolved, props)
	if err == nil {
		rt.refuseUnsupported(&result, set)
	}
	return result, nil
}

// groupID is the id of the group of workers; empty for a worker that is alone.
func (rt *Runtime) groupID() string { return rt.worker.group }

// converterDefaults are the worker's converters, which connectors get that name
// none.
func (rt *Runtime) converterDefaults() config.Props {
	defaults := config.Props{}
	for key, of := range map[string]struct {
		kind framework.Kind
		ref  framework.PluginRef
	}{
		"key.converter":    {framework.Converter, rt.worker.key},
		"value.converter":  {framework.Converter, rt.worker.value},
		"header.converter": {framework.HeaderConverter, rt.worker.header},
	} {
		if of.ref.Class == "" {
			continue
		}
		defaults[key] = of.ref.Class
		if p, err := rt.registry.find(of.kind, of.ref.Class, of.ref.Version); err == nil {
			defaults[key] = p.info.Class
		}
	}
	return defaults
}

// refuseUnsupported adds errors to keys that are known, and that this Runtime
// cannot honour: what is accepted works.
func (rt *Runtime) refuseUnsupported(r *config.Result, c connectorSettings) {
	if c.source != nil && c.source.DeadLetters.Topic != "" {
		if _, err := rt.letterPlugin(); err != nil {
			r.AddError(sourceLettersKey, err.Error())
		}
	}
	// In a group it has been looked at.
	if c.source != nil && c.source.ExactlyOnceSupport == framework.ExactlyOnceRequired && rt.groupID() == "" {
		r.AddError("exactly.once.support", "This worker does not have exactly-once source support enabled.")
	}
}

// check refuses a configuration that Validate finds fault with, and warns once
// of what is odd about one that it accepts.
func (rt *Runtime) check(ctx context.Context, name string, raw config.Props) error {
	result, err := rt.Validate(ctx, raw)
	if err != nil {
		return fmt.Errorf("connector %q: %w", name, err)
	}
	if result.ErrorCount > 0 {
		return &InvalidConfigError{name, result}
	}
	if _, err := rt.connectorPlugin(raw); err != nil {
		return fmt.Errorf("connector %q: %w", name, err)
	}
	rt.remark(ctx, name, raw)
	return nil
}

// A remark is about a key that is accepted, and odd.
type remark struct {
	key     string
	nearest string // to a key that is not known
	reason  string // of a key that has no effect; empty: it is not known
	warn    bool
}

// text is the remark for people.
func (r *remark) text() string {
	switch {
	case r.reason != "":
		return "has no effect: " + r.reason
	case r.nearest != "":
		return fmt.Sprintf("is not known and has no effect; the nearest is %q", r.nearest)
	}
	return "is not known and has no effect"
}

// remarks lists what is odd about a configuration that is right.
func (rt *Runtime) remarks(raw config.Props) []remark {
	p, err := rt.connectorPlugin(raw)
	if err != nil {
		return nil
	}
	set, err := rt.connectorSettings(p.kind, raw, raw)
	if err != nil {
		return nil // a placeholder where the raw text should be a number: fine once resolved
	}
	var all []remark
	describers := []config.Describer{set.describer(), p.describe()}
	for _, u := range config.Unknown(raw, describers...) {
		all = append(all, remark{key: u.Key, nearest: u.Nearest, warn: true})
	}
	for _, k := range config.Ignored(raw, describers...) {
		all = append(all, remark{key: k.Key, reason: k.Reason})
	}
	if set.source != nil && set.source.OffsetsStorageTopic != "" && !rt.offsetsOnTopic() {
		all = append(all, remark{key: ownOffsetsKey, reason: "the worker is not distributed", warn: true})
	}
	return all
}

// remark has the log hear of them.
func (rt *Runtime) remark(ctx context.Context, name string, raw config.Props) {
	for _, r := range rt.remarks(raw) {
		level := slog.LevelInfo
		if r.warn {
			level = slog.LevelWarn
		}
		if r.reason == "" {
			rt.log.Log(ctx, level, "a key is not known and has no effect", "connector", name, "key", r.key, "nearest", r.nearest)
			continue
		}
		rt.log.Log(ctx, level, "a key has no effect", "connector", name, "key", r.key, "why", r.reason)
	}
}
