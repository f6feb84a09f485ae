package converters

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// String is the plugin of [StringConverter].
var String = connect.ConverterOf(connect.Info{
	Class:     "StringConverter",
	Version:   version,
	Doc:       "Writes any data as its text and reads text.",
	StandsFor: []connect.JavaClass{{Class: "org.apache.kafka.connect.storage.StringConverter"}},
}, NewString)

// StringConfig configures a StringConverter.
type StringConfig struct {
	Use Use
	// Encoding is the name of a charset as Java knows it; "" is UTF-8.
	Encoding string
}

// Describe declares the keys.
func (c *StringConfig) Describe(d *config.Def) {
	describeUse(d, &c.Use)
	config.String(d, &c.Encoding, "converter.encoding").Default("UTF-8").
		Importance(config.High).Width(config.MediumWidth).DisplayName("Encoding").
		Check(config.CheckFunc("UTF-8, US-ASCII, ISO-8859-1, ISO-8859-15, windows-1252, UTF-16, UTF-16BE, UTF-16LE "+
			"or another of Java's names for these", func(name string) error {
			_, err := charsetOf(name)
			return err
		})).
		Doc("The name of the Java character set to use for encoding strings as byte arrays.")
}

// A StringConverter writes the text of any value, as Java's toString gives it
// ([data.Value.String]), and reads text. It keeps no state and may be used by
// many goroutines at once. Its twin is
// org.apache.kafka.connect.storage.StringConverter; an unknown encoding is an
// error when it is made, not at the first record.
type StringConverter struct{ charset charset }

// NewString returns a converter. It fails if the encoding is unknown.
func NewString(c StringConfig) (*StringConverter, error) {
	if c.Encoding == "" {
		c.Encoding = "UTF-8"
	}
	cs, err := charsetOf(c.Encoding)
	if err != nil {
		return nil, &config.KeyError{Key: "converter.encoding", Value: c.Encoding, Err: err}
	}
	return &StringConverter{charset: cs}, nil
}

// AppendEncode implements [connect.Converter]. Null, under any schema, is Kafka's
// null. Characters that the charset lacks become question marks.
func (c *StringConverter) AppendEncode(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
	return c.AppendEncodeHeader(dst, "", "", d)
}

// AppendEncodeHeader implements [connect.HeaderConverter], as AppendEncode.
func (c *StringConverter) AppendEncodeHeader(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) {
	switch {
	case d.Value.IsNull():
		return dst, true, nil
	case c.charset.encode == nil:
		return d.Value.Append(dst), false, nil
	}
	return c.charset.encode(dst, d.Value.String()), false, nil
}

// Decode implements [connect.Converter]. The schema is optional STRING. What the
// charset does not know becomes U+FFFD, as in Java. Text in UTF-8 aliases b.
func (c *StringConverter) Decode(_ context.Context, _ *connect.Wire, b []byte) (connect.Datum, error) {
	return c.DecodeHeader("", "", b)
}

// DecodeHeader implements [connect.HeaderConverter], as Decode.
func (c *StringConverter) DecodeHeader(_, _ string, b []byte) (connect.Datum, error) {
	d := connect.Datum{Schema: data.OptionalStringSchema}
	if b != nil {
		d.Value = data.String(c.charset.decode(b))
	}
	return d, nil
}

// charsetOf finds a charset by one of its names in Java.
func charsetOf(name string) (charset, error) {
	cs, ok := lookupCharset(name)
	if !ok {
		return charset{}, fmt.Errorf("Unsupported encoding %s", name)
	}
	return cs, nil
}
