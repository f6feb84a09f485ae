package kafka

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// levelTrace is below slog's debug: what the client calls debug is a line per
// request.
const levelTrace = slog.LevelDebug - 4

// logger hands the client's log on. The client's levels go down by one: its
// errors come to the caller as well, and its information is for debugging.
//
// That a broker refuses our credentials, or has none that we trust, the client
// tells nobody but its log, for it goes on trying. refused, if not nil, hears of it.
type logger struct {
	l       *slog.Logger
	refused func(error)
}

// Level tells the client what to leave out.
func (l logger) Level() kgo.LogLevel {
	ctx := context.Background()
	switch {
	case l.l.Enabled(ctx, levelTrace):
		return kgo.LogLevelDebug
	case l.l.Enabled(ctx, slog.LevelDebug):
		return kgo.LogLevelInfo
	case l.l.Enabled(ctx, slog.LevelInfo), l.refused != nil:
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelError
}

// Log writes one line.
func (l logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if l.refused != nil {
		for _, v := range keyvals {
			if err, ok := v.(error); ok && (level == kgo.LogLevelError && is(err, authErrors) || untrusted(err)) {
				l.refused(mapError(err))
			}
		}
	}
	to := levelTrace
	switch level {
	case kgo.LogLevelError:
		to = slog.LevelWarn
	case kgo.LogLevelWarn:
		to = slog.LevelInfo
	case kgo.LogLevelInfo:
		to = slog.LevelDebug
	}
	l.l.Log(context.Background(), to, msg, keyvals...)
}
