package framework

import (
	"context"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// A Request asks whether a connector's configuration is right.
type Request struct {
	// Props is the configuration, resolved.
	Props config.Props
	// Source tells what the connector is; Connector is a new configuration of
	// it.
	Source    bool
	Connector config.Describer
	Plugins   Plugins
	Policy    OverridePolicy
	// GroupID is the Connect cluster's; "" in standalone mode, which checks
	// neither consumer groups nor exactly-once.
	GroupID string
	// WorkerConsumer holds the worker's consumer.* settings, without prefix.
	WorkerConsumer config.Props
	// ExactlyOnceEnabled tells that exactly.once.source.support is enabled.
	ExactlyOnceEnabled bool
	// ExactlyOnce asks the connector, built from this configuration, what it
	// promises. Nil: it does not say.
	ExactlyOnce func() (supported, boundaries bool)
	// Defaults are what the worker uses where the connector says nothing: shown
	// as defaults of key.converter and the like.
	Defaults config.Props
}

// NullMessage is Kafka Connect's error for a key whose JSON value is null.
const NullMessage = "Null value can not be supplied as the configuration value."

// The messages of Kafka Connect's checks of exactly-once.
const (
	noSupportOnWorker = "This worker does not have exactly-once source support enabled."
	noSupport         = "The connector does not support exactly-once semantics with the provided configuration."
	supportUnknown    = "The connector does not implement the API required for preflight validation of exactly-once source support. " +
		"Please consult the documentation for the connector to determine whether it supports exactly-once semantics, and then consider " +
		"reconfiguring the connector to use the value \"requested\" for this property (which will disable this preflight check and allow " +
		"the connector to be created)."
	noBoundaries = "The connector does not support connector-defined transaction boundaries with the given configuration. " +
		"Please reconfigure it to use a different transaction boundary definition."
)

// Validate answers key by key, as PUT /connector-plugins/{plugin}/config/validate
// does: the framework's keys with those of the transforms and predicates, the
// keys of the connector (which win where both have a key), client overrides
// that are used, and the keys of the connector's own converters. ctx limits the
// connector's Probe, and may leave it out (config.Probing).
func Validate(ctx context.Context, r Request) config.Result {
	var res config.Result
	common := &ConnectorConfig{Plugins: r.Plugins}
	chain := config.Probing(ctx, true) // probes of transforms look at their keys alone
	var source SourceConnectorConfig
	var sink SinkConnectorConfig
	if r.Source {
		source.Plugins = r.Plugins
		res = config.Validate(chain, r.Props, &source)
		common = &source.ConnectorConfig
		r.checkExactlyOnce(&res, &source)
	} else {
		sink.Plugins = r.Plugins
		res = config.Validate(chain, r.Props, &sink)
		common = &sink.ConnectorConfig
	}
	r.showDefaults(&res)
	r.showVersions(&res, common)
	for _, key := range r.Props.Keys() {
		if r.Props[key] == config.Null {
			res.AddError(key, NullMessage)
		}
	}
	if r.Connector != nil {
		res.Merge(config.Validate(ctx, r.Props, r.Connector))
	}
	for _, o := range r.overrides(common, &source, &sink) {
		res.Merge(o)
	}
	if !r.Source {
		r.checkGroup(&res, common.Name)
	}
	r.converters(ctx, &res, common)
	res.Name = r.Props["connector.class"]
	return res
}

// ValidateCommon answers for a connector of which there is no such version: about
// the keys that sources and sinks have in common.
func ValidateCommon(ctx context.Context, r Request) config.Result {
	common := &ConnectorConfig{Plugins: r.Plugins}
	res := config.Validate(ctx, r.Props, common)
	r.showVersions(&res, common)
	for _, key := range []string{"key.converter", "value.converter", "header.converter"} {
		// What could be chosen is not known without the connector.
		if _, given := r.Props[key]; given {
			continue
		}
		class, version := res.Find(key), res.Find(key+".plugin.version")
		class.Value.RecommendedValues, version.Value.RecommendedValues = []string{}, []string{}
		version.Value.Visible = false
	}
	res.Name = r.Props["connector.class"]
	return res
}

// showDefaults puts what the worker falls back on into definitions and values.
func (r Request) showDefaults(res *config.Result) {
	for _, key := range r.Defaults.Keys() {
		c, text := res.Find(key), r.Defaults[key]
		if c == nil || c.Definition == nil {
			continue
		}
		c.Definition.Default = &text
		if _, given := r.Props[key]; !given && len(c.Value.Errors) == 0 {
			c.Value.Value = &text
		}
	}
}

// showVersions puts the version that a plugin has into the definition and the
// value of the key that chooses among versions, where the configuration does not
// choose.
func (r Request) showVersions(res *config.Result, common *ConnectorConfig) {
	show := func(kind Kind, classKey, versionKey string) {
		class, version := res.Find(classKey), res.Find(versionKey)
		if class == nil || class.Value.Value == nil || version == nil {
			return
		}
		versions := r.Plugins.Versions(kind, *class.Value.Value)
		if len(versions) == 0 {
			return
		}
		newest := versions[len(versions)-1]
		version.Definition.Default = &newest
		if len(version.Value.RecommendedValues) == 0 { // the class is the worker's
			version.Value.RecommendedValues = versions
		}
		if version.Value.Value == nil && len(version.Value.Errors) == 0 {
			version.Value.Value = &newest
		}
	}
	show(Connector, "connector.class", "connector.plugin.version")
	show(Converter, "key.converter", "key.converter.plugin.version")
	show(Converter, "value.converter", "value.converter.plugin.version")
	show(HeaderConverter, "header.converter", "header.converter.plugin.version")
	for _, t := range common.Transforms {
		show(Transformation, t.Prefix()+"type", t.Prefix()+"plugin.version")
	}
	for _, p := range common.Predicates {
		show(Predicate, p.Prefix()+"type", p.Prefix()+"plugin.version")
	}
}

// checkGroup refuses a sink whose consumers would join the workers' own group.
func (r Request) checkGroup(res *config.Result, name string) {
	if r.GroupID == "" {
		return
	}
	clients := Clients{Worker: r.WorkerConsumer.WithPrefix("consumer."), Connector: r.Props, Name: name}
	if group, key := clients.SinkGroupOf(); group == r.GroupID {
		res.AddError(key, "Consumer group "+group+" conflicts with Connect worker group "+r.GroupID)
	}
}

// checkExactlyOnce holds what is asked for against what worker and connector can
// do. Standalone workers do not look at it.
func (r Request) checkExactlyOnce(res *config.Result, c *SourceConnectorConfig) {
	if r.GroupID == "" {
		return
	}
	clean := func(key string) bool { v := res.Find(key); return v != nil && len(v.Value.Errors) == 0 }
	var supported, boundaries bool
	if r.ExactlyOnce != nil {
		supported, boundaries = r.ExactlyOnce()
	}
	if c.ExactlyOnceSupport == ExactlyOnceRequired && clean("exactly.once.support") {
		switch {
		case !r.ExactlyOnceEnabled:
			res.AddError("exactly.once.support", noSupportOnWorker)
		case r.ExactlyOnce == nil:
			res.AddError("exactly.once.support", supportUnknown)
		case !supported:
			res.AddError("exactly.once.support", noSupport)
		}
	}
	if c.TransactionBoundary == BoundaryConnector && clean("transaction.boundary") && !boundaries {
		res.AddError("transaction.boundary", noBoundaries)
	}
}

// overrides answers for the overrides of the clients that the connector uses.
func (r Request) overrides(common *ConnectorConfig, source *SourceConnectorConfig, sink *SinkConnectorConfig) []config.Result {
	ownOffsets := r.ExactlyOnceEnabled || source.OffsetsStorageTopic != ""
	letters := sink.DeadLetterTopic != "" || source.DeadLetters.Topic != ""
	uses := []struct {
		prefix    string
		overrides config.Props
		used      bool
	}{
		{ProducerOverridePrefix, common.ProducerOverride, r.Source || letters},
		{AdminOverridePrefix, common.AdminOverride, letters || r.Source && (sourceUsesAdmin(r.Props) || ownOffsets)},
		{ConsumerOverridePrefix, common.ConsumerOverride, !r.Source || ownOffsets},
	}
	var out []config.Result
	for _, u := range uses {
		if u.used && len(u.overrides) > 0 {
			out = append(out, r.override(u.prefix, u.overrides))
		}
	}
	return out
}

// override answers for one client. Its keys have no definition: what a setting
// of a client means is the client's affair, its type aside.
func (r Request) override(prefix string, overrides config.Props) config.Result {
	var res config.Result
	shown := overrides.Masked()
	for _, key := range slices.Backward(overrides.Keys()) {
		value := shown[key]
		v := config.ValueInfo{Name: prefix + key, Value: &value, RecommendedValues: []string{}, Errors: []string{}, Visible: true}
		if err := r.Policy.Check(key); err != nil {
			v.Errors = append(v.Errors, err.(*config.KeyError).Err.Error())
		}
		if err := config.CheckType(overrides[key], ClientType(prefix, key)); err != nil && overrides[key] != config.Null {
			v.Errors = append(v.Errors, "Invalid value "+value+" for configuration "+key+": "+err.Error())
		}
		res.Configs = append(res.Configs, config.ConfigValue{Value: v})
	}
	return res
}

// converters answers for the keys of the converters that the connector brings
// itself.
func (r Request) converters(ctx context.Context, res *config.Result, c *ConnectorConfig) {
	for _, conv := range []struct {
		key  string
		kind Kind
		ref  PluginRef
	}{
		{"key.converter", Converter, c.KeyConverter},
		{"value.converter", Converter, c.ValueConverter},
		{"header.converter", HeaderConverter, c.HeaderConverter},
	} {
		own := res.Find(conv.key)
		if conv.ref.Class == "" || own == nil || len(own.Value.Errors) > 0 {
			continue
		}
		plugin, err := r.Plugins.Find(conv.kind, conv.ref.Class, conv.ref.Version)
		if err != nil || plugin.Config == nil {
			continue
		}
		prefix := conv.key + "."
		props := r.Props.Prefix(prefix)
		props["converter.type"], _, _ = strings.Cut(conv.key, ".")
		answer := config.Validate(ctx, props, plugin.Config())
		res.Merge(answer.Prefixed(prefix))
	}
}

// Keys returns what GET /connector-plugins/{plugin}/config shows of a connector:
// its own keys, then those of the framework that it does not have itself.
func Keys(source bool, connector config.Describer) []config.KeyInfo {
	own := config.Keys(connector)
	var framework config.Describer = new(SinkConnectorConfig)
	if source {
		framework = new(SourceConnectorConfig)
	}
	have := map[string]bool{}
	for _, k := range own {
		have[k.Name] = true
	}
	for _, k := range config.Keys(framework) {
		if !have[k.Name] {
			own = append(own, k)
		}
	}
	return own
}
