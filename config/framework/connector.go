package framework

import (
	"errors"
	"time"

	"github.com/streamlane/connect/config"
)

// Groups of keys, as REST answers and reference pages show them.
const (
	groupCommon        = "Common"
	groupTransforms    = "Transforms"
	groupPredicates    = "Predicates"
	groupErrors        = "Error Handling"
	groupTopicCreation = "Topic Creation"
	groupExactlyOnce   = "Exactly Once Support"
	groupOffsetsTopic  = "offsets.topic"
)

// ReloadAction says what happens when a value of a config provider expires.
type ReloadAction string

// The actions.
const (
	ReloadNone    ReloadAction = "none"
	ReloadRestart ReloadAction = "restart"
)

// Tolerance says what happens to records that cannot be processed.
type Tolerance string

// The tolerances.
const (
	TolerateNone Tolerance = "none"
	TolerateAll  Tolerance = "all"
)

// ConnectorConfig holds the keys that source and sink connectors share (Java's
// ConnectorConfig).
type ConnectorConfig struct {
	Name             string
	Class            string
	Version          string // range; "": any
	TasksMax         int
	TasksMaxEnforce  bool
	KeyConverter     PluginRef // zero Class: the worker's
	ValueConverter   PluginRef
	HeaderConverter  PluginRef
	TransformAliases []string
	PredicateAliases []string
	ReloadAction     ReloadAction
	// ErrorsRetryTimeout limits the retries of one failed operation; 0: none,
	// negative: for ever.
	ErrorsRetryTimeout       time.Duration
	ErrorsRetryDelayMax      time.Duration
	ErrorsTolerance          Tolerance
	ErrorsLogEnable          bool
	ErrorsLogIncludeMessages bool

	// Transforms and Predicates are decoded for each alias, in order.
	Transforms []*TransformConfig
	Predicates []*PredicateConfig

	// Overrides of the settings of clients, without their prefixes.
	ProducerOverride, ConsumerOverride, AdminOverride config.Props

	// Plugins is no key: where the classes are looked up. Nil: nowhere, all are
	// taken as they are.
	Plugins Plugins
}

// PluginRef names a plugin and the range of its versions ("": any).
type PluginRef struct {
	Class, Version string
	// Config is what stands below the plugin's key, in raw text: the plugin's own
	// configuration.
	Config config.Props
}

// The prefixes of client overrides.
const (
	ProducerOverridePrefix = "producer.override."
	ConsumerOverridePrefix = "consumer.override."
	AdminOverridePrefix    = "admin.override."
)

// Describe declares the common keys.
func (c *ConnectorConfig) Describe(d *config.Def) {
	c.describeIdentity(d)
	c.describeConverters(d)
	c.describeChain(d)
	c.describeErrors(d)
	config.Map(d, &c.ProducerOverride, ProducerOverridePrefix, "Settings of the connector's producers, within the worker's override policy.")
	config.Map(d, &c.ConsumerOverride, ConsumerOverridePrefix, "Settings of the connector's consumers, within the worker's override policy.")
	config.Map(d, &c.AdminOverride, AdminOverridePrefix, "Settings of the connector's admin clients, within the worker's override policy.")
}

func (c *ConnectorConfig) describeIdentity(d *config.Def) {
	config.String(d, &c.Name, "name").Importance(config.High).Group(groupCommon, 1).Width(config.MediumWidth).
		DisplayName("Connector name").Check(config.NonEmptyWithoutControls()).
		Doc("Name of the connector, unique in the cluster.")
	config.String(d, &c.Class, "connector.class").Importance(config.High).Group(groupCommon, 2).Width(config.LongWidth).
		DisplayName("Connector class").
		Doc("Class of the connector: its name, its Java class, or the short form of either.")
	c.Plugins.version(d, &c.Version, "connector.plugin.version", Connector, &c.Class).Importance(config.Medium).
		Group(groupCommon, 3).Width(config.MediumWidth).DisplayName("Connector version").
		Doc("Version of the connector, or a range such as [1.0,2.0). Any, if left out.")
	config.Int(d, &c.TasksMax, "tasks.max").Default(1).Check(config.AtLeast(1)).Importance(config.High).
		Group(groupCommon, 4).Width(config.ShortWidth).DisplayName("Tasks max").
		Doc("Number of tasks at most.")
	config.Bool(d, &c.TasksMaxEnforce, "tasks.max.enforce").Default(true).Group(groupCommon, 5).Width(config.ShortWidth).
		DisplayName("Enforce tasks max").Deprecated("connectors have to respect tasks.max.").
		Doc("Whether a connector that asks for more tasks than tasks.max fails. Otherwise they run, with a warning.")
}

