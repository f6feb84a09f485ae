package rest

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
)

// LoggerKey is the attribute that names the namespace of a logger:
//
//	log.With(rest.LoggerKey, "orders.import")
//
// Records of loggers without it belong to the package that logs them, by its
// import path.
const LoggerKey = "logger"

// A LevelHandler passes on to another slog.Handler what the level of the
// record's namespace lets pass.
type LevelHandler struct {
	loggers   *Loggers
	next      slog.Handler
	namespace string // "": the package's
	grouped   bool   // attributes are within a group: none names the logger
}

var _ slog.Handler = (*LevelHandler)(nil)

// Handler returns a handler for the program's loggers, in front of next. What
// next does not want is not passed on either, so let it want all levels that may
// ever be set.
func (l *Loggers) Handler(next slog.Handler) *LevelHandler {
	return &LevelHandler{loggers: l, next: next}
}

// Enabled tells whether records of the level may pass.
func (h *LevelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	s := h.loggers.state.Load()
	least := s.lowest
	if h.namespace != "" {
		least = s.of(h.namespace).level
	}
	return level >= least && h.next.Enabled(ctx, level)
}

// Handle passes a record on, or drops it.
func (h *LevelHandler) Handle(ctx context.Context, r slog.Record) error {
	namespace := h.namespace
	if namespace == "" {
		if namespace = packageOf(r.PC); namespace != "" {
			h.loggers.see(namespace)
		}
	}
	if r.Level < h.loggers.state.Load().of(namespace).level {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs returns a handler of the namespace that the attributes name, if one
// does.
func (h *LevelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next = h.next.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == LoggerKey && !h.grouped && a.Value.Kind() == slog.KindString {
			c.namespace = a.Value.String()
		}
	}
	if c.namespace != h.namespace && c.namespace != "" {
		h.loggers.see(c.namespace)
	}
	return &c
}

// WithGroup returns a handler that groups attributes.
func (h *LevelHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.next, c.grouped = h.next.WithGroup(name), h.grouped || name != ""
	return &c
}

// packageOf returns the import path of the code at pc.
func packageOf(pc uintptr) string {
	if pc == 0 {
		return ""
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	slash := strings.LastIndexByte(frame.Function, '/') + 1
	name, _, _ := strings.Cut(frame.Function[slash:], ".")
	return frame.Function[:slash] + strings.ReplaceAll(name, "%2e", ".")
}
