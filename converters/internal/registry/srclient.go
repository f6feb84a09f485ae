package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/riferrei/srclient"
)

// client is a Client over riferrei/srclient. srclient has no contexts, retries,
// several URLs nor normalize, so each call gets an instance of its own whose HTTP
// client is a bound request; it caches nothing and makes no codecs. What srclient
// cannot ask in one request, or at all (registration, GUIDs), is asked by the
// transport itself (docs/adr/0025).
type client struct{ t *transport }

var _ Client = (*client)(nil)

// A bound is the HTTP client of one call of srclient: it carries the context and
// further parameters, and keeps the answer, of which srclient reads a part only.
type bound struct {
	ctx    context.Context
	t      *transport
	query  url.Values
	answer []byte
}

// RoundTrip implements http.RoundTripper.
func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	c := call{method: r.Method, path: r.URL.EscapedPath(), query: r.URL.Query()}
	for k, v := range b.query {
		c.query[k] = v
	}
	if r.Body != nil {
		var err error
		if c.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	answer, err := b.t.do(b.ctx, c)
	if err != nil {
		return nil, err
	}
	if string(bytes.TrimSpace(answer)) == "null" {
		return nil, errors.New("schema registry: an answer that is null") // srclient would panic
	}
	b.answer = answer
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {mediaType}}, Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)),
	}, nil
}

// ask makes one call of srclient.
func ask[T any](ctx context.Context, c *client, query url.Values, f func(*srclient.SchemaRegistryClient) (T, error)) (T, []byte, error) {
	b := &bound{ctx: ctx, t: c.t, query: query}
	s := srclient.NewSchemaRegistryClient("http://registry", srclient.WithClient(&http.Client{Transport: b}))
	s.CachingEnabled(false)
	v, err := f(s)
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the transport has named the request
	}
	if err != nil {
		var none T
		return none, nil, err
	}
	return v, b.answer, nil
}

