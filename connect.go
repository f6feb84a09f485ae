package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/activity"
	"github.com/streamlane/connect/internal/latest"
	"github.com/streamlane/connect/internal/sessionkey"
)

// Options configure a Runtime. The zero value of each field but Plugins is
// useful.
type Options struct {
	// Plugins are all that configurations may name.
	Plugins []Plugin
	// Broker is the Kafka cluster; nil: there is none, sources need a Receiver.
	Broker Broker
	// Receiver takes the records of sources in place of the Broker.
	Receiver Receiver
	// Offsets keeps source offsets; nil: in memory, gone with the Runtime.
	Offsets OffsetStore
	// Configs keeps configurations; nil: in memory.
	Configs ConfigStore
	// Status publishes states; nil: in memory.
	Status StatusStore
	// Connectors are put, by name, when Run has read the stores: those that are new or
	// configured otherwise. One that is refused ends Run. Probes (config.Prober) are
	// left out. On a worker that does not lead they are the leader's to put.
	Connectors map[string]config.Props
	// Coordinator shares the work with other workers; nil: Alone.
	Coordinator Coordinator
	// Peers reaches the other workers of a cluster; nil: there are none.
	Peers Peers
	// Worker holds Java's worker keys: converters, flush intervals, client
	// settings under producer., consumer. and admin.
	Worker config.Props
	// URL of the worker's REST interface, as other workers reach it.
	URL string
	// Providers resolve ${name:path:key} in configurations, by name, beside
	// those that Worker declares (config.providers).
	Providers map[string]config.Provider
	// Hooks are told of batches, commits, errors and states.
	Hooks []Hook
	// History is how many revisions of each connector's configuration the Runtime
	// remembers; zero: 20, negative: none.
	History int
	// ErrorTail is how many of its last errors the Runtime remembers of each
	// connector; zero: 50, negative: none.
	ErrorTail int
	// Logger for all that the Runtime has to say; nil: silence.
	Logger *slog.Logger
}

// A Runtime runs connectors. It is Kafka Connect's worker and herder in one:
// what is to run comes from the configuration store, through the operations of
// this type or from other workers, and what part of it runs here is decided by
// the Coordinator.
//
// All methods are safe for concurrent use. Operations wait until Run has read
// the stores, as long as their context allows.
type Runtime struct {
	log      *slog.Logger
	opts     Options
	registry *registry
	worker   *workerSettings
	hooks    *hookSet
	status   *statusBoard
	tail     *errorTail

	started  atomic.Bool
	joined   atomic.Bool // there was an assignment
	activity activity.Now
	ready    chan struct{} // closed when the stores have been read
	calls    chan func()   // to the loop
	ended    chan struct{} // closed when Run has returned
	runs     sync.WaitGroup

	sessionKey latest.Value[sessionkey.Key]
	keyDue     chan struct{} // capacity one: there may be a new key to write

	lead  latest.Value[leadership]
	write chan struct{} // capacity one: the right to change configurations
	loop  loopState
}

// leadership is what the worker may write, or who may.
type leadership struct {
	Leadership                    // nil: another worker leads, or none is known
	known      bool               // there was an assignment
	url        string             // of the leader
	owners     map[workKey]string // leader only: URLs of workers by what they run
	protocol   Protocol
}

// New checks the options and returns a Runtime that does nothing yet: New opens
// nothing and starts nothing, so a Runtime that is not run needs no closing.
func New(o Options) (*Runtime, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	reg, err := newRegistry(o.Plugins)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	worker, err := newWorkerSettings(&o)
	if err != nil {
		return nil, fmt.Errorf("connect: worker configuration: %w", err)
	}
	if o.Broker != nil && o.Receiver != nil {
		return nil, errors.New("connect: Options have a Broker and a Receiver; sources can have one of them")
	}
	if o.Offsets == nil {
		o.Offsets = NewMemoryOffsets()
	}
	if o.Configs == nil {
		o.Configs = NewMemoryLog()
	}
	if o.Status == nil {
		o.Status = NewMemoryLog()
	}
	if o.Coordinator == nil {
		o.Coordinator = Alone()
	}
	tail := newErrorTail(o.ErrorTail, worker.redact)
	hooks := newHookSet(append(slices.Clone(o.Hooks), tail))
	return &Runtime{
		log: o.Logger, opts: o, registry: reg, worker: worker, hooks: hooks, tail: tail,
		status: newStatusBoard(o.Status, worker.workerID, hooks, o.Logger),
		ready:  make(chan struct{}), calls: make(chan func()), ended: make(chan struct{}),
		sessionKey: latest.Of(sessionkey.Key{}), keyDue: make(chan struct{}, 1),
		lead:  latest.Of(leadership{}),
		write: make(chan struct{}, 1), loop: newLoopState(newHistory(o.History)),
	}, nil
}

