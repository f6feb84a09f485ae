package converters

import (
	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// SimpleHeader is the plugin of [SimpleHeaderConverter], the header converter
// that Kafka Connect uses where none is configured.
var SimpleHeader = connect.HeaderConverterOf(connect.Info{
	Class:     "SimpleHeaderConverter",
	Version:   version,
	Doc:       "Writes headers as text and infers their schemas from the text.",
	StandsFor: []connect.JavaClass{{Class: "org.apache.kafka.connect.storage.SimpleHeaderConverter"}},
}, func(SimpleHeaderConfig) (SimpleHeaderConverter, error) { return SimpleHeaderConverter{}, nil })

// SimpleHeaderConfig configures a SimpleHeaderConverter. It has no keys.
type SimpleHeaderConfig struct{}

// Describe declares nothing.
func (*SimpleHeaderConfig) Describe(*config.Def) {}

// A SimpleHeaderConverter writes the text of [data.Format] in UTF-8 and reads it
// with [data.Parse]. It keeps no state and may be used by many goroutines at
// once. Its twin is org.apache.kafka.connect.storage.SimpleHeaderConverter; dates
// are in UTC here, in the default zone of the JVM there.
type SimpleHeaderConverter struct{}

// AppendEncodeHeader implements [connect.HeaderConverter]. Null, under any
// schema, is Kafka's null.
func (SimpleHeaderConverter) AppendEncodeHeader(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) {
	if d.Value.IsNull() {
		return dst, true, nil
	}
	return data.AppendFormat(dst, d.Value), false, nil
}

// DecodeHeader implements [connect.HeaderConverter]. Kafka's null and the text
// null are schemaless null. There are no errors: what is nothing else is a STRING.
func (SimpleHeaderConverter) DecodeHeader(_, _ string, b []byte) (connect.Datum, error) {
	if b == nil {
		return connect.Datum{}, nil
	}
	schema, v := data.Parse(decodeUTF8(b))
	return connect.Datum{Schema: schema, Value: v}, nil
}
