package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"

	"github.com/streamlane/connect/rest"
	"github.com/twmb/franz-go/pkg/kfake"
)

// logFlags say how the log looks.
type logFlags struct {
	level slog.Level
	json  bool
}

func (l *logFlags) declare(f *flag.FlagSet) {
	f.TextVar(&l.level, "log-level", slog.LevelInfo, "log lines of this `level` and above: debug, info, warn or error")
	f.Func("log-format", "`format` of the log: text or json (default text)", func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("want text or json")
		}
		l.json = s == "json"
		return nil
	})
}

// logger makes the log, and what levels it has. Further levels can be set while
// the process runs, so what writes the lines lets all of them pass.
func (l *logFlags) logger(w io.Writer) (*slog.Logger, *rest.Loggers) {
	levels := rest.NewLoggers(l.level)
	o := &slog.HandlerOptions{Level: slog.Level(math.MinInt)}
	var lines slog.Handler = slog.NewTextHandler(w, o)
	if l.json {
		lines = slog.NewJSONHandler(w, o)
	}
	return slog.New(levels.Handler(lines)), levels
}

// brokerLog is the embedded broker's way into the log. Its information is about
// single requests.
type brokerLog struct{ log *slog.Logger }

func (b brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if ctx := context.Background(); b.log.Enabled(ctx, to) {
		b.log.Log(ctx, to, fmt.Sprintf(format, args...))
	}
}
