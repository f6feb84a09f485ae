package registry

import (
	"context"
	"errors"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/converters/internal/lru"
	"github.com/streamlane/connect/data"
)

// inferrer makes schemas of schemaless data: one for each topic, which grows with
// what comes.
type inferrer struct {
	name   string
	exact  bool
	most   int
	topics *lru.Cache[string, *inferred]
}

// inferred is what is known of a topic.
type inferred struct {
	shape   *shape
	schema  *data.Schema
	subject string
	grown   int
}

func newInferrer(c *Config) *inferrer {
	return &inferrer{name: c.InferName, exact: c.InferIntegers == "exact", most: c.InferMaxSchemas, topics: lru.New[string, *inferred](c.cacheSize())}
}

// encodeInferred writes a value under the schema of its topic, which grows first if
// the value does not fit.
func (c *Converter) encodeInferred(ctx context.Context, dst []byte, w *connect.Wire, topic string, v data.Value) ([]byte, bool, error) {
	g, ok := c.infer.topics.Get(topic)
	if ok {
		under, fits, err := g.shape.conform(g.schema, v, 0)
		if err != nil {
			return dst, false, err
		}
		if fits {
			wr, err := c.writerOf(ctx, topic, g.schema)
			if err != nil {
				return dst, false, err
			}
			return wr.append(c, dst, w, under)
		}
	}
	grown, err := c.grow(ctx, topic, g, v)
	if err != nil {
		return dst, false, err
	}
	wr, err := c.writerOf(ctx, topic, grown.schema)
	if err != nil {
		return dst, false, err
	}
	under, fits, err := grown.shape.conform(grown.schema, v, 0)
	if err == nil && !fits {
		err = dataError("the data do not fit the schema that was made of them")
	}
	if err != nil {
		return dst, false, err
	}
	c.infer.topics.Put(topic, grown) // the registry has it: a refused one is forgotten
	c.reg.ForgetLatest(grown.subject, refusedFor)
	return wr.append(c, dst, w, under)
}

// grow makes a schema that takes a value, all that came before, and all that the
// latest schema of the subject takes: that of another task, or of an earlier run.
func (c *Converter) grow(ctx context.Context, topic string, g *inferred, v data.Value) (*inferred, error) {
	out := &inferred{shape: &shape{}}
	if g != nil {
		out.grown = g.grown + 1
		if out.grown > c.infer.most {
			return nil, dataError("the schema of topic %q has grown %d times, the most that schemas.infer.max.versions allows", topic, g.grown)
		}
	}
	seen, err := c.infer.shapeOf(v, 0)
	if err != nil {
		return nil, err
	}
	if g != nil {
		if seen, err = merge(g.shape, seen, ""); err != nil {
			return nil, err
		}
	}
	if !seen.known() {
		return nil, dataError("there is nothing in %s to make a schema of", v.Kind())
	}
	before, err := c.registered(ctx, topic, seen, out)
	if err != nil {
		return nil, err
	}
	if before != nil {
		known, err := shapeOfSchema(before)
		if err == nil {
			seen, err = merge(known, seen, "")
		}
		if err != nil {
			return nil, &data.Error{Message: "data do not fit the latest schema in the registry", Err: err}
		}
	}
	out.shape = seen
	out.schema, err = c.infer.schema(seen)
	return out, err
}

// registered returns the latest schema of the subject, nil if there is none, and
// notes the subject.
func (c *Converter) registered(ctx context.Context, topic string, seen *shape, out *inferred) (*data.Schema, error) {
	s, err := c.infer.schema(seen)
	if err != nil {
		return nil, err
	}
	draft, err := c.format.Draft(s)
	if err != nil {
		return nil, err
	}
	subject, err := c.c.subject(topic, draft.Name)
	if err != nil {
		return nil, err
	}
	out.subject = subject
	// What does not fit is refused for a while too: it must not cost a request a record.
	latest, _, err := c.reg.Latest(ctx, subject, refusedFor)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == 404 {
		return nil, nil
	}
	if err != nil {
		return nil, c.explain(err, "subject %q", subject)
	}
	resolved, err := c.resolve(ctx, latest)
	if err != nil {
		return nil, c.explain(err, "subject %q", subject)
	}
	d, err := c.format.Decoder(resolved, nil, "")
	if err != nil {
		return nil, err
	}
	return d.Schema(), nil
}
