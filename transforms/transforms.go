package transforms

import "github.com/streamlane/connect"

// version is that of Kafka whose transforms these behave like, so that configurations which pin a version go on working.
const version = "4.3.1"

// javaPackage is where the transforms live in Java.
const javaPackage = "org.apache.kafka.connect.transforms."

// All returns every transform.
func All() []connect.Plugin {
	return []connect.Plugin{
		insertFieldPlugin(keySide),
		insertFieldPlugin(valueSide),
		regexRouterPlugin(),
	}
}

// info describes the transform with that simple name in Java.
func info(name, doc string) connect.Info {
	return connect.Info{
		Class:     name,
		Version:   version,
		Doc:       doc,
		StandsFor: []connect.JavaClass{{Class: javaPackage + name}},
	}
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

// of returns that part of r.
func (s side) of(r *connect.Record) *connect.Datum {
	if s == keySide {
		return &r.Key
	}
	return &r.Value
}
