package transforms

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/streamlane/connect/data"
)

func FuzzFieldPath(f *testing.F) {
	for _, s := range []string{"a.b", "`a.b`.c", "`a\\`.b`", "a.", "``", "`a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseFieldPath(text, syntaxV2)
		if err != nil {
			return
		}
		if !strings.Contains(text, "`") && strings.Join(p.steps, ".") != text {
			t.Fatalf("%q has the steps %q", text, p.steps)
		}
		if whole, _ := parseFieldPath(text, syntaxV1); len(whole.steps) != 1 || whole.steps[0] != text {
			t.Fatalf("%q has the steps %q in V1", text, whole.steps)
		}
	})
}

// What is read is written so that the standard library reads the same again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{order, `{"a":1,"a":2}`, `[1e3,-0.0,12345678901234567890]`, `"\ud800"`, `{`, `{"a":[{"b":"","c":0},{"b":0,"c":0}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parseJSON(text)
		if err != nil {
			return
		}
		out, err := appendJSON(nil, nil, v, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out) {
			t.Fatalf("%q became %q", text, out)
		}
		typer := jsonTyper{nullsAsBytes: true}
		s, err := typer.schema("", v)
		if err != nil || s == nil {
			return
		}
		// Objects of one array may disagree about a member, whose first type counts:
		// then the record is at fault, and nothing else.
		_, err = typer.value(s, v)
		if _, misfit := errors.AsType[*data.Error](err); err != nil && !misfit {
			t.Fatalf("%q does not fit the schema that it was given: %v", text, err)
		}
	})
}

func FuzzRenamesAndCasts(f *testing.F) {
	f.Add("a:b,c:d")
	f.Fuzz(func(_ *testing.T, text string) {
		list := strings.Split(text, ",")
		_, _ = parseRenames(list)
		_, _ = parseTopicMap(list)
	})
}
