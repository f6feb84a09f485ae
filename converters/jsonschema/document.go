package jsonschema

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/streamlane/connect/converters/internal/registry"
	"github.com/streamlane/connect/internal/javajson"
	"github.com/streamlane/connect/internal/jsontree"
)

// document is a schema with all that it refers to.
type document struct {
	root *jsontree.Node
	// names are the schemas that $ref may name: the parts by their names, and every
	// schema by its $id.
	names map[string]*jsontree.Node
	// base is the document that a schema is in, to which its own references are
	// relative.
	base map[*jsontree.Node]*jsontree.Node
}

func newDocument(s registry.Resolved) (*document, error) {
	d := &document{names: make(map[string]*jsontree.Node), base: make(map[*jsontree.Node]*jsontree.Node)}
	for _, part := range s.Parts {
		if part.Type != registry.JSON {
			return nil, dataError("schema %d refers to %q, which is of type %s", s.ID, part.Name, part.Type)
		}
		n, err := jsontree.Parse(part.Text)
		if err != nil {
			return nil, dataError("schema %d refers to %q, which is no JSON: %v", s.ID, part.Name, err)
		}
		d.add(n)
		d.names[part.Name] = n
	}
	n, err := jsontree.Parse(s.Text)
	if err != nil {
		return nil, dataError("schema %d is no JSON: %v", s.ID, err)
	}
	d.root = n
	d.add(n)
	return d, nil
}

func (d *document) add(root *jsontree.Node) { d.index(root, root, "") }

// index notes which document each schema is in, and what it calls itself. under is
// the identifier of the schemas around it.
func (d *document) index(n, root *jsontree.Node, under string) {
	d.base[n] = root
	for _, key := range []string{"$id", "id", "$anchor"} {
		id, ok := n.Get(key).Str()
		if !ok {
			continue
		}
		if key == "$anchor" {
			id = "#" + id
		}
		full := resolve(under, id)
		for _, name := range []string{id, full} {
			if _, taken := d.names[name]; !taken {
				d.names[name] = n
			}
		}
		if !strings.HasPrefix(id, "#") {
			under = full
		}
	}
	for _, m := range n.Members {
		if m.Key != "enum" && m.Key != "const" && m.Key != "default" && m.Key != "examples" {
			d.index(m.Value, root, under)
		}
	}
	for _, item := range n.Items {
		d.index(item, root, under)
	}
}

// resolve returns what a reference means in a schema of an identifier.
func resolve(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil || base == "" {
		return ref
	}
	r, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	return b.ResolveReference(r).String()
}

// lookup finds what $ref says in a schema.
func (d *document) lookup(from *jsontree.Node, ref string) (*jsontree.Node, error) {
	root := d.base[from]
	if found := d.names[ref]; found != nil && !strings.HasPrefix(ref, "#/") {
		return found, nil
	}
	name, fragment, _ := strings.Cut(ref, "#")
	if name != "" {
		id, _ := root.Get("$id").Str()
		if root = d.names[name]; root == nil {
			root = d.names[resolve(id, name)]
		}
		if root == nil {
			return nil, dataError("$ref %q is not found: no reference of the schema has this name", ref)
		}
	}
	if fragment == "" {
		return root, nil
	}
	if !strings.HasPrefix(fragment, "/") {
		if found := d.names["#"+fragment]; found != nil {
			return found, nil
		}
		return nil, dataError("$ref %q is not found", ref)
	}
	at := root
	for _, step := range strings.Split(fragment[1:], "/") {
		if at = descend(at, unescape(step)); at == nil {
			return nil, dataError("$ref %q is not found", ref)
		}
	}
	return at, nil
}

// unescape reads one step of a JSON pointer in a URL.
func unescape(step string) string {
	if plain, err := url.PathUnescape(step); err == nil {
		step = plain
	}
	return strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
}

func descend(n *jsontree.Node, step string) *jsontree.Node {
	if n.Is(javajson.Array) {
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(n.Items) {
			return nil
		}
		return n.Items[i]
	}
	return n.Get(step)
}
