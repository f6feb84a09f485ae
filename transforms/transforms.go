package transforms

import (
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// version is that of Kafka whose transforms these behave like, so that configurations which pin a version go on working.
const version = "4.3.1"

// javaPackage is where Kafka's own transforms live in Java.
const javaPackage = "org.apache.kafka.connect.transforms."

// All returns every transform and predicate: Kafka's own, and those that stand in for others that users of Kafka Connect install.
func All() []connect.Plugin { return slices.Concat(Kafka(), others()) }

// Kafka returns the transforms and predicates that ship with Kafka Connect.
func Kafka() []connect.Plugin {
	return slices.Concat(
		sided("Cast", "Casts fields, or the whole of the %s, to other types.", newCast),
		one(dropHeadersPlugin()),
		sided("ExtractField", "Makes one field of the %s the whole of it.", newExtractField),
		one(filterPlugin()),
		sided("Flatten", "Turns a nested %s into one of a single level, with names made of the names on the way.", newFlatten),
		sided("HeaderFrom", "Copies or moves fields of the %s into headers.", newHeaderFrom),
		sided("HoistField", "Wraps the %s into a struct or map with a single field.", newHoistField),
		sided("InsertField", "Inserts fields with what is known of the record, or with a fixed text, into its %s.", newInsertField),
		one(insertHeaderPlugin()),
		sided("MaskField", "Replaces fields of the %s by an empty value, or by one of your own.", newMaskField),
		one(regexRouterPlugin()),
		sided("ReplaceField", "Drops, keeps and renames fields of the %s.", newReplaceField),
		sided("SetSchemaMetadata", "Sets name and version of the schema of the %s.", newSetSchemaMetadata),
		sided("TimestampConverter", "Converts points in time in the %s between text, numbers, dates, times and timestamps.", newTimestampConverter),
		one(timestampRouterPlugin()),
		one(valueToKeyPlugin()),
		one(hasHeaderKeyPlugin(), recordIsTombstonePlugin(), topicNameMatchesPlugin()),
	)
}

// others returns what Kafka does not have.
func others() []connect.Plugin {
	const aiven, confluent, custenborder = "io.aiven.kafka.connect.transforms.", "io.confluent.connect.transforms.",
		"com.github.jcustenborder.kafka.connect.transform.common."
	return slices.Concat(
		sidedOurs("CaseTransform", "Brings fields of the %s to lower or upper case.", newCaseTransform, aiven+"CaseTransform"),
		sidedOurs("ConcatFields", "Adds a field to the %s that joins others.", newConcatFields, aiven+"ConcatFields"),
		sidedOurs("Drop", "Replaces the %s by null.", newDrop, confluent+"Drop"),
		one(extractNewRecordStatePlugin()),
		sidedOurs("ExtractTimestamp", "Takes the timestamp of records from a field of the %s.", newExtractTimestamp, aiven+"ExtractTimestamp", custenborder+"ExtractTimestamp"),
		sidedOurs("ExtractTopic", "Takes the topic from the %s, or from a field of it.", newExtractTopic, confluent+"ExtractTopic", aiven+"ExtractTopic"),
		one(extractTopicHeaderPlugin()),
		sidedOurs("ExtractTopicFromSchemaName", "Makes the topic of the name of the schema of the %s.", newExtractTopicFromSchemaName,
			aiven+"ExtractTopicFromSchemaName", custenborder+"SchemaNameToTopic"),
		sidedOurs("FilterByFieldValue", "Keeps or drops records by one field of the %s.", newFilterByFieldValue, aiven+"FilterByFieldValue"),
		sidedOurs("FilterByPath", "Keeps or drops records by a JSONPath on the %s.", newFilterByPath, confluent+"Filter"),
		sidedOurs("FlattenArrays", "Makes text, or fields with a number, of arrays in the %s.", newFlattenArrays),
		sidedOurs("FromJSON", "Reads the %s as JSON.", newFromJSON),
		sidedOurs("GzipDecompress", "Decompresses the bytes of the %s.", newGzipDecompress, confluent+"GzipDecompress"),
		sidedOurs("Hash", "Replaces the %s, or a field of it, by its digest.", newHash, aiven+"Hash"),
		one(keyToValuePlugin(), logicalTableRouterPlugin(), makeTombstonePlugin(), messageTimestampRouterPlugin(), outboxEventRouterPlugin(),
			tombstoneHandlerPlugin(), topicRegexRouterPlugin()),
		sidedOurs("ToJSON", "Makes text of JSON of the %s.", newToJSON, custenborder+"ToJSON"),
	)
}

func one(p ...connect.Plugin) []connect.Plugin { return p }

// info describes the transform with that simple name in Java.
func info(name, doc string) connect.Info {
	return connect.Info{
		Class:     name,
		Version:   version,
		Doc:       doc,
		StandsFor: []connect.JavaClass{{Class: javaPackage + name}},
	}
}

// ownVersion is that of transforms which stand in for others than Kafka's.
const ownVersion = "1.0.0"

// ours describes a transform of a name of our own, with the Java classes that it stands in for.
func ours(name, doc string, classes ...string) connect.Info {
	i := connect.Info{Class: name, Version: ownVersion, Doc: doc}
	for _, c := range classes {
		i.StandsFor = append(i.StandsFor, connect.JavaClass{Class: c})
	}
	return i
}

// sidedOurs is sided for such a transform. To each class $Key or $Value is added.
func sidedOurs[C any, X connect.Transform, PC interface {
	*C
	config.Describer
}](name, doc string, build func(C, side) (X, error), classes ...string) []connect.Plugin {
	plugins := make([]connect.Plugin, 0, 2)
	for _, s := range []side{keySide, valueSide} {
		i := ours(name+"$"+s.String(), fmt.Sprintf(doc, s.lower()))
		for _, c := range classes {
			i.StandsFor = append(i.StandsFor, connect.JavaClass{Class: c + "$" + s.String()})
		}
		plugins = append(plugins, connect.Transformer[C, X, PC](i, func(c C) (X, error) { return build(c, s) }))
	}
	return plugins
}

// refuseKey declares a key of a class that a transform stands in for, which would change the result and is not supported. The reason says
// what to do without it.
func refuseKey(d *config.Def, key, reason string) {
	refused := config.CheckFunc("nothing", func(string) error { return fmt.Errorf("this key is not supported here: %s", reason) })
	config.String(d, new(string), key).Optional().Check(refused).Doc("Not supported: " + reason + ".")
}

// predicateInfo describes the predicate with that simple name in Java.
func predicateInfo(name, doc string) connect.Info {
	i := info(name, doc)
	i.StandsFor[0].Class = javaPackage + "predicates." + name
	return i
}

// sided makes the two plugins of a transform that works on the key or on the value. The place for the word is %s in doc.
func sided[C any, X connect.Transform, PC interface {
	*C
	config.Describer
}](name, doc string, build func(C, side) (X, error)) []connect.Plugin {
	plugins := make([]connect.Plugin, 0, 2)
	for _, s := range []side{keySide, valueSide} {
		i := info(name+"$"+s.String(), fmt.Sprintf(doc, s.lower()))
		plugins = append(plugins, connect.Transformer[C, X, PC](i, func(c C) (X, error) { return build(c, s) }))
	}
	return plugins
}

// A side is the part of a record that a transform works on.
type side bool

const (
	keySide   side = false
	valueSide side = true
)

// String returns the word that the names of classes end in.
func (s side) String() string {
	if s == keySide {
		return "Key"
	}
	return "Value"
}

// lower is the word for errors.
func (s side) lower() string {
	if s == keySide {
		return "key"
	}
	return "value"
}

// of returns that part of r.
func (s side) of(r *connect.Record) *connect.Datum {
	if s == keySide {
		return &r.Key
	}
	return &r.Value
}

// A reshaper changes key or value, in one way under a schema and in another without.
type reshaper interface {
	withSchema(r *connect.Record, d connect.Datum) (connect.Datum, error)
	schemaless(r *connect.Record, v data.Value) (connect.Datum, error)
}

// reshape applies x to one side of r. That side changes if there is no error.
func reshape(r *connect.Record, s side, x reshaper) (keep bool, err error) {
	d := s.of(r)
	var changed connect.Datum
	if d.Schema == nil {
		changed, err = x.schemaless(r, d.Value)
	} else {
		changed, err = x.withSchema(r, *d)
	}
	if err != nil {
		return false, err
	}
	*d = changed
	return true, nil
}

// passNull is reshape for transforms that let null pass as it is.
func passNull(r *connect.Record, s side, x reshaper) (keep bool, err error) {
	if s.of(r).Value.IsNull() {
		return true, nil
	}
	return reshape(r, s, x)
}

// fieldList checks a list of names: no empty ones, and some at all unless empty is true. Doubles count once, as in Java.
func fieldList(empty bool) config.Check[[]string] {
	return config.CheckFunc("", func(names []string) error {
		switch {
		case slices.Contains(names, ""):
			return config.Message("Configuration '%s' values must not be empty.")
		case len(names) == 0 && !empty:
			return config.Message("Configuration '%s' must not be empty. Valid values include: any non-empty value")
		}
		return nil
	})
}

// defaultsKey declares the key that most transforms have since KIP-1040.
func defaultsKey(d *config.Def, p *bool) {
	config.Bool(d, p, "replace.null.with.default").Default(true).Importance(config.Medium).
		Doc("Whether fields that are null and have a default are copied as their default. Otherwise they stay null.")
}
