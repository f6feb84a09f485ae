package jsonschema

import (
	"bytes"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/streamlane/connect/converters/internal/registry"
)

// validator checks payloads by a schema (json.fail.invalid.schema).
type validator struct{ schema *jsonschema.Schema }

// nowhere is the URL of a schema that has none of its own.
const nowhere = "mem://registry/"

func newValidator(s registry.Resolved) (*validator, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(noLoader{}) // nothing is fetched
	for _, part := range append(s.Parts, registry.Part{Name: "schema.json", Schema: s.Schema}) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(part.Text)))
		if err != nil {
			return nil, dataError("schema %d: %q is no JSON: %v", s.ID, part.Name, err)
		}
		if err := c.AddResource(resolve(nowhere, part.Name), doc); err != nil {
			return nil, dataError("schema %d: %q: %v", s.ID, part.Name, err)
		}
	}
	compiled, err := c.Compile(nowhere + "schema.json")
	if err != nil {
		return nil, dataError("schema %d: %v", s.ID, err)
	}
	return &validator{compiled}, nil
}

type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is no reference of the schema", url)
}

// check validates one payload.
func (v *validator) check(b []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return dataError("a payload that is no JSON: %v", err)
	}
	if err := v.schema.Validate(doc); err != nil {
		return dataError("Validation error in JSON: %v", err)
	}
	return nil
}
