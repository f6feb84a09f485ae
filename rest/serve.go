package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// Limits of the server. Jetty, which is Java's, closes idle connections after
// half a minute too.
const (
	headerLimit = 30 * time.Second
	// A request may wait for the worker, or for the leader, as long as Options
	// says; then its answer has to go. Handlers that take longer set deadlines of
	// their own (http.ResponseController).
	readLimit     = defaultRequestTimeout + 30*time.Second
	writeLimit    = readLimit
	idleLimit     = 30 * time.Second
	shutdownLimit = time.Minute // GRACEFUL_SHUTDOWN_TIMEOUT_MS of Java's RestServer
	maxHeader     = 64 << 10
)

// ServerConfig configures a Server.
type ServerConfig struct {
	// Worker holds the worker's keys, resolved. Those of framework.RESTConfig
	// count, and ssl.*.
	Worker config.Props
	// Logger hears of the server, and of each request: a line in the form of
	// Java's request log at info level, from the namespace RequestLogger. Nil:
	// silence.
	Logger *slog.Logger
	// Listen opens listeners; nil: TCP.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
}

// A Server is a worker's own HTTP server (Java's ConnectRestServer), for who has
// none to mount a Handler in: listeners in clear and over TLS, listeners for
// /admin alone, client certificates, users and passwords, a request log.
//
//	s, err := rest.Listen(ctx, rest.ServerConfig{Worker: worker, Logger: log})
//	rt, err := connect.New(connect.Options{URL: s.URL(), Peers: rest.NewPeers(s.Client()), ...})
//	s.Attach(rt, s.Options())
//	err = s.Serve(ctx)
//
// From Listen on clients can connect. Until Attach their requests wait, for as long
// as requests may take, and are then told that the worker is starting; /health says
// so at once. A Server has to be served, or closed. It is safe for concurrent
// use.
type Server struct {
	log     *slog.Logger
	keys    *framework.RESTConfig
	options *Options // as the keys say, with the client
	auth    *basicAuth
	url     string
	main    []*listener
	admin   []*listener
	client  *http.Client
	ends    func() // closes the client's idle connections

	handlers atomic.Pointer[handlers]
	attached chan struct{} // closed by the first Attach
	attach   sync.Once
}

// handlers answer: one the requests to the main listeners, one those to the
// listeners for /admin.
type handlers struct{ main, admin http.Handler }

// Listen checks the keys, reads key and trust stores, and opens the listeners.
// Errors name the key. ctx limits Listen alone.
func Listen(ctx context.Context, c ServerConfig) (*Server, error) {
	s, err := newServerOf(c)
	if err != nil {
		return nil, fmt.Errorf("rest: %w", err)
	}
	if c.Listen == nil {
		c.Listen = new(net.ListenConfig).Listen
	}
	for _, l := range slices.Concat(s.main, s.admin) {
		if err := l.open(ctx, c.Listen); err != nil {
			return nil, errors.Join(fmt.Errorf("rest: %w", err), s.Close())
		}
	}
	if s.url, err = advertised(ctx, s.keys, s.main); err != nil {
		return nil, errors.Join(fmt.Errorf("rest: %w", err), s.Close())
	}
	return s, nil
}

