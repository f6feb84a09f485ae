package registry

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFits: what a registry says of a schema that is to follow the latest one.
func TestFits(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		said, want string
	}{
		"fits":            {200, `{"is_compatible":true,"messages":[]}`, ""},
		"no subject":      {404, `{"error_code":40401,"message":"Subject not found"}`, ""},
		"no version":      {404, `{"error_code":40402,"message":"Version not found"}`, ""},
		"reasons":         {200, `{"is_compatible":false,"messages":["a","b"]}`, "HTTP 409: not compatible with the latest version; a; b"},
		"no reason":       {200, `{"is_compatible":false}`, "the registry does not say why"},
		"another server":  {404, `<html>`, "HTTP 404"},
		"no verdict":      {200, `{"messages":[]}`, "does not say whether a schema is compatible"},
		"a list":          {200, `[1]`, "does not say whether a schema is compatible"},
		"no schema":       {422, `{"error_code":42201,"message":"Invalid schema"}`, "Invalid schema"},
		"wrong user":      {401, ``, "HTTP 401"},
		"not there today": {503, ``, "HTTP 503"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := over(t, nil, func(r *http.Request) (*http.Response, error) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/base/compatibility/subjects/a%2Fb/versions/latest", r.URL.EscapedPath())
				assert.Equal(t, "true", r.URL.Query().Get("verbose"))
				return answer(c.status, c.said), nil
			})
			cl.t.retries = 0
			err := cl.Fits(t.Context(), "a/b", Schema{Type: Avro, Text: `"int"`})
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
			assert.Equal(t, c.status == 503, retriable(err))
		})
	}
}
