package redactlog

import (
	"context"
	"fmt"
	"log/slog"
)

// New returns a handler that hands records on to inner with what redact makes of
// their message and of their values. Values that are no text are looked at as they
// would be printed, and stay what they are if there is nothing to hide in them.
// redact is called from any goroutine.
func New(inner slog.Handler, redact func(text string) string) slog.Handler {
	return &handler{inner, redact}
}

type handler struct {
	inner  slog.Handler
	redact func(string) string
}

// Enabled asks the inner handler.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

// Handle hands on a record without secrets.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.inner.Handle(ctx, clean)
}

// WithAttrs hands on attributes without secrets.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.inner.WithAttrs(h.attrs(attrs)), h.redact}
}

// WithGroup opens a group.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.inner.WithGroup(name), h.redact}
}

func (h *handler) attrs(attrs []slog.Attr) []slog.Attr {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attr(a)
	}
	return clean
}

func (h *handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		v = slog.StringValue(h.redact(v.String()))
	case slog.KindGroup:
		v = slog.GroupValue(h.attrs(v.Group())...)
	case slog.KindAny:
		text := fmt.Sprint(v.Any())
		if clean := h.redact(text); clean != text {
			v = slog.StringValue(clean)
		}
	default: // numbers, times and such
	}
	return slog.Attr{Key: a.Key, Value: v}
}
