package http

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsonpath"
)

// A selector is a compiled JSON pointer (RFC 6901) or JSONPath. The zero selector selects the whole.
type selector struct {
	tokens []string
	path   *jsonpath.Path
	text   string
}

// compile reads a JSON pointer, empty or beginning with a slash, or a JSONPath, beginning with $.
func compile(text string) (selector, error) {
	s := selector{text: text}
	switch {
	case text == "":
	case text[0] == '/':
		for _, t := range strings.Split(text[1:], "/") {
			s.tokens = append(s.tokens, strings.NewReplacer("~1", "/", "~0", "~").Replace(t))
		}
	case text[0] == '$':
		p, err := jsonpath.Compile(text)
		if err != nil {
			return s, err
		}
		s.path = p
	default:
		return s, fmt.Errorf("want a JSON pointer, which begins with /, or a JSONPath, which begins with $; found %q", text)
	}
	return s, nil
}

func pathCheck() config.Check[string] {
	return config.CheckFunc("a JSON pointer or a JSONPath", func(text string) error { _, err := compile(text); return err })
}

// one returns the value that the selector leads to; false if there is none.
func (s selector) one(root data.Value) (data.Value, bool, error) {
	if s.path != nil {
		found, _, err := s.path.Find(root)
		if err != nil || len(found) == 0 {
			return data.Value{}, false, err
		}
		return found[0], true, nil
	}
	v := root
	for _, t := range s.tokens {
		ok := false
		if elems, isArray := v.Array(); isArray {
			i, err := strconv.Atoi(t)
			if ok = err == nil && i >= 0 && i < len(elems); ok {
				v = elems[i]
			}
		} else {
			v, ok = v.Lookup(t)
		}
		if !ok {
			return data.Value{}, false, nil
		}
	}
	return v, true, nil
}

// list returns the values that the selector leads to: the elements of an array, or the thing itself; null is none.
func (s selector) list(root data.Value) ([]data.Value, error) {
	if s.path != nil && !s.path.Definite() {
		found, missing, err := s.path.Find(root)
		if err == nil && missing {
			err = &nothing{s.text}
		}
		return found, err
	}
	v, ok, err := s.one(root)
	if err != nil {
		return nil, fmt.Errorf("records.path: %w", err)
	}
	if !ok {
		return nil, &nothing{s.text}
	}
	if v.IsNull() {
		return nil, nil
	}
	if elems, isArray := v.Array(); isArray {
		return elems, nil
	}
	return []data.Value{v}, nil
}

// nothing says that no records were found.
type nothing struct{ path string }

func (n *nothing) Error() string { return "records.path: nothing is at " + n.path }

// text is a scalar as text, for cursors; null and "" are none.
func scalar(v data.Value) (string, bool) {
	switch v.Kind() {
	case data.KindNull, data.KindArray, data.KindMap, data.KindStruct:
		return "", false
	case data.KindFloat64:
		f, _ := v.Float()
		return strconv.FormatFloat(f, 'f', -1, 64), true
	}
	t := v.String()
	if s, ok := v.Str(); ok {
		t = s
	}
	return t, t != ""
}

// name is the last step of the path, or k and a number if it has no name.
func (s selector) name(i int) string {
	if n := len(s.tokens); n > 0 && s.tokens[n-1] != "" {
		return s.tokens[n-1]
	}
	last := s.text[strings.LastIndexAny(s.text, ".['\"")+1:]
	if last = strings.Trim(last, "]'\""); last != "" && last != "$" {
		return last
	}
	return "k" + strconv.Itoa(i+1)
}
