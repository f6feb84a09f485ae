package avrodata

import (
	"strconv"

	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// printer writes schemas as Java's Schema.toString does: members in its order, a
// named type in full where it comes first and by name after that.
type printer struct {
	seen  map[string]*schema
	space string
	err   error
}

// text returns the text of the schema. It fails if two different types have one
// name.
func (s *schema) text() (string, error) {
	p := &printer{seen: make(map[string]*schema)}
	out := p.schema(nil, s)
	return string(out), p.err
}

func (p *printer) schema(dst []byte, s *schema) []byte {
	switch {
	case s.kind == union:
		dst = append(dst, '[')
		for i, b := range s.branches {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = p.schema(dst, b)
		}
		return append(dst, ']')
	case s.kind.named():
		return p.named(dst, s)
	case s.kind == array:
		return p.container(append(dst, `{"type":"array","items":`...), s)
	case s.kind == mapping:
		return p.container(append(dst, `{"type":"map","values":`...), s)
	case len(s.props) == 0:
		return javajson.AppendString(dst, s.kind.String())
	}
	dst = javajson.AppendString(append(dst, `{"type":`...), s.kind.String())
	return append(appendProps(dst, s.props), '}')
}

func (p *printer) container(dst []byte, s *schema) []byte {
	return append(appendProps(p.schema(dst, s.elem), s.props), '}')
}

func (p *printer) named(dst []byte, s *schema) []byte {
	if before, ok := p.seen[s.fullName()]; ok {
		if before != s && !sameType(before, s) && p.err == nil {
			p.err = dataError("Can't redefine: %s: two different schemas have this name", s.fullName())
		}
		if s.space == "" || s.space == p.space {
			return javajson.AppendString(dst, s.name)
		}
		return javajson.AppendString(dst, s.fullName())
	}
	p.seen[s.fullName()] = s
	dst = javajson.AppendString(append(dst, `{"type":`...), s.kind.String())
	dst = appendText(dst, "name", s.name)
	if s.space != p.space {
		dst = appendText(dst, "namespace", s.space)
	}
	if s.hasDoc {
		dst = appendText(dst, "doc", s.doc)
	}
	switch s.kind {
	case record:
		saved := p.space
		p.space = s.space
		dst = p.fields(append(dst, `,"fields":[`...), s)
		p.space = saved
	case enum:
		dst = appendTexts(append(dst, `,"symbols":`...), s.symbols)
		if s.fallback != "" {
			dst = appendText(dst, "default", s.fallback)
		}
	case fixed:
		dst = strconv.AppendInt(append(dst, `,"size":`...), int64(s.size), 10)
	}
	dst = appendProps(dst, s.props)
	if len(s.aliases) > 0 {
		dst = appendTexts(append(dst, `,"aliases":`...), s.aliases)
	}
	return append(dst, '}')
}

func (p *printer) fields(dst []byte, s *schema) []byte {
	for i, f := range s.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = javajson.AppendString(append(dst, `{"name":`...), f.name)
		dst = p.schema(append(dst, `,"type":`...), f.schema)
		if f.hasDoc {
			dst = appendText(dst, "doc", f.doc)
		}
		if f.def != nil {
			dst = f.def.Append(append(dst, `,"default":`...))
		}
		if f.order != "" && f.order != "ascending" {
			dst = appendText(dst, "order", f.order)
		}
		if len(f.aliases) > 0 {
			dst = appendTexts(append(dst, `,"aliases":`...), f.aliases)
		}
		dst = append(appendProps(dst, f.props), '}')
	}
	return append(dst, ']')
}

// sameType tells whether two types of one name are the same, by their texts.
func sameType(a, b *schema) bool {
	x, errX := a.text()
	y, errY := b.text()
	return errX == nil && errY == nil && x == y
}

func appendProps(dst []byte, props []jsontree.Member) []byte {
	for _, m := range props {
		dst = append(javajson.AppendString(append(dst, ','), m.Key), ':')
		dst = m.Value.Append(dst)
	}
	return dst
}

func appendText(dst []byte, key, value string) []byte {
	dst = append(javajson.AppendString(append(dst, ','), key), ':')
	return javajson.AppendString(dst, value)
}

func appendTexts(dst []byte, all []string) []byte {
	dst = append(dst, '[')
	for i, t := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = javajson.AppendString(dst, t)
	}
	return append(dst, ']')
}
