package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Null is the text by which Props keep a JSON null: Kafka Connect stores and
// lists such values, though it runs nothing with them. Decode takes a key with
// this text for absent. No properties file can contain it by accident.
const Null = "\x00"

// Props is a configuration in raw text: what was written, before placeholders
// are resolved, blanks trimmed or defaults filled in. Methods that return Props
// return a copy.
//
// Whatever prints Props (fmt with any verb, slog) masks what looks secret.
// Only encoding/json writes them raw, for stores and REST answers live by that.
type Props map[string]string

// Clone returns a copy; never nil.
func (p Props) Clone() Props {
	c := make(Props, len(p))
	maps.Copy(c, p)
	return c
}

// Get returns the raw text of key and whether there is one. A JSON null counts
// as none.
func (p Props) Get(key string) (string, bool) {
	v, ok := p[key]
	if !ok || v == Null {
		return "", false
	}
	return v, true
}

// Prefix returns the entries whose keys begin with prefix, under the rest of
// their keys. A key that is the prefix and nothing more is left out.
func (p Props) Prefix(prefix string) Props {
	sub := make(Props)
	for k, v := range p {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			sub[rest] = v
		}
	}
	return sub
}

// WithPrefix returns the entries with prefix set before each key.
func (p Props) WithPrefix(prefix string) Props {
	out := make(Props, len(p))
	for k, v := range p {
		out[prefix+k] = v
	}
	return out
}

// Merge returns p overlaid with the layers: later wins. A nil layer is empty.
func (p Props) Merge(layers ...Props) Props {
	out := p.Clone()
	for _, l := range layers {
		maps.Copy(out, l)
	}
	return out
}

// Equal reports whether both hold the same keys with the same text. Nil equals
// empty.
func (p Props) Equal(q Props) bool { return maps.Equal(p, q) }

// Keys returns the keys in alphabetical order.
func (p Props) Keys() []string { return slices.Sorted(maps.Keys(p)) }

// MarshalJSON writes an object of strings, with null for Null, in raw text and
// in alphabetical order. Nil Props are written as an empty object.
func (p Props) MarshalJSON() ([]byte, error) {
	m := make(map[string]*string, len(p))
	for k, v := range p {
		if v == Null {
			m[k] = nil
			continue
		}
		m[k] = &v
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads an object. Strings are kept as they are, null becomes
// Null, numbers and booleans become their text as written; objects and arrays
// are refused, as Java's REST interface refuses them. A JSON null gives nil.
func (p *Props) UnmarshalJSON(data []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("configuration: want an object of texts: %w", err)
	}
	if m == nil {
		*p = nil
		return nil
	}
	out := make(Props, len(m))
	for k, raw := range m {
		v, err := scalarText(raw)
		if err != nil {
			return fmt.Errorf("configuration key %q: %w", k, err)
		}
		out[k] = v
	}
	*p = out
	return nil
}

// scalarText returns the text of a JSON scalar.
func scalarText(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{':
		return "", fmt.Errorf("found an object, want a text")
	case '[':
		return "", fmt.Errorf("found an array, want a text")
	case 'n':
		return Null, nil
	}
	return string(raw), nil
}

// String prints the masked entries, in alphabetical order.
func (p Props) String() string {
	var b strings.Builder
	b.WriteByte('{')
	masked := p.Masked()
	for i, k := range masked.Keys() {
		if i > 0 {
			b.WriteString(", ")
		}
		v := masked[k]
		if v == Null {
			v = "null"
		}
		b.WriteString(k + "=" + v)
	}
	b.WriteByte('}')
	return b.String()
}

// GoString prints like String.
func (p Props) GoString() string { return "config.Props" + p.String() }

// Format prints like String, whatever the verb.
func (p Props) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprint(f, p.GoString())
		return
	}
	_, _ = fmt.Fprint(f, p.String())
}

// LogValue gives slog the masked entries as a group.
func (p Props) LogValue() slog.Value {
	masked := p.Masked()
	attrs := make([]slog.Attr, 0, len(p))
	for _, k := range masked.Keys() {
		v := masked[k]
		if v == Null {
			v = "null"
		}
		attrs = append(attrs, slog.String(k, v))
	}
	return slog.GroupValue(attrs...)
}
