package cqlvalue_test

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// anchorCase is what dsbulk's codecs were seen to make of a value.
type anchorCase struct {
	Type, Kind, Text string
	Options          struct{ Timestamp, Date, Time, TimeZone, Unit string }
	Hex              *string
	Null, Fails      bool
}

// value returns the value; JSON as it is read inside of a collection.
func (c anchorCase) value(t *testing.T) data.Value {
	float := func(bits int) float64 {
		f, err := strconv.ParseFloat(c.Text, bits)
		require.NoError(t, err)
		return f
	}
	whole := func() int64 {
		n, err := strconv.ParseInt(c.Text, 10, 64)
		require.NoError(t, err)
		return n
	}
	switch c.Kind {
	case "STRING":
		return data.String(c.Text)
	case "INT8":
		return data.Int8(int8(whole()))
	case "INT16":
		return data.Int16(int16(whole()))
	case "INT32":
		return data.Int32(int32(whole()))
	case "INT64":
		return data.Int64(whole())
	case "FLOAT32":
		return data.Float32(float32(float(32)))
	case "FLOAT64":
		return data.Float64(float(64))
	case "BOOLEAN":
		return data.Boolean(c.Text == "true")
	case "Decimal":
		return decimal(c.Text)
	case "Date":
		return data.DateMillis(whole())
	case "BYTES":
		return data.Bytes([]byte(c.Text))
	}
	require.Equal(t, "JSON", c.Kind)
	return cqlvalue.JSONValue(t, c.Text)
}

type anchorRule struct {
	why string
	is  func(c anchorCase) bool
}

// anchorDiffers are the rules by which this package does not do what dsbulk does,
// on purpose. Each must explain a case, and no case may go by without one.
var anchorDiffers = []anchorRule{
	{"commas stand between thousands", func(c anchorCase) bool { return c.Text == "1,23" || c.Text == "12,34" }},
	{"what is no number of the type is refused, not infinite", func(c anchorCase) bool { return c.Text == "1E400" }},
	{"a whole number that a float holds exactly fits it", func(c anchorCase) bool {
		return (c.Type == "float" || c.Type == "double") && (c.Text == "2147483648" || c.Text == "-9223372036854775808")
	}},
	{"a float of 32 bits is one of 64", func(c anchorCase) bool { return c.Type == "double" && c.Kind == "FLOAT32" }},
	{"a float that is a whole number is that number, not its shortest text", func(c anchorCase) bool { return c.Type == "varint" && c.Text == "1E300" }},
	{"blanks around a text do not count, nor for the scale", func(c anchorCase) bool { return strings.TrimSpace(c.Text) != c.Text }},
	{"booleans are text in ASCII, too", func(c anchorCase) bool { return c.Type == "ascii" && c.Kind == "BOOLEAN" }},
	{"what is not ASCII is refused, not a question mark", func(c anchorCase) bool { return c.Type == "ascii" && strings.ContainsAny(c.Text, "é\u00b5") }},
	{"timestamps are texts and units", func(c anchorCase) bool { return c.Kind == "Date" && c.Type != "timestamp" }},
	{"arrays and objects are refused, not null or text inside of numbers", func(c anchorCase) bool {
		return c.Kind == "JSON" && strings.ContainsAny(c.Text, "[{") || c.Type == "address" && c.Text == "[['a',1],['b',2]]"
	}},
	{"only texts and bytes are blobs", func(c anchorCase) bool { return c.Kind == "JSON" && c.Type == "blob" }},
	{"numbers stand for instants, and so do texts of digits", func(c anchorCase) bool {
		_, err := strconv.ParseFloat(strings.Trim(c.Text, `"`), 64)
		return err == nil && (c.Type == "timestamp" || c.Type == "uuid" || c.Type == "date" || c.Type == "time")
	}},
	{"a duration of nothing is none", func(c anchorCase) bool { return c.Text == "P" || c.Text == "PT" }},
	{"texts are JSON inside of JSON as well", func(c anchorCase) bool { return c.Type == "list<frozen<list<int>>>" && c.Text == "['1','2']" }},
}

// TestAsDsbulk goes through what the codecs of DataStax' connector were seen to do.
func TestAsDsbulk(t *testing.T) {
	in, err := os.Open("testdata/dsbulk.jsonl")
	require.NoError(t, err)
	defer in.Close()
	count, explained := 0, map[string]int{}
	for lines := bufio.NewScanner(in); lines.Scan(); count++ {
		var c anchorCase
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		o := cqlvalue.Options{Timestamp: c.Options.Timestamp, Date: c.Options.Date, Time: c.Options.Time, TimeZone: c.Options.TimeZone, Unit: c.Options.Unit}
		got := encode(encoder(t, typeOfAnchor(t, c.Type), o), c.value(t), nil)
		if c.same(got) {
			continue
		}
		i := slices.IndexFunc(anchorDiffers, func(rule anchorRule) bool { return rule.is(c) })
		require.GreaterOrEqual(t, i, 0, "%s of %s %q: %s", c.Type, c.Kind, c.Text, got)
		explained[anchorDiffers[i].why]++
	}
	require.Equal(t, 1953, count)
	for _, rule := range anchorDiffers {
		require.NotZero(t, explained[rule.why], rule.why)
	}
}

// same reports whether the result is Java's. UUIDs of instants agree in their time.
func (c anchorCase) same(got string) bool {
	switch {
	case c.Fails:
		return strings.HasPrefix(got, "error: ")
	case c.Null:
		return got == "null"
	case c.Type == "uuid" && len(got) == 32 && (*c.Hex)[12] == '1':
		return got[:16] == (*c.Hex)[:16]
	}
	return got == *c.Hex
}

func typeOfAnchor(t *testing.T, name string) gocql.TypeInfo {
	udt := gocql.UDTTypeInfo{Keyspace: "ks", Name: "address", Elements: []gocql.UDTField{{Name: "street", Type: typeOf("text")}, {Name: "zip", Type: typeOf("int")}}}
	switch name {
	case "address":
		return udt
	case "list<frozen<address>>":
		return wrap(t, udt)
	}
	return typeOf(name)
}
