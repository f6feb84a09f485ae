package connect

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/streamlane/connect/config"
)

// PluginKind tells what a plugin makes.
type PluginKind uint8

// The kinds of plugins.
const (
	SourcePlugin PluginKind = iota + 1
	SinkPlugin
	TransformPlugin
	PredicatePlugin
	ConverterPlugin
	HeaderConverterPlugin
)

// String returns the kind as Kafka Connect's REST interface prints it.
func (k PluginKind) String() string {
	switch k {
	case SourcePlugin:
		return "source"
	case SinkPlugin:
		return "sink"
	case TransformPlugin:
		return "transformation"
	case PredicatePlugin:
		return "predicate"
	case ConverterPlugin:
		return "converter"
	case HeaderConverterPlugin:
		return "header_converter"
	}
	return fmt.Sprintf("PluginKind(%d)", k)
}

// Info says what a plugin is.
type Info struct {
	// Class is the plugin's own name, by which configurations choose it.
	Class string
	// Version, such as 1.2.0.
	Version string
	// Doc is one sentence for people.
	Doc string
	// StandsFor lists the Java classes that the plugin stands in for. Their
	// full names, simple names and usual short forms choose it too.
	StandsFor []JavaClass
}

// A JavaClass names a class of Java's Kafka Connect.
type JavaClass struct {
	// Class is the full name of the connector, transform or converter.
	Class string
	// Task is the full name of a connector's task class. It is what a task set
	// names that a Java worker may have to run.
	Task string
}

// A Plugin is a connector, transform, predicate or converter that a Runtime can
// be given. It is a value, made by Source, Sink, Transformer, Predicator,
// ConverterOf or HeaderConverterOf, and holds no state. The zero Plugin is
// refused by New.
type Plugin struct {
	info Info
	kind PluginKind
	err  error // what is wrong with the plugin itself; reported by New

	// describe returns a new, empty configuration of the connector (or
	// transform, ...), describeTask one of a connector's task.
	describe     func() config.Describer
	describeTask func() config.Describer

	connector  construct[connectorInstance]
	sourceTask construct[SourceTask]
	sinkTask   construct[SinkTask]
	transform  construct[Transform]
	predicate  construct[Predicate]
	converter  construct[Converter]
	header     construct[HeaderConverter]
}

// construct decodes a configuration and makes an X of it. raw is the text
// before placeholders were resolved: secrets are written back as it.
type construct[X any] func(resolved, raw config.Props) (X, error)

// Info returns what the plugin is.
func (p Plugin) Info() Info { return p.info }

// Kind tells what the plugin makes.
func (p Plugin) Kind() PluginKind { return p.kind }

// Config returns a new, empty configuration of the plugin, for documentation
// and validation.
func (p Plugin) Config() config.Describer { return p.describe() }

// TaskConfig returns a new, empty configuration of a connector's task; nil for
// other plugins.
func (p Plugin) TaskConfig() config.Describer {
	if p.describeTask == nil {
		return nil
	}
	return p.describeTask()
}

// connectorInstance is a Connector[T] whose T the engine does not see.
type connectorInstance struct {
	start   func(context.Context, ConnectorContext) error
	configs func(ctx context.Context, max int) ([]config.Props, error)
	stop    func(context.Context) error
	// value is the connector itself, for its optional abilities.
	value any
}

// Source makes a plugin of a source connector. C configures the connector, T
// one of its tasks; both describe their keys on their pointers. OneTask is the
// connector of work that does not split.
func Source[C, T any, CN Connector[T], ST SourceTask, PC pointerDescriber[C], PT pointerDescriber[T]](
	info Info, connector func(C) (CN, error), task func(T) (ST, error),
) Plugin {
	p := connectorPlugin[C, T, CN, PC, PT](info, SourcePlugin, connector)
	p.err = errors.Join(p.err, checkAbilities(reflect.TypeFor[ST](), sourceTaskAbilities), checkAbilities(reflect.TypeFor[CN](), connectorAbilities))
	build := builder[T, ST, PT](task)
	p.sourceTask = func(resolved, raw config.Props) (SourceTask, error) {
		t, err := build(resolved, raw)
		if err != nil {
			return nil, err
		}
		return t, checkAbilities(reflect.TypeOf(t), sourceTaskAbilities)
	}
	return p
}

// Sink makes a plugin of a sink connector; see Source.
func Sink[C, T any, CN Connector[T], ST SinkTask, PC pointerDescriber[C], PT pointerDescriber[T]](
	info Info, connector func(C) (CN, error), task func(T) (ST, error),
) Plugin {
	p := connectorPlugin[C, T, CN, PC, PT](info, SinkPlugin, connector)
	p.err = errors.Join(p.err, checkAbilities(reflect.TypeFor[ST](), sinkTaskAbilities), checkAbilities(reflect.TypeFor[CN](), connectorAbilities))
	build := builder[T, ST, PT](task)
	p.sinkTask = func(resolved, raw config.Props) (SinkTask, error) {
		t, err := build(resolved, raw)
		if err != nil {
			return nil, err
		}
		return t, checkAbilities(reflect.TypeOf(t), sinkTaskAbilities)
	}
	return p
}

// Transformer makes a plugin of a transform.
func Transformer[C any, X Transform, PC pointerDescriber[C]](info Info, build func(C) (X, error)) Plugin {
	p := newPlugin[C, PC](info, TransformPlugin)
	make := builder[C, X, PC](build)
	p.transform = func(resolved, raw config.Props) (Transform, error) { return make(resolved, raw) }
	return p
}

