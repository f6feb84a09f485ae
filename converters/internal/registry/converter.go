package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters/internal/lru"
	"github.com/streamlane/connect/data"
)

// A Converter turns Connect data into records with a schema id, and back. It is
// the connect.Converter of every format, and for one goroutine at a time.
type Converter struct {
	c       *Config
	format  Format
	reg     *Registry
	release func() // nil: closed

	writers *lru.Cache[writeKey, *writer]
	byHash  map[hashKey][]*writer
	readers *lru.Cache[readKey, *reader]
	infer   *inferrer // nil: schemaless data are written as the format does
	dry     bool      // schemas are looked up, and not registered
}

type writeKey struct {
	topic  string
	schema *data.Schema
}

type hashKey struct {
	topic string
	hash  uint64
}

// writer is all that a record under one schema needs.
type writer struct {
	schema *data.Schema
	enc    Encoder
	prefix []byte
	header []byte    // value of the schema's header; nil: none
	until  time.Time // when the latest version has to be asked for again; zero: never
}

type readKey struct {
	topic   string
	schema  schemaID
	indexes string
}

type reader struct {
	dec   Decoder
	until time.Time
}

// New makes a converter. Close gives its registry back.
func New(c *Config, f Format, p *Pool) (*Converter, error) {
	reg, release, err := p.Open(c)
	if err != nil {
		return nil, err
	}
	conv := &Converter{
		c: c, format: f, reg: reg, release: release,
		writers: lru.New[writeKey, *writer](c.cacheSize()), byHash: make(map[hashKey][]*writer), readers: lru.New[readKey, *reader](c.cacheSize()),
	}
	if c.Infer {
		conv.infer = newInferrer(c)
	}
	return conv, nil
}

var _ connect.DryRunner = (*Converter)(nil)

// DryRun has schemas looked up that would be registered. One that the registry does
// not have, and would take, stands in what is encoded as the id 0, or as newGUID.
func (c *Converter) DryRun() { c.dry = true }

// Close gives the registry back. The converter is not used any more.
func (c *Converter) Close() error {
	if c.release != nil {
		c.release()
		c.release = nil
	}
	return nil
}

// AppendEncode implements [connect.Converter].
func (c *Converter) AppendEncode(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
	if d.Value.IsNull() {
		tombstone, err := c.format.Null(d.Schema)
		if tombstone || err != nil {
			return dst, err == nil, err
		}
	}
	topic := ""
	if w != nil {
		topic = w.Topic
	}
	if c.infer != nil && d.Schema == nil {
		return c.encodeInferred(ctx, dst, w, topic, d.Value)
	}
	wr, err := c.writerOf(ctx, topic, d.Schema)
	if err != nil {
		return dst, false, err
	}
	return wr.append(c, dst, w, d.Value)
}

func (wr *writer) append(c *Converter, dst []byte, w *connect.Wire, v data.Value) ([]byte, bool, error) {
	out, err := wr.enc.Append(append(dst, wr.prefix...), v)
	if err != nil {
		return dst, false, err
	}
	if wr.header != nil {
		if w == nil {
			return dst, false, fmt.Errorf("%s wants a record to put a header on", headerWriter)
		}
		setHeader(w, headerName(c.c.IsKey()), wr.header)
	}
	return out, false, nil
}

// setHeader appends the header of a schema, unless the last one of its name says
// the same already.
func setHeader(w *connect.Wire, name string, value []byte) {
	for i := range slices.Backward(w.Headers) {
		if h := &w.Headers[i]; h.Key == name {
			if string(h.Value) == string(value) {
				return
			}
			break
		}
	}
	w.Headers = append(w.Headers, connect.RawHeader{Key: name, Value: value})
}

