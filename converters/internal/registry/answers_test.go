package registry

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// calls are all that is asked of a registry.
func calls(c *client, t *testing.T) map[string]func() error {
	s := Schema{Type: Avro, Text: `"int"`}
	return map[string]func() error{
		"register": func() error { _, err := c.Register(t.Context(), "s", s, false); return err },
		"lookup":   func() error { _, err := c.Lookup(t.Context(), "s", s, true); return err },
		"fits":     func() error { return c.Fits(t.Context(), "s", s) },
		"id":       func() error { _, err := c.ByID(t.Context(), 7); return err },
		"guid":     func() error { _, err := c.ByGUID(t.Context(), "g"); return err },
		"version":  func() error { _, err := c.ByVersion(t.Context(), "s", 3); return err },
		"latest":   func() error { _, err := c.ByVersion(t.Context(), "s", Latest); return err },
		"versions": func() error { _, err := c.VersionsOf(t.Context(), 7); return err },
	}
}

// TestRubbish: an answer that is none of those that belong to a request is an error,
// whatever is asked.
func TestRubbish(t *testing.T) {
	for _, said := range []string{"null", " null\n", "{}", "0", `""`, "true", `[null]`, `{"id":null,"schema":null}`, `{"schema":7}`, `{"id":{}}`, `[[]]`, "", "<html>", "\xff"} {
		c := over(t, nil, func(*http.Request) (*http.Response, error) { return answer(200, said), nil })
		for name, call := range calls(c, t) {
			if err := call(); name != "versions" || said != "null" && said != " null\n" && said != "[null]" { // there are none
				assert.Error(t, err, "%s: %q", name, said)
			}
		}
	}
}

// FuzzAnswer: no answer of a registry does more than fail.
func FuzzAnswer(f *testing.F) {
	for _, said := range []string{
		schemaSeven, "null", `{"id":7}`, `[{"subject":"s","version":1}]`, `{"is_compatible":false,"messages":[null]}`,
		`{"schema":"{}","schemaType":"JSON","references":[{"name":"n","subject":"r","version":1}],"id":-1,"version":9999999999}`, `{"error_code":40401,"message":"m"}`,
	} {
		f.Add(200, said)
		f.Add(404, said)
	}
	f.Fuzz(func(t *testing.T, status int, said string) {
		if status < 200 || status > 499 || status == 408 || status == 425 || status == 429 {
			return // tried again, with pauses
		}
		c := over(t, nil, func(*http.Request) (*http.Response, error) { return answer(status, said), nil })
		for name, call := range calls(c, t) {
			if err := call(); status > 299 && name != "fits" {
				assert.Error(t, err, name)
			}
		}
	})
}