// Predicator makes a plugin of a predicate.
func Predicator[C any, X Predicate, PC pointerDescriber[C]](info Info, build func(C) (X, error)) Plugin {
	p := newPlugin[C, PC](info, PredicatePlugin)
	make := builder[C, X, PC](build)
	p.predicate = func(resolved, raw config.Props) (Predicate, error) { return make(resolved, raw) }
	return p
}

// ConverterOf makes a plugin of a converter. Its configuration has the key
// converter.type, "key" or "value", which the engine sets. A converter that
// also implements HeaderConverter can be chosen as header converter too, with
// the type "header".
func ConverterOf[C any, X Converter, PC pointerDescriber[C]](info Info, build func(C) (X, error)) Plugin {
	p := newPlugin[C, PC](info, ConverterPlugin)
	make := builder[C, X, PC](build)
	p.converter = func(resolved, raw config.Props) (Converter, error) { return make(resolved, raw) }
	if reflect.TypeFor[X]().Implements(reflect.TypeFor[HeaderConverter]()) {
		p.header = func(resolved, raw config.Props) (HeaderConverter, error) {
			x, err := make(resolved, raw)
			if err != nil {
				return nil, err
			}
			return any(x).(HeaderConverter), nil
		}
	}
	return p
}

// HeaderConverterOf makes a plugin of a header converter that is no Converter.
func HeaderConverterOf[C any, X HeaderConverter, PC pointerDescriber[C]](info Info, build func(C) (X, error)) Plugin {
	p := newPlugin[C, PC](info, HeaderConverterPlugin)
	make := builder[C, X, PC](build)
	p.header = func(resolved, raw config.Props) (HeaderConverter, error) { return make(resolved, raw) }
	return p
}

// pointerDescriber is the pointer to a configuration struct T.
type pointerDescriber[T any] interface {
	*T
	config.Describer
}

func newPlugin[C any, PC pointerDescriber[C]](info Info, kind PluginKind) Plugin {
	p := Plugin{info: info, kind: kind, describe: func() config.Describer { return PC(new(C)) }}
	if info.Class == "" {
		p.err = errors.New("plugin: Info.Class is empty")
	}
	return p
}

func connectorPlugin[C, T any, CN Connector[T], PC pointerDescriber[C], PT pointerDescriber[T]](
	info Info, kind PluginKind, build func(C) (CN, error),
) Plugin {
	p := newPlugin[C, PC](info, kind)
	p.describeTask = func() config.Describer { return PT(new(T)) }
	make := builder[C, CN, PC](build)
	p.connector = func(resolved, raw config.Props) (connectorInstance, error) {
		c, err := make(resolved, raw)
		if err != nil {
			return connectorInstance{}, err
		}
		inst := connectorInstance{start: c.Start, stop: c.Stop, value: c, configs: encodeConfigs[T, CN, PT](c)}
		if raw, ok := any(c).(RawTaskConfigs); ok {
			inst.configs = raw.RawTaskConfigs
		}
		return inst, checkAbilities(reflect.TypeOf(c), connectorAbilities)
	}
	return p
}

func encodeConfigs[T any, CN Connector[T], PT pointerDescriber[T]](c CN) func(context.Context, int) ([]config.Props, error) {
	return func(ctx context.Context, max int) ([]config.Props, error) {
		typed, err := c.TaskConfigs(ctx, max)
		if err != nil {
			return nil, err
		}
		props := make([]config.Props, len(typed))
		for i := range typed {
			props[i] = config.Encode(PT(&typed[i]))
		}
		return props, nil
	}
}

// builder decodes a configuration, then constructs.
func builder[C, X any, PC pointerDescriber[C]](build func(C) (X, error)) construct[X] {
	return func(resolved, raw config.Props) (X, error) {
		var c C
		if err := config.DecodeResolved(resolved, raw, PC(&c)); err != nil {
			var none X
			return none, err
		}
		return build(c)
	}
}

// abilities maps the names of optional methods to the interfaces that they
// belong to.
type abilities map[string]reflect.Type

func sourceTaskAbilities() abilities {
	return abilities{
		"CommitRecords": reflect.TypeFor[DeliveryCommitter](),
		"Commit":        reflect.TypeFor[Committer](),
	}
}

func sinkTaskAbilities() abilities {
	return abilities{
		"Open":      reflect.TypeFor[Opener](),
		"Close":     reflect.TypeFor[Closer](),
		"Flush":     reflect.TypeFor[Flusher](),
		"PreCommit": reflect.TypeFor[PreCommitter](),
		"Claim":     reflect.TypeFor[DurableOffsets](),
	}
}

func connectorAbilities() abilities {
	return abilities{
		"RawTaskConfigs": reflect.TypeFor[RawTaskConfigs](),
		"ExactlyOnce":    reflect.TypeFor[ExactlyOnce](),
	}
}

// checkAbilities refuses a method that has the name of an optional ability but
// not its signature: a near miss that is silently ignored would, for PreCommit
// say, let offsets run ahead of the data.
func checkAbilities(t reflect.Type, known func() abilities) error {
	if t == nil || t.Kind() == reflect.Interface {
		return nil // looked at again when there is an instance
	}
	var errs []error
	for name, want := range known() {
		m, ok := t.MethodByName(name)
		if ok && !t.Implements(want) {
			errs = append(errs, fmt.Errorf("%v: method %s has the signature %v, want that of connect.%s", t, name, m.Type, want.Name()))
		}
	}
	return errors.Join(errs...)
}
