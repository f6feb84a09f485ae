package avrodata

import (
	"fmt"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// kind is a type of Avro.
type kind uint8

const (
	null kind = iota + 1
	boolean
	integer
	long
	float
	double
	blob
	text
	array
	mapping
	fixed
	enum
	record
	union
)

var kindNames = [...]string{
	null: "null", boolean: "boolean", integer: "int", long: "long", float: "float", double: "double", blob: "bytes", text: "string",
	array: "array", mapping: "map", fixed: "fixed", enum: "enum", record: "record", union: "union",
}

func (k kind) String() string { return kindNames[k] }

func (k kind) named() bool { return k == fixed || k == enum || k == record }

// schema is an Avro schema. A named one that is used in several places, or inside
// of itself, is one schema with several users.
type schema struct {
	kind     kind
	space    string // namespace of a named type; "" for none
	name     string // of a named type, without its namespace
	doc      string
	hasDoc   bool
	aliases  []string // full names
	fields   []*field // of a record
	elem     *schema  // of an array or a map
	branches []*schema
	symbols  []string
	fallback string // default symbol of an enum; "" for none
	size     int    // of a fixed
	props    []jsontree.Member
}

// field is one of a record's.
type field struct {
	name    string
	schema  *schema
	doc     string
	hasDoc  bool
	def     *jsontree.Node // nil: none
	order   string
	aliases []string
	props   []jsontree.Member
}

// fullName returns the name with its namespace, of an unnamed type the type.
func (s *schema) fullName() string {
	switch {
	case !s.kind.named():
		return s.kind.String()
	case s.space == "":
		return s.name
	}
	return s.space + "." + s.name
}

func member(props []jsontree.Member, key string) *jsontree.Node {
	for i := range props {
		if props[i].Key == key {
			return props[i].Value
		}
	}
	return nil
}

// prop returns a property that Avro itself gives no meaning, nil for none.
func (s *schema) prop(key string) *jsontree.Node { return member(s.props, key) }

// textProp returns a property that is a text, "" for none.
func (s *schema) textProp(key string) string {
	t, _ := s.prop(key).Str()
	return t
}

// set adds a property. Avro refuses to change one.
func (s *schema) set(key string, value *jsontree.Node) error {
	if old := s.prop(key); old != nil {
		if !old.Equal(value) {
			return dataError("Can't overwrite property: %s", key)
		}
		return nil
	}
	s.props = append(s.props, jsontree.Member{Key: key, Value: value})
	return nil
}

// field returns the field of a record with that name, nil for none.
func (s *schema) field(name string) *field {
	for _, f := range s.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// nullBranch returns the place of null in a union, -1 for none.
func (s *schema) nullBranch() int {
	for i, b := range s.branches {
		if b.kind == null {
			return i
		}
	}
	return -1
}

// parser reads schemas. Named types that it has met are known to what follows.
type parser struct{ named map[string]*schema }

func newParser() *parser { return &parser{named: make(map[string]*schema)} }

func (p *parser) parse(source string) (*schema, error) {
	n, err := jsontree.Parse(source)
	if err != nil {
		// A bare name is a schema for Avro's parser, and no JSON.
		if primitive(strings.TrimSpace(source)) == 0 {
			return nil, fmt.Errorf("an Avro schema that is no JSON: %w", err)
		}
		n = jsontree.Str(strings.TrimSpace(source))
	}
	s, err := p.schema(n, "")
	if err != nil {
		return nil, fmt.Errorf("Avro schema: %w", err) //nolint:staticcheck // a name
	}
	return s, nil
}

func primitive(name string) kind {
	for k := null; k <= text; k++ {
		if kindNames[k] == name {
			return k
		}
	}
	return 0
}

// schema reads a schema inside of a namespace.
func (p *parser) schema(n *jsontree.Node, space string) (*schema, error) {
	switch {
	case n.Is(javajson.String):
		return p.byName(n.Text, space)
	case n.Is(javajson.Array):
		return p.union(n, space)
	case n.Is(javajson.Object):
	default:
		return nil, fmt.Errorf("found %.100s, want a name, an object or an array", n)
	}
	typ := n.Get("type")
	name, ok := typ.Str()
	if !ok {
		if typ == nil {
			return nil, fmt.Errorf("no type in %.100s", n)
		}
		return p.schema(typ, space)
	}
	switch name {
	case "record", "error":
		return p.record(n, space)
	case "enum":
		return p.enum(n, space)
	case "fixed":
		return p.fixed(n, space)
	case "array", "map":
		return p.container(n, name, space)
	}
	k := primitive(name)
	if k == 0 {
		return p.byName(name, space)
	}
	return &schema{kind: k, props: propsOf(n, "type")}, nil
}

func (p *parser) byName(name, space string) (*schema, error) {
	if k := primitive(name); k != 0 {
		return &schema{kind: k}, nil
	}
	full := name
	if !strings.Contains(name, ".") && space != "" {
		full = space + "." + name
	}
	if s, ok := p.named[full]; ok {
		return s, nil
	}
	if s, ok := p.named[name]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("type %q is not defined", full)
}

// named reads what named types have in common and makes the type known.
func (p *parser) newNamed(k kind, n *jsontree.Node, space string) (*schema, error) {
	name, ok := n.Get("name").Str()
	if !ok || name == "" {
		return nil, fmt.Errorf("a %s without a name", k)
	}
	s := &schema{kind: k, name: name, space: space}
	if own, ok := n.Get("namespace").Str(); ok {
		s.space = own
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		s.space, s.name = name[:dot], name[dot+1:]
	}
	if doc, ok := n.Get("doc").Str(); ok {
		s.doc, s.hasDoc = doc, true
	}
	for _, a := range textsOf(n.Get("aliases")) {
		if !strings.Contains(a, ".") && s.space != "" {
			a = s.space + "." + a
		}
		s.aliases = append(s.aliases, a)
	}
	if _, doubled := p.named[s.fullName()]; doubled {
		return nil, fmt.Errorf("type %q is defined twice", s.fullName())
	}
	if primitive(s.fullName()) != 0 {
		return nil, fmt.Errorf("%q is the name of a type of Avro's", s.fullName())
	}
	p.named[s.fullName()] = s
	return s, nil
}

func (p *parser) record(n *jsontree.Node, space string) (*schema, error) {
	s, err := p.newNamed(record, n, space)
	if err != nil {
		return nil, err
	}
	fields := n.Get("fields")
	if !fields.Is(javajson.Array) {
		return nil, fmt.Errorf("record %q has no array of fields", s.fullName())
	}
	for _, item := range fields.Items {
		f, err := p.field(item, s)
		if err != nil {
			return nil, fmt.Errorf("record %q: %w", s.fullName(), err)
		}
		s.fields = append(s.fields, f)
	}
	s.props = propsOf(n, "type", "name", "namespace", "doc", "aliases", "fields")
	return s, nil
}

func (p *parser) field(n *jsontree.Node, in *schema) (*field, error) {
	name, ok := n.Get("name").Str()
	if !ok || name == "" {
		return nil, fmt.Errorf("a field without a name")
	}
	if in.field(name) != nil {
		return nil, fmt.Errorf("field %q is there twice", name)
	}
	s, err := p.schema(n.Get("type"), in.space)
	if err != nil {
		return nil, fmt.Errorf("field %q: %w", name, err)
	}
	f := &field{name: name, schema: s, def: n.Get("default"), aliases: textsOf(n.Get("aliases"))}
	f.order, _ = n.Get("order").Str()
	f.doc, f.hasDoc = n.Get("doc").Str()
	f.props = propsOf(n, "name", "type", "doc", "default", "order", "aliases")
	return f, nil
}

func (p *parser) enum(n *jsontree.Node, space string) (*schema, error) {
	s, err := p.newNamed(enum, n, space)
	if err != nil {
		return nil, err
	}
	s.symbols = textsOf(n.Get("symbols"))
	if len(s.symbols) == 0 || len(s.symbols) != len(n.Get("symbols").Items) {
		return nil, fmt.Errorf("enum %q has no array of symbols", s.fullName())
	}
	s.fallback, _ = n.Get("default").Str()
	s.props = propsOf(n, "type", "name", "namespace", "doc", "aliases", "symbols", "default")
	return s, nil
}

// maxFixed bounds the size of a fixed: a longer one has no place in a record.
const maxFixed = 1 << 30

func (p *parser) fixed(n *jsontree.Node, space string) (*schema, error) {
	s, err := p.newNamed(fixed, n, space)
	if err != nil {
		return nil, err
	}
	size, ok := n.Get("size").Int()
	if !ok || size < 0 || size > maxFixed {
		return nil, fmt.Errorf("fixed %q has the size %s, allowed are 0 to %d", s.fullName(), n.Get("size"), maxFixed)
	}
	s.size = int(size)
	s.props = propsOf(n, "type", "name", "namespace", "doc", "aliases", "size")
	return s, nil
}

func (p *parser) container(n *jsontree.Node, name, space string) (*schema, error) {
	s, inside := &schema{kind: array}, "items"
	if name == "map" {
		s.kind, inside = mapping, "values"
	}
	elem := n.Get(inside)
	if elem == nil {
		return nil, fmt.Errorf("%s without %s", name, inside)
	}
	var err error
	if s.elem, err = p.schema(elem, space); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", inside, name, err)
	}
	s.props = propsOf(n, "type", inside)
	return s, nil
}

func (p *parser) union(n *jsontree.Node, space string) (*schema, error) {
	s := &schema{kind: union}
	for _, item := range n.Items {
		b, err := p.schema(item, space)
		if err != nil {
			return nil, fmt.Errorf("union: %w", err)
		}
		s.branches = append(s.branches, b)
	}
	return s, s.checkUnion()
}

// checkUnion applies Avro's rules: no union inside, one branch of a type or name.
func (s *schema) checkUnion() error {
	for i, b := range s.branches {
		if b.kind == union {
			return dataError("a union directly inside of a union")
		}
		for _, before := range s.branches[:i] {
			if before.fullName() == b.fullName() {
				return dataError("Duplicate in union: %s", b.fullName())
			}
		}
	}
	return nil
}

// textsOf returns the texts of an array.
func textsOf(n *jsontree.Node) (all []string) {
	if n == nil {
		return nil
	}
	for _, item := range n.Items {
		if t, ok := item.Str(); ok {
			all = append(all, t)
		}
	}
	return all
}

// propsOf returns the members of an object, but for those that Avro knows.
func propsOf(n *jsontree.Node, known ...string) (props []jsontree.Member) {
next:
	for _, m := range n.Members {
		for _, k := range known {
			if m.Key == k {
				continue next
			}
		}
		props = append(props, m)
	}
	return props
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}