// Run runs connectors until ctx ends, then stops them gracefully, commits, and
// returns nil. It owns every goroutine of the Runtime and returns when all are
// gone; only a plugin that ignores its contexts is left behind, with a line in
// the log. An error means that the worker could not go on: a store or the
// coordinator failed for good. Run can be called once.
func (rt *Runtime) Run(ctx context.Context) error {
	if !rt.started.CompareAndSwap(false, true) {
		return errors.New("connect: Run was called before")
	}
	defer close(rt.ended)
	stores := []any{rt.opts.Offsets, rt.opts.Configs, rt.opts.Status}
	rt.activity.Enter("opening its stores")
	if err := openStore(ctx, stores...); err != nil {
		if ctx.Err() != nil {
			return nil // that is why
		}
		return fmt.Errorf("connect: opening the stores: %w", err)
	}
	err := rt.serve(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), rt.worker.grace)
	defer cancel()
	return errors.Join(err, closeStore(closing, stores...))
}

// serve runs the loop, the followers of the stores, and the assignments.
func (rt *Runtime) serve(ctx context.Context) error {
	// The services outlive ctx: a graceful stop needs them.
	services, endServices := context.WithCancelCause(context.WithoutCancel(ctx))
	working, fail := context.WithCancelCause(ctx)
	var owned sync.WaitGroup
	owned.Go(func() { rt.runLoop(services) })
	rt.activity.Enter("reading its stores to their ends")
	statusRead := make(chan struct{})
	owned.Go(func() {
		others := func(key workKey) { _ = rt.do(services, func() { rt.overheard(key) }) }
		fail(describe("status store", rt.status.follow(services, func() { close(statusRead) }, others)))
	})
	configRead := make(chan struct{})
	owned.Go(func() { fail(describe("config store", rt.followConfigs(services, func() { close(configRead) }))) })
	owned.Go(func() { rt.status.run(services) })

	if closedBefore(working, statusRead) && closedBefore(working, configRead) {
		rt.activity.Enter(joining)
		close(rt.ready)
		owned.Go(func() {
			if err := rt.putConnectors(working); err != nil {
				fail(err)
			}
		})
		owned.Go(func() { rt.keepSessionKey(working) })
		fail(rt.followAssignments(working))
	}
	rt.runs.Wait()
	rt.flushStatuses(ctx)
	rt.giveUpLead()
	endServices(ErrStopped)
	owned.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(working)
}

// putConnectors puts Options.Connectors.
func (rt *Runtime) putConnectors(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(rt.opts.Connectors)) {
		props, err := withName(name, rt.opts.Connectors[name])
		if err != nil {
			return describe("connectors", err)
		}
		if c, err := rt.known(ctx, name); err == nil && c.Props.Equal(props) {
			continue
		}
		_, err = rt.PutConnector(config.Probing(ctx, false), name, props)
		if _, follows := errors.AsType[*NotLeaderError](err); follows || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return describe("connectors", err)
		}
	}
	return nil
}

func describe(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("connect: %s: %w", what, err)
}

// flushStatuses gives the last states a moment to be published.
func (rt *Runtime) flushStatuses(ctx context.Context) {
	flushing, cancel := context.WithTimeout(context.WithoutCancel(ctx), rt.worker.grace)
	defer cancel()
	rt.status.flush(flushing)
}

// followConfigs reads the config store into the loop's state until ctx ends.
func (rt *Runtime) followConfigs(ctx context.Context, caughtUp func()) error {
	for e, err := range rt.opts.Configs.Follow(ctx) {
		if err != nil {
			return err
		}
		if e.Key == nil {
			if rt.do(ctx, func() { rt.loop.moved(true) }) != nil {
				return nil
			}
			caughtUp()
			continue
		}
		r := cluster.Record{Key: string(e.Key), Value: e.Value}
		if rt.do(ctx, func() { rt.applyConfig(r, e.Offset, e.Live); rt.loop.history.Apply(r, e.Offset, e.Time) }) != nil {
			return nil
		}
	}
	return nil
}

// followAssignments carries out what the coordinator wants until ctx ends.
func (rt *Runtime) followAssignments(ctx context.Context) error {
	for a, err := range rt.opts.Coordinator.Assignments(ctx, member{rt}) {
		if err != nil {
			return fmt.Errorf("connect: coordinator: %w", err)
		}
		rt.carryOut(ctx, a)
	}
	return nil
}