// writerOf returns the writer of a schema, from memory if it is there.
func (c *Converter) writerOf(ctx context.Context, topic string, s *data.Schema) (*writer, error) {
	key := writeKey{topic, s}
	if wr, ok := c.writers.Get(key); ok && wr.current() {
		return wr, nil
	}
	// Connectors that build their schema anew for each record share one writer.
	hash := hashKey{topic, s.Hash()}
	for _, wr := range c.byHash[hash] {
		if wr.current() && s.Equal(wr.schema) {
			c.writers.Put(key, wr)
			return wr, nil
		}
	}
	wr, err := c.newWriter(ctx, topic, s)
	if err != nil {
		return nil, err
	}
	if len(c.byHash) >= c.c.cacheSize() {
		clear(c.byHash)
	}
	same := slices.DeleteFunc(c.byHash[hash], func(old *writer) bool { return s.Equal(old.schema) })
	c.byHash[hash] = append(same, wr)
	c.writers.Put(key, wr)
	return wr, nil
}

func (wr *writer) current() bool { return wr.until.IsZero() || time.Now().Before(wr.until) }

func (c *Converter) newWriter(ctx context.Context, topic string, s *data.Schema) (*writer, error) {
	draft, err := c.format.Draft(s)
	if err != nil {
		return nil, err
	}
	subject, err := c.c.subject(topic, draft.Name)
	if err != nil {
		return nil, err
	}
	wr := &writer{schema: s}
	found, target, err := c.identify(ctx, subject, draft, wr)
	if err != nil {
		return nil, c.explain(err, "subject %q", subject)
	}
	strict := c.c.LatestStrict
	if c.c.UseID >= 0 || c.c.UseGUID != "" {
		strict = c.c.IDStrict
	}
	if wr.enc, err = c.format.Encoder(s, draft, target, strict); err != nil {
		if target != nil {
			return nil, &data.Error{Message: fmt.Sprintf("data under %s do not fit schema %d of subject %q", s, found.ID, subject), Err: err}
		}
		return nil, err
	}
	wr.prefix, wr.header, err = c.c.frameOf(found, wr.enc.Indexes())
	return wr, err
}

// identify finds the schema to write with, in the order of Confluent's
// serializers. target is nil where it is the draft. A writer that goes by the latest
// schema is told how long.
func (c *Converter) identify(ctx context.Context, subject string, d Draft, wr *writer) (found Registered, target *Resolved, err error) {
	switch {
	case c.c.AutoRegister && c.dry:
		found, err = c.reg.Try(ctx, subject, d.Schema, c.c.Normalize)
		return found, nil, err
	case c.c.AutoRegister:
		found, err = c.reg.Register(ctx, subject, d.Schema, c.c.Normalize)
		if err == nil && found.GUID == "" && c.c.idWriter() == headerWriter {
			found, err = c.reg.Lookup(ctx, subject, d.Schema, c.c.Normalize)
		}
		return found, nil, err
	case c.c.UseID >= 0:
		found, err = c.reg.ByID(ctx, c.c.UseID)
	case c.c.UseGUID != "":
		found, err = c.reg.ByGUID(ctx, c.c.UseGUID)
		if err == nil && found.ID == 0 && c.c.idWriter() != headerWriter {
			found.ID, err = c.idUnder(ctx, subject, found)
		}
	case c.c.UseLatest:
		found, wr.until, err = c.reg.Latest(ctx, subject, c.c.LatestTTL)
	default:
		found, err = c.reg.Lookup(ctx, subject, d.Schema, c.c.Normalize)
		return found, nil, err
	}
	if err != nil {
		return found, nil, err
	}
	resolved, err := c.resolve(ctx, found)
	return found, &resolved, err
}

func (c *Converter) idUnder(ctx context.Context, subject string, s Registered) (int, error) {
	found, err := c.reg.Lookup(ctx, subject, s.Schema, c.c.Normalize)
	return found.ID, err
}

// resolve fetches references and checks the type of a schema.
func (c *Converter) resolve(ctx context.Context, s Registered) (Resolved, error) {
	if s.Type != c.format.Type() {
		return Resolved{}, dataError("schema %d is of type %s, want %s: the topic was written by another converter", s.ID, s.Type, c.format.Type())
	}
	return c.reg.Resolve(ctx, s)
}

