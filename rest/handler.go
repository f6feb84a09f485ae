package rest

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/streamlane/connect"
)

// Handler returns the REST interface of the Runtime. Nil options are the zero
// Options. The handler starts nothing and needs no closing; it is safe for
// concurrent use, before and after Run too.
func Handler(rt *connect.Runtime, o *Options) http.Handler {
	return newServer(rt, o).handler()
}

// AdminHandler returns what Handler serves below /admin and nothing else, for a
// listener of its own (admin.listeners).
func AdminHandler(o *Options) http.Handler {
	s := newServer(nil, o)
	return s.around(s.mux(adminRoutes()))
}

// A server answers requests. It is immutable.
type server struct {
	rt      *connect.Runtime
	o       Options
	log     *slog.Logger
	cors    *cors // nil: off
	headers []headerRule
	plugins *catalog
	auth    *basicAuth // nil: everybody may ask
}

func newServer(rt *connect.Runtime, o *Options) *server {
	s := &server{rt: rt, o: o.withDefaults()}
	s.log = s.o.Logger
	s.cors = newCORS(s.o.AllowOrigins, s.o.AllowMethods)
	for _, r := range s.o.HeaderRules {
		rule, err := newHeaderRule(r)
		if err != nil {
			s.log.Error("leaving out a rule for response headers", "err", err)
			continue
		}
		s.headers = append(s.headers, rule)
	}
	if rt != nil {
		s.plugins = newCatalog(rt.Plugins())
	}
	return s
}

// handler answers for all routes.
func (s *server) handler() http.Handler {
	table := s.table()
	if !s.o.NoAdmin {
		table = append(table, adminRoutes()...)
	}
	return s.around(s.auth.guard(s.mux(table)))
}

// around puts around a handler what concerns every request: headers of the
// answer, CORS, panics, the log.
func (s *server) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		out := &answerWriter{ResponseWriter: w, asked: r}
		for _, rule := range s.headers {
			rule.apply(w.Header())
		}
		s.cors.apply(w.Header(), r)
		defer func() {
			if v := recover(); v != nil {
				s.panicked(out, r, v)
			}
			s.logRequest(r, out, time.Since(began))
		}()
		canonical, err := canonicalPath(r)
		if err != nil {
			s.refuse(out, err)
			return
		}
		next.ServeHTTP(out, canonical)
	})
}

// panicked answers for a handler, or a plugin that it called, that panicked.
func (s *server) panicked(w *answerWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.log.ErrorContext(r.Context(), "panic in a request", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if w.status == 0 {
		s.refuse(w, &StatusError{Status: http.StatusInternalServerError, Message: "Internal Server Error"})
	}
}

func (s *server) logRequest(r *http.Request, w *answerWriter, took time.Duration) {
	level := slog.LevelDebug
	if w.status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", w.status), slog.Duration("took", took)}
	if w.err != nil {
		attrs = append(attrs, slog.Any("err", w.err))
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// An answerWriter notes what was answered, and leaves out bodies for HEAD.
type answerWriter struct {
	http.ResponseWriter
	asked  *http.Request // before its path was made canonical
	status int
	err    error
}

// WriteHeader notes the status.
func (w *answerWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write drops what HEAD does not want.
func (w *answerWriter) Write(b []byte) (int, error) {
	if w.asked.Method == http.MethodHead {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
