package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// registryURL stands for the registry in pages.
const registryURL = "http://localhost:8081"

// A conversion is a configuration of a converter and data to show it on.
type conversion struct {
	class  string
	props  config.Props
	before connect.Datum
}

// conversions has one for each page of a converter.
func conversions() []conversion {
	order := orderRecord().Value
	number := func(s *data.Schema, v data.Value) connect.Datum { return connect.Datum{Schema: s, Value: v} }
	registry := config.Props{"schema.registry.url": registryURL}
	return []conversion{
		{"AvroConverter", registry, order},
		{"BooleanConverter", nil, number(data.BooleanSchema, data.Boolean(true))},
		{"ByteArrayConverter", nil, number(data.BytesSchema, data.Bytes([]byte("\x00as it is\xff")))},
		{"DoubleConverter", nil, number(data.Float64Schema, data.Float64(120.5))},
		{"FloatConverter", nil, number(data.Float32Schema, data.Float32(120.5))},
		{"IntegerConverter", nil, number(data.Int32Schema, data.Int32(-7))},
		{"JsonConverter", config.Props{"schemas.enable": "false"}, order},
		{"JsonConverter", nil, order},
		{"JsonSchemaConverter", registry, order},
		{"LongConverter", nil, number(data.Int64Schema, data.Int64(4711))},
		{"ProtobufConverter", registry, order},
		{"ShortConverter", nil, number(data.Int16Schema, data.Int16(258))},
		{"SimpleHeaderConverter", nil, number(data.ArrayBuilder(data.Int32Schema).MustBuild(), data.ArrayOf(data.Int32(1), data.Int32(1000)))},
		{"StringConverter", nil, order},
	}
}

// conversionsOf shows a converter at work.
func conversionsOf(g pluginGroup) (string, error) {
	var b strings.Builder
	for _, c := range conversions() {
		if c.class != g.plugins[0].Info().Class {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n## Example\n")
		}
		if err := c.show(&b, g.plugins[0]); err != nil {
			return "", fmt.Errorf("example of %s: %w", c.class, err)
		}
	}
	if b.Len() == 0 {
		return "", fmt.Errorf("there is no example of %s", g.name)
	}
	return b.String(), nil
}

// show writes data, and reads what was written.
func (c *conversion) show(b *strings.Builder, p connect.Plugin) error {
	prefix := "value.converter"
	if p.Kind() == connect.HeaderConverterPlugin {
		prefix = "header.converter"
	}
	fmt.Fprintf(b, "\n```properties\n%s=%s\n", prefix, c.class)
	for _, key := range slices.Sorted(maps.Keys(c.props)) {
		fmt.Fprintf(b, "%s.%s=%s\n", prefix, key, c.props[key])
	}
	b.WriteString("```\n\n")
	kept := &paperRegistry{}
	server := httptest.NewServer(kept)
	defer server.Close()
	written, after, err := c.through(p, server.URL, prefix)
	if err != nil {
		return err
	}
	shown, how := wire(written)
	fmt.Fprintf(b, "Before:\n\n```text\n%s\n```\n\nIn Kafka, %d bytes%s:\n\n```text\n%s\n```\n\n", datumOf(c.before), len(written), how, shown)
	if kept.text != "" {
		fmt.Fprintf(b, "In the registry, schema 1, under the subject `%s`:\n\n```%s\n%s\n```\n\n", kept.subject, kept.language(), kept.pretty())
	}
	if datumOf(after) == datumOf(c.before) {
		b.WriteString("Read again, it is as before.\n")
		return nil
	}
	fmt.Fprintf(b, "Read again:\n\n```text\n%s\n```\n", datumOf(after))
	return nil
}

// through takes data to bytes and back, with new converters for each way.
func (c *conversion) through(p connect.Plugin, server, prefix string) (written []byte, after connect.Datum, err error) {
	use, _, _ := strings.Cut(prefix, ".")
	props := c.props.Merge(config.Props{"converter.type": use})
	if _, ok := props["schema.registry.url"]; ok {
		props["schema.registry.url"] = server
	}
	const topic = "orders"
	if p.Kind() == connect.HeaderConverterPlugin {
		x, err := p.NewHeaderConverter(props)
		if err != nil {
			return nil, after, err
		}
		if written, _, err = x.AppendEncodeHeader(nil, topic, "h", c.before); err != nil {
			return nil, after, err
		}
		after, err = x.DecodeHeader(topic, "h", written)
		return written, after, err
	}
	for range 2 {
		x, err := p.NewConverter(props)
		if err != nil {
			return nil, after, err
		}
		w := &connect.Wire{Topic: topic}
		if written == nil {
			written, _, err = x.AppendEncode(context.Background(), nil, w, c.before)
		} else {
			after, err = x.Decode(context.Background(), w, written)
		}
		if closer, ok := x.(io.Closer); ok {
			err = errors.Join(err, closer.Close())
		}
		if err != nil {
			return nil, after, err
		}
	}
	return written, after, nil
}

// datumOf writes data for people; what has no schema, in the way of JSON.
func datumOf(d connect.Datum) string {
	if d.Schema == nil && !d.Value.IsNull() {
		return "no schema, " + d.Value.Kind().String() + " " + d.Value.String()
	}
	return typed(d.Schema, d.Value, "")
}

// wire writes bytes as they are in Kafka: text as such, long JSON on lines, all else
// in hexadecimal, sixteen a line, with the characters beside. how is what the reader
// has to know.
func wire(b []byte) (shown, how string) {
	if text := string(b); utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0 {
		if strings.HasPrefix(text, "{") && json.Valid(b) && len(text) > 150 {
			return indented(text), ", on one line"
		}
		return text, ""
	}
	var out []string
	for line := range slices.Chunk(b, 16) {
		beside := make([]byte, len(line))
		for i, c := range line {
			if beside[i] = c; c < ' ' || c > '~' {
				beside[i] = '.'
			}
		}
		out = append(out, strings.TrimRight(fmt.Sprintf("% -48x %s", line, beside), " "))
	}
	return strings.Join(out, "\n"), ""
}

func indented(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		return text
	}
	return out.String()
}

// A paperRegistry keeps one schema, for one page.
type paperRegistry struct {
	mu                 sync.Mutex
	subject, text, typ string
}

// language is the one that the schema is written in.
func (p *paperRegistry) language() string {
	if p.typ == "PROTOBUF" {
		return "protobuf"
	}
	return "json"
}

func (p *paperRegistry) pretty() string {
	if p.typ == "PROTOBUF" {
		return strings.TrimSpace(p.text)
	}
	return indented(p.text)
}

// ServeHTTP answers what a converter asks: to register, by id, and where it is.
func (p *paperRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	var answer any
	switch {
	case r.Method == http.MethodPost && len(parts) == 3 && parts[2] == "versions":
		var said struct{ Schema, SchemaType string }
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.subject, _ = url.PathUnescape(parts[1])
		p.text, p.typ = said.Schema, said.SchemaType
		answer = map[string]any{"id": 1}
	case strings.HasSuffix(r.URL.Path, "/versions"):
		answer = []map[string]any{{"subject": p.subject, "version": 1}}
	default:
		answer = map[string]any{"schema": p.text, "schemaType": p.typ, "id": 1}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client is in the process
}
