package http

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// one polls a single record, or gives its error.
func one(t *testing.T, props config.Props, response string) (v data.Value, s *data.Schema, err error) {
	t.Helper()
	inBubble(t, props, nil, answer(response), func(r *rig) {
		records, failed := r.task.Poll(context.Background())
		if err = failed; err == nil {
			require.Len(t, records, 1)
			err = records[0].Err
			v, s = records[0].Value.Value, records[0].Value.Schema
		}
	})
	return v, s, err
}

func TestGivenSchema(t *testing.T) {
	field := func(typ string) string {
		return `{"type":"struct","fields":[{"field":"x",` + typ + `}]}`
	}
	for _, c := range []struct{ schema, response, want, err string }{
		{field(`"type":"int8"`), `{"x":-128}`, "Struct{x=-128}", ""},
		{field(`"type":"int8"`), `{"x":128}`, "", "/x: found 128, want a whole number of 8 bits"},
		{field(`"type":"int16"`), `{"x":1.5}`, "", "whole number of 16 bits"},
		{field(`"type":"int32"`), `{"x":3.0}`, "Struct{x=3}", ""},
		{field(`"type":"int64"`), `{"x":"9007199254740993"}`, "Struct{x=9007199254740993}", ""},
		{field(`"type":"int64"`), `{"x":12345678901234567890}`, "", "whole number of 64 bits"},
		{field(`"type":"float"`), `{"x":1}`, "Struct{x=1.0}", ""},
		{field(`"type":"double"`), `{"x":"2.5"}`, "Struct{x=2.5}", ""},
		{field(`"type":"boolean"`), `{"x":true}`, "Struct{x=true}", ""},
		{field(`"type":"boolean"`), `{"x":"maybe"}`, "", "/x"},
		{field(`"type":"string"`), `{"x":[1,{"a":null}]}`, `Struct{x=[1,{"a":null}]}`, ""},
		{field(`"type":"string"`), `{"x":12345678901234567890}`, `Struct{x=12345678901234567890}`, ""},
		{field(`"type":"string"`), `{"x":null}`, "", "x"},
		{field(`"type":"string","optional":true`), `{"y":1}`, "Struct{}", ""},
		{field(`"type":"string"`), `{"y":1}`, "", "x"},
		{field(`"type":"bytes"`), `{"x":"aGk="}`, "Struct{x=", ""},
		{field(`"type":"bytes"`), `{"x":"?"}`, "", "/x: found \"?\", want bytes in base64"},
		{field(`"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1`), `{"x":20484}`, "2026", ""},
		{field(`"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1`), `{"x":"12:30:00.5"}`, "12:30:00", ""},
		{field(`"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1`), `{"x":45000500}`, "12:30:00", ""},
		{field(`"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1`), `{"x":"noon"}`, "", "want a time for org.apache"},
		{field(`"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1`), `{"x":"2026-01-31T00:00:00Z"}`, "2026", ""},
		{field(`"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1`), `{"x":"soon"}`, "", "want a time"},
		{field(`"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1`), `{"x":"2026-01-31"}`, "2026", ""},
		{field(`"type":"array","items":{"type":"int32"}`), `{"x":[1,2]}`, "Struct{x=[1, 2]}", ""},
		{field(`"type":"array","items":{"type":"int32"}`), `{"x":7}`, "", "/x: found INT64, want a list"},
		{field(`"type":"array","items":{"type":"int32"}`), `{"x":[1,"a"]}`, "", "/x/1"},
		{field(`"type":"map","keys":{"type":"string"},"values":{"type":"int64"}`), `{"x":{"a":1}}`, "Struct{x={a=1}}", ""},
		{field(`"type":"struct","fields":[{"field":"y","type":"int8"}]`), `{"x":{"y":1,"z":2}}`, "Struct{x=Struct{y=1}}", ""},
		{field(`"type":"struct","fields":[{"field":"y","type":"int8"}]`), `{"x":1}`, "", "/x: found INT64, want an object"},
		{`{"type":"string"}`, `[{"a":1}]`, `{"a":1}`, ""},
	} {
		v, s, err := one(t, config.Props{"value.form": "given", "value.schema": c.schema}, c.response)
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, "%s under %s", c.response, c.schema)
			continue
		}
		if assert.NoError(t, err, "%s under %s", c.response, c.schema) {
			assert.Contains(t, v.String(), c.want, "%s under %s", c.response, c.schema)
			assert.NoError(t, data.Validate(s, v, "value"))
		}
	}
	for _, schema := range []string{"", "{", `{"type":"set"}`, `{"type":"array"}`, `{"type":"struct","fields":[{"field":"a","type":"x"}]}`, `{"type":"int32"} x`, `{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1}`} {
		keys, _ := config.KeyErrors(config.Decode(config.Props{"http.url": "http://a", "topic": "t", "value.form": "given", "value.schema": schema}, new(Config)))
		if assert.Len(t, keys, 1, schema) {
			assert.Equal(t, "value.schema", keys[0].Key)
		}
	}
	v, _, err := one(t, config.Props{"response.format": "csv", "value.form": "given",
		"value.schema": `{"type":"struct","fields":[{"field":"id","type":"int32"},{"field":"ok","type":"boolean"},{"field":"n","type":"double","optional":true}]}`}, "id,ok,n,more\n7,true,,x\n")
	require.NoError(t, err)
	assert.Equal(t, "Struct{id=7,ok=true}", v.String())
}

