package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamlane/connect/converters/internal/lru"
)

const (
	// refusedFor is how long a refusal is believed.
	refusedFor = 5 * time.Second
	// maxReferences bounds the schemas that one schema refers to, all told.
	maxReferences = 1000
	forGood       = time.Duration(-1)
)

// A Registry is a client with a memory. It is safe for concurrent use.
type Registry struct {
	client  Client
	flights flights

	mu    sync.Mutex
	known *lru.Cache[any, remembered]
}

// remembered is an answer, and until when it holds.
type remembered struct {
	answer any
	err    error
	until  time.Time // zero: for good
}

// NewRegistry returns a Registry that keeps so many answers.
func NewRegistry(c Client, size int) *Registry {
	return &Registry{client: c, known: lru.New[any, remembered](size)}
}

// The questions.
type (
	askRegister struct {
		subject, typ, text string
		normalize          bool
	}
	askLookup  askRegister
	askTry     askRegister
	askID      struct{ id int }
	askGUID    struct{ guid string }
	askVersion struct {
		subject string
		version int
	}
	askLatest struct {
		subject string
		ttl     time.Duration
	}
	askWhere struct {
		subject string
		id      int
	}
)

// remember answers a question from memory, or asks and remembers: answers for as
// long as keep says, refusals for a moment.
func remember[T any](ctx context.Context, r *Registry, question any, keep time.Duration, ask func(context.Context) (T, error)) (T, error) {
	if answer, err, ok := recall[T](r, question); ok {
		return answer, err
	}
	return fly(ctx, &r.flights, question, func(ctx context.Context) (T, error) {
		if answer, err, ok := recall[T](r, question); ok { // came in between
			return answer, err
		}
		asked := time.Now()
		answer, err := ask(ctx)
		m := remembered{answer: answer, err: err}
		refused, ok := errors.AsType[*Error](err)
		switch {
		case err == nil && keep == forGood:
		case err == nil:
			m.until = asked.Add(keep)
		case ok && refused.refusal():
			m.until = time.Now().Add(refusedFor)
		default:
			return answer, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.known.Put(question, m)
		return answer, err
	})
}

// recall answers a question from memory, if it can.
func recall[T any](r *Registry, question any) (answer T, err error, ok bool) { //nolint:revive // the error is part of the answer
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.known.Get(question)
	if !ok {
		return answer, nil, false
	}
	if !m.until.IsZero() && !time.Now().Before(m.until) {
		r.known.Drop(question)
		return answer, nil, false
	}
	if m.err != nil {
		return answer, m.err, true
	}
	return m.answer.(T), nil, true
}

// Register enters a schema.
func (r *Registry) Register(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	return remember(ctx, r, askRegister{subject, s.Type, s.Text, normalize}, forGood, func(ctx context.Context) (Registered, error) {
		return r.client.Register(ctx, subject, s, normalize)
	})
}

// Try finds out what Register would do, and changes nothing: a schema that is not
// there, and could be, has the id 0 and newGUID. Its answer holds for a moment: the
// schema may be registered meanwhile.
func (r *Registry) Try(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	return remember(ctx, r, askTry{subject, s.Type, s.Text, normalize}, refusedFor, func(ctx context.Context) (Registered, error) {
		found, err := r.client.Lookup(ctx, subject, s, normalize)
		if !notThere(err) {
			return found, err
		}
		return Registered{Schema: s, GUID: newGUID}, r.client.Fits(ctx, subject, s)
	})
}

// newGUID, and the id 0, stand for a schema that the registry does not have yet.
const newGUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

// Lookup finds a schema.
func (r *Registry) Lookup(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	return remember(ctx, r, askLookup{subject, s.Type, s.Text, normalize}, forGood, func(ctx context.Context) (Registered, error) {
		return r.client.Lookup(ctx, subject, s, normalize)
	})
}

// latest is the newest version of a subject, and until when that is believed: the
// zero time stands for good.
type latest struct {
	Registered
	until time.Time
}

// Latest returns the newest version of a subject, as it was ttl ago at most; a
// negative ttl: ever. What is made of it is to end with it.
func (r *Registry) Latest(ctx context.Context, subject string, ttl time.Duration) (found Registered, until time.Time, err error) {
	if ttl < 0 {
		ttl = forGood
	}
	answer, err := remember(ctx, r, askLatest{subject, ttl}, ttl, func(ctx context.Context) (latest, error) {
		var end time.Time
		if ttl != forGood {
			end = time.Now().Add(ttl) // from the question on
		}
		found, err := r.client.ByVersion(ctx, subject, Latest)
		return latest{found, end}, err
	})
	return answer.Registered, answer.until, err
}

// ForgetLatest drops what [Registry.Latest] remembers with that ttl: it was changed.
func (r *Registry) ForgetLatest(subject string, ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.Drop(askLatest{subject, ttl})
}

// ByID returns the schema of an id.
func (r *Registry) ByID(ctx context.Context, id int) (Registered, error) {
	return remember(ctx, r, askID{id}, forGood, func(ctx context.Context) (Registered, error) { return r.client.ByID(ctx, id) })
}

// ByGUID returns the schema of a GUID.
func (r *Registry) ByGUID(ctx context.Context, guid string) (Registered, error) {
	return remember(ctx, r, askGUID{guid}, forGood, func(ctx context.Context) (Registered, error) { return r.client.ByGUID(ctx, guid) })
}

// VersionOf returns the version that the schema of an id has under a subject, 0
// where it is not registered there.
func (r *Registry) VersionOf(ctx context.Context, subject string, id int) (int, error) {
	return remember(ctx, r, askWhere{subject, id}, forGood, func(ctx context.Context) (int, error) {
		places, err := r.client.VersionsOf(ctx, id)
		if refused, ok := errors.AsType[*Error](err); ok && refused.Status == 404 {
			return 0, nil
		}
		newest := 0
		for _, p := range places {
			if p.Subject == subject {
				newest = max(newest, p.Version)
			}
		}
		return newest, err
	})
}

// A Resolved is a schema with all that it refers to.
type Resolved struct {
	Registered
	// Parts are the texts that References name, and those that these name, each
	// after all that it needs.
	Parts []Part
}

// A Part is a schema under the name by which another one refers to it.
type Part struct {
	Name string
	Schema
}

// Resolve fetches what a schema refers to.
func (r *Registry) Resolve(ctx context.Context, s Registered) (Resolved, error) {
	out := Resolved{Registered: s}
	w := &walk{r: r, out: &out, seen: make(map[Reference]bool)}
	return out, w.visit(ctx, s.References, 0)
}

// walk collects parts, depth first.
type walk struct {
	r    *Registry
	out  *Resolved
	seen map[Reference]bool
}

func (w *walk) visit(ctx context.Context, refs []Reference, depth int) error {
	for _, ref := range refs {
		if w.seen[ref] {
			continue
		}
		if len(w.seen) >= maxReferences {
			return fmt.Errorf("schema %d refers to more than %d others", w.out.ID, maxReferences)
		}
		w.seen[ref] = true
		found, err := remember(ctx, w.r, askVersion{ref.Subject, ref.Version}, forGood, func(ctx context.Context) (Registered, error) {
			return w.r.client.ByVersion(ctx, ref.Subject, ref.Version)
		})
		if err != nil {
			return fmt.Errorf("reference %q: %w", ref.Name, err)
		}
		if err := w.visit(ctx, found.References, depth+1); err != nil {
			return err
		}
		w.out.Parts = append(w.out.Parts, Part{ref.Name, found.Schema})
	}
	return nil
}

// A Pool shares registries among the converters of a plugin: those with the same
// connection have one. The zero value is ready.
type Pool struct {
	mu   sync.Mutex
	open map[string]*pooled
	// Dial makes clients; nil: [Dial].
	Dial func(*Config) (Client, error)
}

type pooled struct {
	r     *Registry
	users int
}

// Open returns the registry of a configuration, and a function to give it back,
// which is called once. The last one to do so closes it.
func (p *Pool) Open(c *Config) (*Registry, func(), error) {
	key := c.identity()
	p.mu.Lock()
	defer p.mu.Unlock()
	entry, ok := p.open[key]
	if !ok {
		dial := p.Dial
		if dial == nil {
			dial = Dial
		}
		client, err := dial(c)
		if err != nil {
			return nil, nil, err
		}
		entry = &pooled{r: NewRegistry(client, 8*c.cacheSize())}
		if p.open == nil {
			p.open = make(map[string]*pooled)
		}
		p.open[key] = entry
	}
	entry.users++
	return entry.r, func() { p.release(key, entry) }, nil
}

func (p *Pool) release(key string, entry *pooled) {
	p.mu.Lock()
	entry.users--
	last := entry.users == 0
	if last {
		delete(p.open, key)
	}
	p.mu.Unlock()
	if last {
		entry.r.client.Close()
	}
}