// registered turns srclient's schema into ours. Its type is nil for Avro.
func registered(s *srclient.Schema, answer []byte) (Registered, error) {
	r := Registered{ID: s.ID(), Version: s.Version(), Schema: Schema{Type: Avro, Text: s.Schema()}}
	if t := s.SchemaType(); t != nil && *t != "" {
		r.Type = string(*t)
	}
	for _, ref := range s.References() {
		r.References = append(r.References, Reference(ref))
	}
	var more struct {
		GUID    string `json:"guid"`
		ID      int    `json:"id"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(answer, &more); err != nil {
		return r, fmt.Errorf("schema registry: an answer that is no schema: %w", err)
	}
	r.GUID = more.GUID
	if r.Text == "" {
		return r, fmt.Errorf("schema registry: an answer without a schema: %.100q", answer)
	}
	return r, nil
}

func referencesOf(s Schema) []srclient.Reference {
	refs := make([]srclient.Reference, len(s.References))
	for i, r := range s.References {
		refs[i] = srclient.Reference(r)
	}
	return refs
}

func normalized(normalize bool) url.Values {
	if !normalize {
		return nil
	}
	return url.Values{"normalize": {"true"}}
}

// Register implements Client. srclient's CreateSchema asks twice.
func (c *client) Register(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	text, err := entry(s)
	if err != nil {
		return Registered{}, err
	}
	answer, err := c.t.do(ctx, call{
		method: http.MethodPost, path: "/subjects/" + url.PathEscape(subject) + "/versions", query: normalized(normalize), body: text,
	})
	if err != nil {
		return Registered{}, err
	}
	var said struct {
		ID      *int   `json:"id"`
		GUID    string `json:"guid"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.ID == nil {
		return Registered{}, fmt.Errorf("schema registry: an answer without an id: %.100q", answer)
	}
	return Registered{Schema: s, ID: *said.ID, GUID: said.GUID, Version: said.Version}, nil
}

// entry is the body of a request about a schema.
func entry(s Schema) ([]byte, error) {
	body := struct {
		Schema     string      `json:"schema"`
		Type       string      `json:"schemaType,omitempty"`
		References []Reference `json:"references,omitempty"`
	}{s.Text, s.Type, s.References}
	if s.Type == Avro {
		body.Type = "" // as clients of registries older than types say it
	}
	return json.Marshal(body)
}

// Fits implements Client.
func (c *client) Fits(ctx context.Context, subject string, s Schema) error {
	text, err := entry(s)
	if err != nil {
		return err
	}
	path := "/compatibility/subjects/" + url.PathEscape(subject) + "/versions/latest"
	answer, err := c.t.do(ctx, call{method: http.MethodPost, path: path, query: url.Values{"verbose": {"true"}}, body: text})
	if notThere(err) {
		return nil // it would be the first version
	}
	if err != nil {
		return err
	}
	var said struct {
		Compatible *bool    `json:"is_compatible"`
		Messages   []string `json:"messages"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Compatible == nil {
		return fmt.Errorf("schema registry: an answer that does not say whether a schema is compatible: %.100q", answer)
	}
	if *said.Compatible {
		return nil
	}
	why := "not compatible with the latest version; "
	if len(said.Messages) == 0 {
		why += "the registry does not say why" // Apicurio
	}
	why += strings.Join(said.Messages, "; ")
	return &Error{Status: http.StatusConflict, Message: why, Request: "POST " + path}
}

// Lookup implements Client.
func (c *client) Lookup(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	found, answer, err := ask(ctx, c, normalized(normalize), func(x *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
		return x.LookupSchema(subject, s.Text, srclient.SchemaType(s.Type), referencesOf(s)...)
	})
	if err != nil {
		return Registered{}, err
	}
	return registered(found, answer)
}

// ByID implements Client.
func (c *client) ByID(ctx context.Context, id int) (Registered, error) {
	found, answer, err := ask(ctx, c, nil, func(x *srclient.SchemaRegistryClient) (*srclient.Schema, error) { return x.GetSchema(id) })
	if err != nil {
		return Registered{}, err
	}
	r, err := registered(found, answer)
	r.ID, r.Version = id, 0 // a version without its subject says nothing
	return r, err
}

// ByGUID implements Client.
func (c *client) ByGUID(ctx context.Context, guid string) (Registered, error) {
	answer, err := c.t.do(ctx, call{method: http.MethodGet, path: "/schemas/guids/" + url.PathEscape(guid)})
	if err != nil {
		return Registered{}, err
	}
	var said struct {
		Schema     string      `json:"schema"`
		Type       string      `json:"schemaType"`
		References []Reference `json:"references"`
		ID         int         `json:"id"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Schema == "" {
		return Registered{}, fmt.Errorf("schema registry: an answer without a schema: %.100q", answer)
	}
	if said.Type == "" {
		said.Type = Avro
	}
	return Registered{Schema: Schema{said.Type, said.Schema, said.References}, ID: said.ID, GUID: guid}, nil
}

// ByVersion implements Client.
func (c *client) ByVersion(ctx context.Context, subject string, version int) (Registered, error) {
	found, answer, err := ask(ctx, c, nil, func(x *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
		if version == Latest {
			return x.GetLatestSchema(subject)
		}
		return x.GetSchemaByVersion(subject, version)
	})
	if err != nil {
		return Registered{}, err
	}
	return registered(found, answer)
}

// VersionsOf implements Client. srclient's pairs have no exported type.
func (c *client) VersionsOf(ctx context.Context, id int) ([]SubjectVersion, error) {
	answer, err := c.t.do(ctx, call{method: http.MethodGet, path: fmt.Sprintf("/schemas/ids/%d/versions", id)})
	if err != nil {
		return nil, err
	}
	var found []SubjectVersion
	if err := json.Unmarshal(answer, &found); err != nil {
		return nil, fmt.Errorf("schema registry: an answer that is no list of versions: %.100q", answer)
	}
	return found, nil
}

// Close implements Client.
func (c *client) Close() { c.t.client.CloseIdleConnections() }
