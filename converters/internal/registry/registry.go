package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The registry's names of formats.
const (
	Avro     = "AVRO"
	JSON     = "JSON"
	Protobuf = "PROTOBUF"
)

// A Schema is a schema as the registry keeps it.
type Schema struct {
	Type       string // Avro, JSON or Protobuf
	Text       string
	References []Reference
}

// A Reference names a schema that another one needs.
type Reference struct {
	Name    string `json:"name"` // as the schema says it: an import, a $ref, a full name
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// Latest is the version that stands for the newest one.
const Latest = -1

// Registered is a schema with what the registry says of it.
type Registered struct {
	Schema
	ID      int
	GUID    string // "" where the registry has none
	Version int    // under the subject that was asked for; 0: not known
}

// A SubjectVersion is one place at which a schema is registered.
type SubjectVersion struct {
	Subject string
	Version int
}

// A Client asks a schema registry. Every call is one request, is safe for
// concurrent use and ends with its context. A refusal is an *Error.
type Client interface {
	// Register enters a schema under a subject, or finds it there. The answer has
	// the schema's id; its GUID and version where the registry tells.
	Register(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error)
	// Lookup finds a schema under a subject.
	Lookup(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error)
	// Fits returns nil if the latest schema of a subject, if there is one, lets another
	// one follow. It changes nothing.
	Fits(ctx context.Context, subject string, s Schema) error
	// ByID returns the schema of an id.
	ByID(ctx context.Context, id int) (Registered, error)
	// ByGUID returns the schema of a GUID.
	ByGUID(ctx context.Context, guid string) (Registered, error)
	// ByVersion returns one version of a subject, or Latest.
	ByVersion(ctx context.Context, subject string, version int) (Registered, error)
	// VersionsOf says where the schema of an id is registered.
	VersionsOf(ctx context.Context, id int) ([]SubjectVersion, error)
	// Close lets go of connections.
	Close()
}

// Codes of Confluent's API that mean "there is no such thing".
const (
	codeSubjectNotFound = 40401
	codeVersionNotFound = 40402
	codeSchemaNotFound  = 40403
)

// An Error is an answer of the registry that is no success.
type Error struct {
	Status  int    // of HTTP
	Code    int    // of the registry: 40401 and so on; 0 where it says none
	Message string // the registry's own words
	Request string // method and URL, without credentials
}

func (e *Error) Error() string {
	code := ""
	if e.Code != 0 && e.Code != e.Status {
		code = fmt.Sprintf(", code %d", e.Code)
	}
	text := fmt.Sprintf("schema registry: %s: HTTP %d%s", e.Request, e.Status, code)
	if e.Message == "" {
		return text
	}
	return text + ": " + strings.TrimSpace(e.Message)
}

// refusal tells whether the registry has understood, and will say so again.
func (e *Error) refusal() bool {
	switch e.Status {
	case 404, 409, 422:
		return true
	}
	return false
}

// notThere tells whether a registry says that it does not have something. A 404 of
// who is no registry has no such code.
func notThere(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == codeSubjectNotFound || e.Code == codeVersionNotFound || e.Code == codeSchemaNotFound)
}

// temporary tells whether the same request may succeed later.
func temporary(status int) bool {
	return status == 408 || status == 425 || status == 429 || status >= 500
}
