package rest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLoggers(slog.LevelInfo)
		set := func(namespace, level string) []string {
			changed, err := l.Set(namespace, level)
			require.NoError(t, err)
			return changed
		}
		level := func(namespace string) string {
			found, ok := l.Level(namespace)
			require.True(t, ok, namespace)
			return found.Level
		}
		_, known := l.Level("a.b")
		assert.False(t, known)
		assert.Equal(t, []string{"a.b"}, set("a.b", "debug"))
		at := time.Now()
		time.Sleep(time.Hour)
		assert.Empty(t, set("a.b", "DEBUG"), "that is no change")
		found, _ := l.Level("a.b")
		assert.True(t, at.Equal(found.LastModified), "nothing was modified since")
		l.see("a.b.c")
		l.see("a.bc")
		assert.Equal(t, "DEBUG", level("a.b.c"), "from its parent")
		assert.Equal(t, "INFO", level("a.bc"), "no child of a.b")
		assert.Equal(t, []string{"a.b", "a.b.c"}, set("a.b", "error"))
		assert.Equal(t, []string{"a.b.c"}, set("a.b.c", "trace"))
		assert.Equal(t, []string{"a.b", "a.b.c", "a.bc", "root"}, set("ROOT", "warn"))
		assert.Equal(t, map[string]LoggerLevel{
			"root": {"WARN", time.Now()}, "a.b": {"WARN", time.Now()}, "a.b.c": {"WARN", time.Now()}, "a.bc": {"WARN", time.Now()},
		}, l.Levels())
		_, err := l.Set("a", "loud")
		assert.ErrorContains(t, err, `"loud"`)
		_, err = l.Set("", "info")
		assert.Error(t, err)
	})
}

func TestLevelNames(t *testing.T) {
	for _, l := range namedLevels() {
		parsed, err := parseLevel(strings.ToLower(l.name))
		require.NoError(t, err)
		assert.Equal(t, l.level, parsed)
		assert.Equal(t, l.name, levelName(l.level))
	}
	assert.Equal(t, "WARN", levelName(slog.LevelInfo+1))
	assert.Equal(t, "TRACE", levelName(-100))
	assert.Equal(t, "OFF", levelName(100))
}

// Levels decide which records pass: by the logger's name, or by package.
func TestLevelHandler(t *testing.T) {
	var out bytes.Buffer
	l := NewLoggers(slog.LevelInfo)
	log := slog.New(l.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: levelAll})))
	passes := func(log *slog.Logger, level slog.Level) bool {
		out.Reset()
		log.Log(t.Context(), level, "x")
		return out.Len() > 0
	}
	orders := log.With(LoggerKey, "orders.import")
	assert.True(t, passes(log, slog.LevelInfo))
	assert.False(t, passes(log, slog.LevelDebug))
	assert.False(t, log.Enabled(t.Context(), slog.LevelDebug))
	const here = "github.com/streamlane/connect/rest"
	found, ok := l.Level(here)
	require.True(t, ok, "this package has logged")
	assert.Equal(t, "INFO", found.Level)

	_, err := l.Set("orders", "DEBUG")
	require.NoError(t, err)
	assert.True(t, passes(orders, slog.LevelDebug))
	assert.True(t, passes(orders.With("a", 1).WithGroup("g").With(LoggerKey, "no name"), slog.LevelDebug), "a logger keeps its name")
	assert.False(t, passes(log.WithGroup("g").With(LoggerKey, "orders"), slog.LevelDebug), "that is an attribute of the group")
	assert.False(t, passes(log, slog.LevelDebug))
	_, err = l.Set("github.com/streamlane", "TRACE")
	require.NoError(t, err)
	assert.True(t, passes(log, LevelTrace))
	_, err = l.Set("orders.import", "OFF")
	require.NoError(t, err)
	assert.False(t, passes(orders, LevelFatal))

	quiet := slog.New(l.Handler(slog.NewTextHandler(&out, nil)))
	assert.False(t, passes(quiet, slog.LevelDebug), "what the next handler does not want")
}

func TestLoggersAreBounded(t *testing.T) {
	l := NewLoggers(slog.LevelInfo)
	s := *l.state.Load()
	s.seen = make(map[string]bool)
	for i := range maxLoggers {
		s.seen[strings.Repeat("x", i%7)+string(rune('a'+i%26))+time.Duration(i).String()] = true
	}
	l.state.Store(&s)
	l.see("one more")
	assert.False(t, l.state.Load().seen["one more"])
}

func TestLoggersConcurrently(t *testing.T) {
	l := NewLoggers(slog.LevelInfo)
	log := slog.New(l.Handler(slog.DiscardHandler))
	var running sync.WaitGroup
	for _, name := range []string{"a", "b", "a.b", "a.c"} {
		running.Go(func() {
			for range 100 {
				log.With(LoggerKey, name).Info("x")
				_, _ = l.Set(name, "DEBUG")
				_, _ = l.Set("root", "INFO")
				l.Levels()
			}
		})
	}
	running.Wait()
	_, err := l.Set("root", "ERROR")
	require.NoError(t, err)
	for name, level := range l.Levels() {
		assert.Equal(t, "ERROR", level.Level, name)
	}
	assert.Len(t, l.Levels(), 5)
}

// Without Loggers the host's level is shown, and stays the host's.
func TestHostLevels(t *testing.T) {
	for _, tt := range []struct {
		log  *slog.Logger
		want string
	}{
		{nil, "OFF"},
		{slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelWarn})), "WARN"},
		{slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: levelAll})), "ALL"},
	} {
		h := AdminHandler(&Options{Logger: tt.log})
		assert.JSONEq(t, `{"root":{"level":"`+tt.want+`","last_modified":null}}`, send(t, h, host, "GET", "/admin/loggers", nil, nil).Body.String())
		assert.JSONEq(t, `{"level":"`+tt.want+`","last_modified":null}`, send(t, h, host, "GET", "/admin/loggers/Root", nil, nil).Body.String())
		assert.Equal(t, 404, send(t, h, host, "GET", "/admin/loggers/a", nil, nil).Code)
		for _, scope := range []string{"", "?scope=worker", "?scope=cluster"} {
			assert.Equal(t, 501, send(t, h, host, "PUT", "/admin/loggers/root"+scope, jsonHeader(), []byte(`{"level":"INFO"}`)).Code)
		}
	}
}