// newServerOf makes a server that listens to nothing yet.
func newServerOf(c ServerConfig) (*Server, error) {
	s := &Server{log: c.Logger, keys: &framework.RESTConfig{}, attached: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	err := config.Decode(c.Worker, s.keys)
	if err != nil {
		return nil, err
	}
	if s.auth, err = newBasicAuth(s.keys); err != nil {
		return nil, err
	}
	if s.main, err = newListeners("listeners", s.keys.Listeners, c.Worker, framework.HTTPSPrefix); err != nil {
		return nil, err
	}
	if s.admin, err = newListeners("admin.listeners", s.keys.AdminListeners, c.Worker, framework.AdminHTTPSPrefix); err != nil {
		return nil, err
	}
	if s.options, err = NewOptions(s.keys); err != nil {
		return nil, errors.Unwrap(err)
	}
	secure := slices.ContainsFunc(s.main, func(l *listener) bool { return l.tls != nil })
	if s.client, s.ends, err = newClient(c.Worker, secure, s.log); err != nil {
		return nil, err
	}
	s.options.Logger, s.options.Client = s.log, s.client
	starting := newServer(nil, s.options)
	early := starting.around(http.HandlerFunc(starting.starting))
	s.handlers.Store(&handlers{early, early})
	if s.auth != nil && len(s.admin) > 0 {
		s.log.Warn("admin.listeners ask for no password, as in Java: rest.extension.classes is about listeners")
	}
	return s, nil
}

// URL is where other workers reach this one, with a slash at its end: for
// connect.Options.URL.
func (s *Server) URL() string { return s.url }

// Addresses are the URLs that the server listens on, those for /admin last, with
// the ports that it has.
func (s *Server) Addresses() []string {
	var all []string
	for _, l := range slices.Concat(s.main, s.admin) {
		all = append(all, l.address())
	}
	return all
}

// Client sends requests to other workers, with the certificates that the
// worker's keys give: for NewPeers. Its idle connections end with Serve.
func (s *Server) Client() *http.Client { return s.client }

// Options are those of the worker's keys, for Attach, with Client and Logger. The
// caller may change them.
func (s *Server) Options() *Options {
	o := *s.options
	return &o
}

// Attach has the Runtime answer, from now on. Nil options are those of Options.
func (s *Server) Attach(rt *connect.Runtime, o *Options) {
	if o == nil {
		o = s.Options()
	}
	main := newServer(rt, o)
	main.auth = s.auth
	s.answerBy(&handlers{main.handler(), AdminHandler(o)})
}

func (s *Server) answerBy(h *handlers) {
	s.handlers.Store(h)
	s.attach.Do(func() { close(s.attached) })
}

// Serve answers requests until ctx ends, then lets those under way come to their
// end, for at most a minute, and returns nil. It owns every goroutine of the
// server. An error says that a listener failed.
func (s *Server) Serve(ctx context.Context) error {
	serving, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	servers := []*http.Server{
		s.httpServer(serving, func(h *handlers) http.Handler { return h.main }),
		s.httpServer(serving, func(h *handlers) http.Handler { return h.admin }),
	}
	var owned sync.WaitGroup
	for i, listeners := range [][]*listener{s.main, s.admin} {
		for _, l := range listeners {
			owned.Go(func() {
				if err := servers[i].Serve(l.opened); !errors.Is(err, http.ErrServerClosed) {
					fail(fmt.Errorf("rest: %s: %w", l.address(), err))
				}
			})
		}
	}
	<-serving.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	for _, server := range servers {
		owned.Go(func() {
			if server.Shutdown(ending) != nil {
				s.log.Warn("requests are cut off: they took longer than the end may take", "limit", shutdownLimit)
				_ = server.Close() // of what is closed already
			}
		})
	}
	owned.Wait()
	s.ends()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(serving)
}

// Close closes the listeners of a server that is not served.
func (s *Server) Close() error {
	var errs []error
	for _, l := range slices.Concat(s.main, s.admin) {
		if l.opened != nil {
			errs = append(errs, l.opened.Close())
		}
	}
	s.ends()
	return errors.Join(errs...)
}

// httpServer makes a server whose handler is looked up with each request. The end
// of serving ends what waits for a worker.
func (s *Server) httpServer(serving context.Context, handler func(*handlers) http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // as Java's server
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isHealth(r) {
			s.awaitWorker(r.Context(), serving)
		}
		handler(s.handlers.Load()).ServeHTTP(w, r)
	})
	return &http.Server{
		Handler: logRequests(s.log, s.auth != nil, answer), Protocols: protocols,
		ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit, MaxHeaderBytes: maxHeader,
		// What Go has to say is about clients that hang up.
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// awaitWorker returns when a worker is attached, or when a request has waited for
// one for long enough. Who has just started a worker may ask at once.
func (s *Server) awaitWorker(request, serving context.Context) {
	select {
	case <-s.attached:
		return
	default:
	}
	limit := time.NewTimer(cmp.Or(s.options.RequestTimeout, defaultRequestTimeout))
	defer limit.Stop()
	select {
	case <-s.attached:
	case <-limit.C:
	case <-request.Done():
	case <-serving.Done():
	}
}

func isHealth(r *http.Request) bool { return strings.TrimSuffix(r.URL.Path, "/") == "/health" }

// starting answers in place of a worker that is not there yet.
func (s *server) starting(w http.ResponseWriter, r *http.Request) {
	out := w.(*answerWriter)
	if !isHealth(r) {
		s.refuse(out, starting())
		return
	}
	s.answer(out, &call{Request: r}, unavailable(workerStatus{"starting", messageStarting}, startingPause))
}