func (c *ConnectorConfig) describeConverters(d *config.Def) {
	converter := func(ref *PluginRef, what, title string, kind Kind, order int) {
		c.Plugins.class(d, &ref.Class, what+".converter", kind).Optional().Group(groupCommon, order).
			Width(config.ShortWidth).DisplayName(title + " converter class").
			Doc(title + " converter of this connector, which takes the keys below " + what + ".converter. from this configuration alone. The worker's, if left out.")
		c.Plugins.version(d, &ref.Version, what+".converter.plugin.version", kind, &ref.Class).Group(groupCommon, order+1).
			Width(config.ShortWidth).DisplayName(title + " converter version").
			Doc("Version of the " + what + " converter, or a range such as [1.0,2.0). Any, if left out.")
		config.Map(d, &ref.Config, what+".converter.", "Settings of the connector's own "+what+" converter.")
	}
	converter(&c.KeyConverter, "key", "Key", Converter, 6)
	converter(&c.ValueConverter, "value", "Value", Converter, 8)
	converter(&c.HeaderConverter, "header", "Header", HeaderConverter, 10)
}

func (c *ConnectorConfig) describeChain(d *config.Def) {
	config.List(d, &c.TransformAliases, "transforms").Default(nil).Check(config.Unique("transformation aliases")).
		Group(groupTransforms, 12).Width(config.LongWidth).DisplayName("Transforms").
		Doc("Aliases of the transforms that records go through, in order.")
	config.List(d, &c.PredicateAliases, "predicates").Default(nil).Check(config.Unique("predicate aliases")).
		Group(groupPredicates, 13).Width(config.LongWidth).DisplayName("Predicates").
		Doc("Aliases of the predicates that transforms may refer to.")
	config.Enum(d, &c.ReloadAction, "config.action.reload", ReloadNone, ReloadRestart).Default(ReloadRestart).
		Group(groupCommon, 14).Width(config.MediumWidth).DisplayName("Reload Action").
		Doc("What to do when a value that came from a config provider expires: none, or restart the connector.")
	d.Dynamic(c.describeStages)
}

func (c *ConnectorConfig) describeErrors(d *config.Def) {
	config.Millis(d, &c.ErrorsRetryTimeout, "errors.retry.timeout").Default(0).Importance(config.Medium).
		Group(groupErrors, 1).Width(config.MediumWidth).DisplayName("Retry Timeout for Errors").
		Doc("How long a failed operation is tried again, in milliseconds. 0: not at all, -1: for ever.")
	config.Millis(d, &c.ErrorsRetryDelayMax, "errors.retry.delay.max.ms").Default(time.Minute).Importance(config.Medium).
		Group(groupErrors, 2).Width(config.MediumWidth).DisplayName("Maximum Delay Between Retries for Errors").
		Doc("Longest pause between two tries, in milliseconds. Pauses double up to it, beyond it they are random.")
	config.Enum(d, &c.ErrorsTolerance, "errors.tolerance", TolerateNone, TolerateAll).Default(TolerateNone).
		Importance(config.Medium).Group(groupErrors, 3).Width(config.ShortWidth).DisplayName("Error Tolerance").
		Doc("What to do with a record that cannot be processed: none fails the task, all skips the record.")
	config.Bool(d, &c.ErrorsLogEnable, "errors.log.enable").Default(false).Importance(config.Medium).
		Group(groupErrors, 4).Width(config.ShortWidth).DisplayName("Log Errors").
		Doc("Whether tolerated errors are logged, with the failed operation and the record's place.")
	config.Bool(d, &c.ErrorsLogIncludeMessages, "errors.log.include.messages").Default(false).Importance(config.Medium).
		Group(groupErrors, 5).Width(config.ShortWidth).DisplayName("Log Error Details").
		Doc("Whether that log has the record's details too.")
}

// Check looks up the connector and converters with their versions.
func (c *ConnectorConfig) Check() error {
	var errs []error
	look := func(kind Kind, ref PluginRef, classKey, versionKey string) {
		_, found := c.Plugins.check(kind, ref.Class, ref.Version, classKey, versionKey)
		errs = append(errs, found...)
	}
	if len(c.Plugins.Classes(Connector)) > 0 {
		look(Connector, PluginRef{Class: c.Class, Version: c.Version}, "connector.class", "connector.plugin.version")
	}
	look(Converter, c.KeyConverter, "key.converter", "key.converter.plugin.version")
	look(Converter, c.ValueConverter, "value.converter", "value.converter.plugin.version")
	look(HeaderConverter, c.HeaderConverter, "header.converter", "header.converter.plugin.version")
	return errors.Join(errs...)
}
