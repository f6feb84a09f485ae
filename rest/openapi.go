package rest

import (
	"context"
	_ "embed"
	"encoding/json"
)

// openapiDocument describes the routes of this package; a test writes it from
// them, and holds it against them.
//
//go:generate go test -run TestOpenAPI -update .
//go:embed openapi.json
var openapiDocument []byte

// openapi is GET /openapi.json.
func (s *server) openapi(context.Context, *call) (answer, error) {
	return ok(json.RawMessage(openapiDocument))
}
