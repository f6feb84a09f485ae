package kafka

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A handle is a client of the library beneath, opened with its first use. Equal
// administrative clients hold the same one, equal producers one for each topic;
// it closes when the last of them lets go. It is safe for concurrent use.
type handle struct {
	pool *clientPool
	key  string // "": not shared
	opts []kgo.Opt
	log  *slog.Logger // of a producer's client
	ends endWatch     // of a producer's transactions

	refs   int             // guarded by pool.mu
	topics map[string]bool // that producers write to; guarded by pool.mu

	mu     sync.Mutex
	client *kgo.Client
	life   context.Context //nolint:containedctx // the life of client
	stop   context.CancelFunc
	closed bool
	// refusal is that of brokers because of which what is buffered fails. It outlives
	// the failing: a record that came meanwhile is told of it later.
	refusal  error
	refusing bool           // what is buffered is being failed
	work     sync.WaitGroup // the failing
}

// clientPool finds the handles of a configuration.
type clientPool struct {
	mu      sync.Mutex
	handles map[string][]*handle
}

// acquire returns the handle for key, made if there is none yet. An empty key is
// never shared. Producers give a log.
func (p *clientPool) acquire(key string, opts []kgo.Opt, log *slog.Logger) *handle {
	p.mu.Lock()
	defer p.mu.Unlock()
	if all := p.handles[key]; len(all) > 0 {
		all[0].refs++
		return all[0]
	}
	return p.add(key, opts, log)
}

// claim returns a handle for key on which nobody else writes to the topic. The
// client fails all records of a partition with the first of them that is given
// up, so producers that share a partition would have to do with one another's
// ends.
func (p *clientPool) claim(key string, opts []kgo.Opt, log *slog.Logger, topic string) *handle {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.handles[key] {
		if !h.topics[topic] {
			h.refs++
			h.topics[topic] = true
			return h
		}
	}
	h := p.add(key, opts, log)
	h.topics = map[string]bool{topic: true}
	return h
}

// add is called under mu.
func (p *clientPool) add(key string, opts []kgo.Opt, log *slog.Logger) *handle {
	h := &handle{pool: p, key: key, opts: opts, refs: 1, log: log}
	if key != "" {
		if p.handles == nil {
			p.handles = map[string][]*handle{}
		}
		p.handles[key] = append(p.handles[key], h)
	}
	return h
}

// withdraw takes a handle off the list: nobody else gets it. It is called under
// mu.
func (p *clientPool) withdraw(h *handle) {
	left := slices.DeleteFunc(p.handles[h.key], func(other *handle) bool { return other == h })
	if len(left) == 0 {
		delete(p.handles, h.key)
		return
	}
	p.handles[h.key] = left
}

// get returns the client, opened if need be. That connects to nothing.
func (h *handle) get() (*kgo.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if h.client != nil {
		return h.client, nil
	}
	ctx, stop := context.WithCancel(context.Background())
	opts := append([]kgo.Opt{kgo.WithContext(ctx)}, h.opts...)
	if h.log != nil {
		opts = append(opts, kgo.WithLogger(logger{l: h.log, refused: h.refuse}), kgo.WithHooks(&h.ends))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		stop()
		return nil, err
	}
	h.client, h.life, h.stop = client, ctx, stop
	return client, nil
}

// refuse fails the records that are buffered, because brokers refuse our
// credentials. The client would keep them and go on trying; Java's producer gives
// up. Records that a broker may have stored already are waited for.
func (h *handle) refuse(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusing || h.client == nil {
		return
	}
	h.refusal, h.refusing = err, true
	client, life := h.client, h.life
	h.work.Go(func() {
		_ = client.AbortBufferedRecords(life)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.refusing = false
	})
}

// forgive forgets a refusal that is over: what is aborted from now on is aborted for
// another reason.
func (h *handle) forgive() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.refusing {
		h.refusal = nil
	}
}

// why returns the reason why the client aborts what is buffered, or err.
func (h *handle) why(err error) error {
	if !errors.Is(err, kgo.ErrAborting) {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusal != nil {
		return h.refusal
	}
	return err
}

// renew closes the client of a handle that is not shared; the next get opens
// another.
func (h *handle) renew() {
	h.mu.Lock()
	client, stop := h.client, h.stop
	h.client, h.stop = nil, nil
	h.mu.Unlock()
	if client != nil {
		client.Close()
		stop()
		h.work.Wait()
	}
}

// release lets go of h, and closes the client if nobody else holds it.
func (h *handle) release(ctx context.Context) { h.let(ctx, func() {}) }

// leave is release for a producer that writes to topics. If it leaves messages
// behind, nobody may come after it.
func (h *handle) leave(ctx context.Context, topics []string, left bool) (closed bool) {
	return h.let(ctx, func() {
		h.refs -= len(topics) - 1
		for _, topic := range topics {
			delete(h.topics, topic)
		}
		if left {
			h.pool.withdraw(h)
		}
	})
}

// let does something under the pool's mu, then lets go of h. A client that closes
// says goodbye to brokers, for a second if they are away, unless ctx has ended.
func (h *handle) let(ctx context.Context, do func()) (closed bool) {
	h.pool.mu.Lock()
	do()
	h.refs--
	last := h.refs == 0
	if last {
		h.pool.withdraw(h)
	}
	h.pool.mu.Unlock()
	if !last {
		return false
	}
	h.mu.Lock()
	h.closed = true
	client, stop := h.client, h.stop
	h.client = nil
	h.mu.Unlock()
	if client != nil {
		if ctx.Err() != nil {
			stop()
		}
		client.Close()
		stop()
		h.work.Wait()
	}
	return true
}

// fingerprint tells equal configurations from others.
func (s *settings) fingerprint(props map[string]string) string {
	var b strings.Builder
	b.WriteString(s.kind.String())
	for _, k := range sortedKeys(props) {
		b.WriteString("\x00" + k + "\x00" + props[k])
	}
	return b.String() + "\x00" + s.clientID
}