// No form of values changes what was there.
func TestNumbersAndNames(t *testing.T) {
	const text = `{"big":12345678901234567890,"small":-9223372036854775808,"f":1.5,"huge":1e999,"":"no name"}`
	v, _, err := one(t, config.Props{"value.form": "string"}, text)
	require.NoError(t, err)
	s, _ := v.Str()
	assert.Equal(t, `{"big":12345678901234567890,"small":-9223372036854775808,"f":1.5,"huge":"1e999","":"no name"}`, s)
	v, _, err = one(t, config.Props{"value.form": "inferred"}, strings.Replace(text, `,"":"no name"`, "", 1))
	require.NoError(t, err)
	assert.Equal(t, "Struct{big=12345678901234567890,small=-9223372036854775808,f=1.5,huge=1e999}", v.String())
	_, _, err = one(t, config.Props{"value.form": "inferred"}, text)
	assert.ErrorContains(t, err, "can be no field", "a member is never dropped")
}

// A schema that would grow for ever is an error rather than the end of memory.
func TestFieldsAreBounded(t *testing.T) {
	object := func(from, n int) string {
		m := map[string]int{}
		for i := range n {
			m[fmt.Sprint("k", from+i)] = i
		}
		text, err := json.Marshal(m)
		require.NoError(t, err)
		return string(text)
	}
	inBubble(t, config.Props{"value.form": "inferred"}, nil, answer(object(0, 6000), object(3000, 7000), object(10_000, 1)), func(r *rig) {
		r.poll()
		r.poll()
		require.ErrorContains(t, r.fails(), "value.form=schemaless")
		assert.Len(t, r.task.readers[0].shape.fields, maxFields)
	})
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name, response string
		props          config.Props
		want           []string
		err            string
	}{
		{"ndjson", "{\"a\":1}\r\n\n[2]\n", config.Props{"response.format": "ndjson"}, []string{`{"a":1}`, "[2]"}, ""},
		{"text", "a\r\n\nb", config.Props{"response.format": "text"}, []string{"a", "b"}, ""},
		{"csv", "\ufeffa,b\n1,\"x\n,y\"\n\n2,\n", config.Props{"response.format": "csv"}, []string{`{"a":"1","b":"x\n,y"}`, `{"a":"2","b":""}`}, ""},
		{"csv, no header", "1;2\n3;4;5\n", config.Props{"response.format": "csv", "csv.header": "false", "csv.delimiter": ";"}, []string{`{"c1":"1","c2":"2"}`, `{"c1":"3","c2":"4","c3":"5"}`}, ""},
		{"csv, a short line", "a,b\n1\n", config.Props{"response.format": "csv"}, nil, "1 fields, want 2"},
		{"csv, bad quotes", "a,b\n\"1,2\n", config.Props{"response.format": "csv", "retry.max.attempts": "1"}, nil, "no CSV"},
		{"xml", `<?xml version="1.0"?><!-- c --><r xmlns:n="u"><i id="1"><t>x</t><t>y &amp; z</t></i><i id="2">text<b/></i></r><!-- end -->`, config.Props{"response.format": "xml", "records.path": "/r/i"},
			[]string{`{"@id":"1","t":["x","y & z"]}`, `{"@id":"2","b":"","#text":"text"}`}, ""},
		{"xml, two roots", "<a/><b/>", config.Props{"response.format": "xml", "retry.max.attempts": "1"}, nil, "second element, <b>"},
		{"xml, text behind", "<a/>x", config.Props{"response.format": "xml", "retry.max.attempts": "1"}, nil, "text behind"},
		{"xml, not closed", "<a><b></a>", config.Props{"response.format": "xml", "retry.max.attempts": "1"}, nil, "no XML"},
		{"xml, an entity of its own", `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, config.Props{"response.format": "xml", "retry.max.attempts": "1"}, nil, "entity"},
		{"xml, deep", strings.Repeat("<a>", 2000), config.Props{"response.format": "xml", "retry.max.attempts": "1"}, nil, "levels"},
		{"json, deep", strings.Repeat("[", 5000), config.Props{"retry.max.attempts": "1"}, nil, "no JSON"},
		{"jsonpath", `{"s":[{"i":[1,2]},{"i":[3]}]}`, config.Props{"records.path": "$.s[*].i[*]"}, []string{"1", "2", "3"}, ""},
		{"jsonpath with a filter", `{"s":[{"k":1,"v":"a"},{"k":2,"v":"b"}]}`, config.Props{"records.path": "$.s[?(@.k > 1)].v"}, []string{`"b"`}, ""},
		{"one object", `{"data":{"a":1}}`, config.Props{"records.path": "/data"}, []string{`{"a":1}`}, ""},
		{"escaped pointer", `{"a/b":{"c~d":[1]}}`, config.Props{"records.path": "/a~1b/c~0d"}, []string{"1"}, ""},
		{"an element", `[[1],[2,3]]`, config.Props{"records.path": "/1"}, []string{"2", "3"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, c.props, nil, answer(c.response), func(r *rig) {
				if c.err != "" {
					assert.ErrorContains(t, r.fails(), c.err)
					return
				}
				assert.Equal(t, c.want, r.poll())
			})
		})
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 30, 0, 500_000_000, time.UTC)
	for text, want := range map[string]time.Time{
		`"2026-01-31T12:30:00.5Z"`: at, `"2026-01-31T13:30:00.5+01:00"`: at, `"2026-01-31T13:30:00.5+0100"`: at, `"2026-01-31 12:30:00.5"`: at, `"2026-01-31T12:30:00.5"`: at,
		`1769862600`: at.Truncate(time.Second), `1769862600500`: at, `1769862600500000`: at, `1769862600500000000`: at, `1769862600.5`: at, `"1769862600500"`: at,
		`"Sat, 31 Jan 2026 12:30:00 GMT"`: at.Truncate(time.Second), `"2026-01-31"`: at.Truncate(24 * time.Hour), "0": time.Unix(0, 0),
		`"soon"`: {}, `true`: {}, `[]`: {}, `""`: {}, `"0001-01-01"`: {}, `-9223372036854775808`: {}, `1e300`: {}, `"12345678901234567890"`: {},
	} {
		v, err := parseJSON([]byte(text))
		require.NoError(t, err)
		got, ok := timeOf(v)
		if want.IsZero() {
			if ok { // what is taken has to be storable
				assert.Equal(t, got.UnixNano(), time.Unix(0, got.UnixNano()).UnixNano(), text)
			}
			continue
		}
		if assert.True(t, ok, text) {
			assert.True(t, want.Equal(got), "%s: found %s, want %s", text, got, want)
		}
	}
}

func FuzzTimes(f *testing.F) {
	for _, text := range []string{`"2026-01-31T12:30:00.5Z"`, "1769862600.5", "-9223372036854775808", "1e300", `"Sat, 31 Jan 2026 12:30:00 GMT"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseJSON([]byte(text))
		if err != nil {
			return
		}
		if at, ok := timeOf(v); ok && !time.Unix(0, at.UnixNano()).Equal(at) {
			t.Fatalf("%s: %s does not survive the offset", text, at)
		}
	})
}

