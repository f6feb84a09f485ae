// Package jsontree keeps JSON texts whose order of members matters: the schemas
// that registries hold. It reads and writes by Jackson's rules, to 1000 levels.
package jsontree

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javajson"
)

// A Node is a JSON value. A nil *Node is none at all, and all methods may be
// called on it.
type Node struct {
	Kind    javajson.Kind
	Text    string // of a String its characters, of a Number its digits
	True    bool
	Items   []*Node  // of an Array
	Members []Member // of an Object, in order
}

// A Member is one of an object's.
type Member struct {
	Key   string
	Value *Node
}

// Parse reads a text that is one value. Of doubled members the last counts.
func Parse(text string) (*Node, error) {
	r := javajson.NewReader([]byte(text))
	n, err := parse(&r)
	if err != nil {
		return nil, err
	}
	if rest := strings.TrimSpace(text[r.Offset():]); rest != "" {
		return nil, fmt.Errorf("found %.20q behind the end at byte %d", rest, r.Offset())
	}
	return n, nil
}

func parse(r *javajson.Reader) (*Node, error) {
	kind, err := r.Next()
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: kind}
	switch kind {
	case javajson.Null:
		return n, r.Null()
	case javajson.Boolean:
		n.True, err = r.Bool()
		return n, err
	case javajson.String:
		n.Text, err = r.String()
		return n, err
	case javajson.Number:
		num, err := r.Number()
		n.Text = num.Text()
		return n, err
	case javajson.Array:
		return n, n.parseItems(r)
	}
	return n, n.parseMembers(r)
}

func (n *Node) parseItems(r *javajson.Reader) error {
	if err := r.Open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		if more, err := r.Element(first); err != nil || !more {
			return err
		}
		item, err := parse(r)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
}

func (n *Node) parseMembers(r *javajson.Reader) error {
	if err := r.Open(); err != nil {
		return err
	}
	places := map[string]int{}
	for first := true; ; first = false {
		key, more, err := r.Key(first)
		if err != nil || !more {
			return err
		}
		value, err := parse(r)
		if err != nil {
			return err
		}
		if at, doubled := places[key]; doubled {
			n.Members[at].Value = value
			continue
		}
		places[key] = len(n.Members)
		n.Members = append(n.Members, Member{key, value})
	}
}

// Get returns a member of an object, nil for none.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].Value
		}
	}
	return nil
}

// Set sets a member of an object, at its place or at the end.
func (n *Node) Set(key string, value *Node) {
	for i := range n.Members {
		if n.Members[i].Key == key {
			n.Members[i].Value = value
			return
		}
	}
	n.Members = append(n.Members, Member{key, value})
}

// Is reports whether the node is there and of a kind.
func (n *Node) Is(kind javajson.Kind) bool { return n != nil && n.Kind == kind }

// Str returns the text of a String, and whether it is one.
func (n *Node) Str() (string, bool) {
	if !n.Is(javajson.String) {
		return "", false
	}
	return n.Text, true
}

// Int returns a whole number of 64 bits, and whether it is one.
func (n *Node) Int() (int64, bool) {
	if !n.Is(javajson.Number) {
		return 0, false
	}
	i, err := strconv.ParseInt(n.Text, 10, 64)
	return i, err == nil
}

// Float returns a number as the double next to it, and whether it is one.
func (n *Node) Float() (float64, bool) {
	if !n.Is(javajson.Number) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(n.Text, 64) // beyond its range: infinite, as in Java
	return f, true
}

// Equal reports whether two values are the same, members in any order.
func (n *Node) Equal(o *Node) bool {
	if n == nil || o == nil {
		return n == o
	}
	if n.Kind != o.Kind || n.Text != o.Text || n.True != o.True || len(n.Items) != len(o.Items) || len(n.Members) != len(o.Members) {
		return false
	}
	for i := range n.Items {
		if !n.Items[i].Equal(o.Items[i]) {
			return false
		}
	}
	for _, m := range n.Members {
		if other := o.Get(m.Key); other == nil || !m.Value.Equal(other) {
			return false
		}
	}
	return true
}

// Append appends the text of the value, without blanks.
func (n *Node) Append(dst []byte) []byte {
	if n == nil {
		return append(dst, "null"...)
	}
	switch n.Kind {
	case javajson.Boolean:
		return strconv.AppendBool(dst, n.True)
	case javajson.String:
		return javajson.AppendString(dst, n.Text)
	case javajson.Number:
		return append(dst, n.Text...)
	case javajson.Array:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case javajson.Object:
		dst = append(dst, '{')
		for i, m := range n.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(javajson.AppendString(dst, m.Key), ':')
			dst = m.Value.Append(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// String returns the text of the value, without blanks.
func (n *Node) String() string { return string(n.Append(nil)) }

// Null returns null.
func Null() *Node { return &Node{Kind: javajson.Null} }

// Bool returns true or false.
func Bool(b bool) *Node { return &Node{Kind: javajson.Boolean, True: b} }

// Str returns a text.
func Str(s string) *Node { return &Node{Kind: javajson.String, Text: s} }

// Int returns a whole number.
func Int(n int64) *Node { return &Node{Kind: javajson.Number, Text: strconv.FormatInt(n, 10)} }

// Number returns a number that a value holds, in Java's words; NaN and the
// infinite ones, for which JSON has no number, as texts, as Jackson writes them.
func Number(v data.Value) *Node {
	if f, ok := v.Float(); ok && f-f != 0 {
		return Str(string(v.Append(nil)))
	}
	return &Node{Kind: javajson.Number, Text: string(v.Append(nil))}
}

// Digits returns a number as it is written.
func Digits(text string) *Node { return &Node{Kind: javajson.Number, Text: text} }

// Array returns an array.
func Array(items ...*Node) *Node { return &Node{Kind: javajson.Array, Items: items} }

// Object returns an object.
func Object(members ...Member) *Node { return &Node{Kind: javajson.Object, Members: members} }
