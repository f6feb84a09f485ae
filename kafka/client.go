package kafka

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A handle is a client of the library beneath, opened with its first use. Equal
// producers, and equal administrative clients, hold the same one; it closes when
// the last of them lets go. It is safe for concurrent use.
type handle struct {
	pool *clientPool
	key  string // "": not shared
	opts []kgo.Opt
	log  *slog.Logger // of a producer's client
	ends endWatch     // of a producer's transactions

	mu      sync.Mutex
	refs    int // guarded by pool.mu
	client  *kgo.Client
	life    context.Context //nolint:containedctx // the life of client
	stop    context.CancelFunc
	closed  bool
	refusal error          // of brokers, while what is buffered fails because of it
	work    sync.WaitGroup // the failing
}

// clientPool finds the handle of a configuration.
type clientPool struct {
	mu      sync.Mutex
	handles map[string]*handle
}

// acquire returns the handle for key, made if there is none yet. An empty key is
// never shared. Producers give a log.
func (p *clientPool) acquire(key string, opts []kgo.Opt, log *slog.Logger) *handle {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.handles[key]; h != nil && key != "" {
		h.refs++
		return h
	}
	h := &handle{pool: p, key: key, opts: opts, refs: 1, log: log}
	if key != "" {
		if p.handles == nil {
			p.handles = map[string]*handle{}
		}
		p.handles[key] = h
	}
	return h
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
	if h.refusal != nil || h.client == nil {
		return
	}
	h.refusal = err
	client, life := h.client, h.life
	h.work.Go(func() {
		_ = client.AbortBufferedRecords(life)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.refusal = nil
	})
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

// last tells whether nobody else holds h.
func (h *handle) last() bool {
	h.pool.mu.Lock()
	defer h.pool.mu.Unlock()
	return h.refs == 1
}

// release lets go of h, and closes the client if nobody else holds it.
func (h *handle) release() {
	h.pool.mu.Lock()
	h.refs--
	last := h.refs == 0
	if last && h.key != "" {
		delete(h.pool.handles, h.key)
	}
	h.pool.mu.Unlock()
	if !last {
		return
	}
	h.mu.Lock()
	h.closed = true
	client, stop := h.client, h.stop
	h.client = nil
	h.mu.Unlock()
	if client != nil {
		client.Close()
		stop()
		h.work.Wait()
	}
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