// Whatever header a server sends, what is found in it is a URL, and reading ends.
func FuzzLink(f *testing.F) {
	for _, text := range []string{`<http://a/?p=2>; rel="next"`, `</a>;rel=prev,</b>; title="x, <y>" ; rel="last next"`, `<a;rel=next`, `<a>; rel="next`, "<%zz>;rel=next"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if next := nextLink(linked(text)); next != "" && len(next) > 3*len(text)+len("http://a.test/dir/x") {
			t.Fatalf("%q leads to %q", text, next)
		}
	})
}

// No template and no pointer panics; what checks lets pass can be used.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{"/a/${cursor}?x=${since|unix}", "${", "${}", "${now|2006}", "?${offset}", "{\"a\":\"${cursor}\"}"} {
		f.Add(text, "a b/ü\"")
	}
	f.Fuzz(func(t *testing.T, text, cursor string) {
		var c Config
		if config.Decode(config.Props{"http.url": "http://a.test/x", "topic": "t", "path": text, "request.body": text, "request.header.X": text, "request.method": "POST"}, &c) != nil {
			return
		}
		base, err := parseURL(c.URL)
		if err != nil {
			t.Fatal(err)
		}
		p := position{cursor: cursor}
		r, err := c.base.request(base, &p)
		if err == nil && r.URL.Host != "a.test" {
			t.Fatalf("%q with %q goes to %s", text, cursor, r.URL)
		}
	})
}