// Decode implements [connect.Converter]. Null is null without a schema.
func (c *Converter) Decode(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
	if b == nil {
		return connect.Datum{}, nil
	}
	f, err := c.c.readFrame(w, b, c.format.Type() == Protobuf)
	if err != nil {
		return connect.Datum{}, err
	}
	topic := ""
	if w != nil {
		topic = w.Topic
	}
	key := readKey{topic, f.schema, f.indexes}
	r, ok := c.readers.Get(key)
	if !ok || !r.until.IsZero() && !time.Now().Before(r.until) {
		if r, err = c.newReader(ctx, topic, f); err != nil {
			return connect.Datum{}, err
		}
		c.readers.Put(key, r)
	}
	v, err := r.dec.Decode(f.payload)
	if err != nil {
		return connect.Datum{}, &data.Error{Message: "record with " + f.schema.String(), Err: err}
	}
	return connect.Datum{Schema: r.dec.Schema(), Value: v}, nil
}

// String names a schema for errors.
func (s schemaID) String() string {
	if s.guid != noGUID {
		return "schema " + formatGUID(s.guid)
	}
	return fmt.Sprintf("schema %d", s.id)
}

func (c *Converter) newReader(ctx context.Context, topic string, f frame) (*reader, error) {
	r, err := c.readerOf(ctx, topic, f)
	if err != nil {
		return nil, c.explain(err, "%s", f.schema)
	}
	return r, nil
}

func (c *Converter) readerOf(ctx context.Context, topic string, f frame) (*reader, error) {
	var found Registered
	var err error
	if f.schema.guid != noGUID {
		found, err = c.reg.ByGUID(ctx, formatGUID(f.schema.guid))
	} else {
		found, err = c.reg.ByID(ctx, int(f.schema.id))
	}
	if err != nil {
		return nil, err
	}
	wrote, err := c.resolve(ctx, found)
	if err != nil {
		return nil, err
	}
	subject, err := c.subjectOf(topic, wrote, f.indexes)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	var wanted *Resolved
	if c.c.UseLatest && subject != "" {
		latest, until, err := c.reg.Latest(ctx, subject, c.c.LatestTTL)
		if err != nil {
			return nil, err
		}
		res, err := c.resolve(ctx, latest)
		if err != nil {
			return nil, err
		}
		wanted, r.until = &res, until
	}
	if subject != "" && found.ID != 0 {
		if wrote.Version, err = c.reg.VersionOf(ctx, subject, found.ID); err != nil {
			return nil, err
		}
	}
	r.dec, err = c.format.Decoder(wrote, wanted, f.indexes)
	return r, err
}

// subjectOf names the subject that a schema was registered under; "" where the
// strategy cannot tell.
func (c *Converter) subjectOf(topic string, s Resolved, indexes string) (string, error) {
	name := ""
	if c.c.strategy() != topicName {
		var err error
		if name, err = c.format.Name(s, indexes); err != nil || name == "" {
			return "", err
		}
	}
	return c.c.subject(topic, name)
}

// explain says what was under way. What the registry refuses is a data error, with
// its words in the message, which is all that a dead letter's header has; what may be
// better later stays retriable.
func (c *Converter) explain(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	refused, ok := errors.AsType[*Error](err)
	if !ok || !refused.refusal() {
		return fmt.Errorf("%s: %w", what, err)
	}
	cause := err
	if err == error(refused) { // the words are not said twice
		request := *refused
		request.Message = ""
		cause = &request
	}
	return &data.Error{Message: fmt.Sprintf("%s: %s: %s", what, advice(refused), strings.TrimSpace(refused.Message)), Err: cause}
}

// advice says what a refusal means to who reads a log.
func advice(e *Error) string {
	switch {
	case e.Status == 409:
		return "the registry refuses the schema as incompatible with an earlier one"
	case e.Status == 422:
		return "the registry refuses the schema"
	case e.Code == codeSubjectNotFound:
		return "there is no such subject"
	case e.Code == codeVersionNotFound:
		return "there is no such version"
	case e.Code == codeSchemaNotFound:
		return "there is no such schema"
	}
	return "the registry does not have it"
}