func FuzzSelector(f *testing.F) {
	for _, text := range []string{"/a/0", "$.a[*]", "$..b", "$[?(@.a>1)]", "/~1", "$['a']"} {
		f.Add(text, `{"a":[{"b":1}]}`)
	}
	f.Fuzz(func(_ *testing.T, text, root string) {
		s, err := compile(text)
		if err != nil {
			return
		}
		v, err := parseJSON([]byte(root))
		if err != nil {
			return
		}
		_, _, _ = s.one(v)
		_, _ = s.list(v)
		_ = s.name(0)
	})
}

func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"struct","fields":[{"field":"a","type":"int8"}]}`, `{"a":"7"}`)
	f.Add(`{"type":"map","values":{"type":"array","items":{"type":"double"}}}`, `{"a":[1,"2"]}`)
	f.Fuzz(func(t *testing.T, schema, text string) {
		s, err := parseSchema(schema)
		if err != nil {
			return
		}
		v, err := parseJSON([]byte(text))
		if err != nil {
			return
		}
		if v, err = (conformer{lenient: true}).value(s, v, ""); err == nil {
			_ = data.Validate(s, v, "value")
		}
	})
}

// An offset that is read is written so that it reads the same.
func FuzzPosition(f *testing.F) {
	f.Add("c", int64(3), int64(1), int64(2), 1, "abcdefghijk", "abcdefghijkabcdefghijk", "e", true)
	f.Fuzz(func(t *testing.T, cursor string, n, since, high int64, index int, last, seen, etag string, done bool) {
		p := position{cursor: cursor, n: n, since: since, high: high, index: index, last: last, seen: seen, etag: etag, done: done}
		back, err := parsePosition(p.sourceOffset())
		if err != nil {
			if n >= 0 && index >= 0 && index <= math.MaxInt32 && len(last)%digestBytes == 0 && len(last) <= digestBytes && len(seen)%digestBytes == 0 {
				t.Fatal(err)
			}
			return
		}
		if back != p {
			t.Fatalf("%+v came back as %+v", p, back)
		}
	})
}

func TestLinks(t *testing.T) {
	for header, want := range map[string]string{
		`<http://b/?p=2>; rel="next"`: "http://b/?p=2", `<?p=2>; REL=NEXT`: "http://a.test/dir/x?p=2", `</y>; rel="prev next"`: "http://a.test/y", `<1>; rel=prev, <2>; rel=next`: "http://a.test/dir/2",
		`<1>; title="a, <b>; rel=next"; rel=last`: "", `<1`: "", `rel=next`: "", ``: "", `<1>; rel=nextish`: "", `<1>; rel="next`: "http://a.test/dir/1", "<%zz>; rel=next": "",
	} {
		assert.Equal(t, want, nextLink(linked(header)), header)
	}
}
