package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
)

// RootLogger is the name of the level that counts where no other does.
const RootLogger = "root"

// maxLoggers bounds the namespaces that are known. Records of further ones still
// have their levels, but are not listed.
const maxLoggers = 10_000

// Levels beyond slog's own, for the names that Java has (log4j). Where a name is
// asked for, a level in between counts as the next higher one.
const (
	LevelTrace = slog.LevelDebug - 4
	LevelFatal = slog.LevelError + 4
	levelAll   = slog.Level(math.MinInt)
	levelOff   = slog.Level(math.MaxInt)
)

type namedLevel struct {
	name  string
	level slog.Level
}

// namedLevels are Java's levels, from low to high.
func namedLevels() []namedLevel {
	return []namedLevel{
		{"ALL", levelAll}, {"TRACE", LevelTrace}, {"DEBUG", slog.LevelDebug}, {"INFO", slog.LevelInfo},
		{"WARN", slog.LevelWarn}, {"ERROR", slog.LevelError}, {"FATAL", LevelFatal}, {"OFF", levelOff},
	}
}

// parseLevel reads a level's name, in any case.
func parseLevel(name string) (slog.Level, error) {
	for _, l := range namedLevels() {
		if strings.EqualFold(name, l.name) {
			return l.level, nil
		}
	}
	return 0, fmt.Errorf("level %q: want ALL, TRACE, DEBUG, INFO, WARN, ERROR, FATAL or OFF", name)
}

// levelName returns the name of a level, or of the next higher one that has one.
func levelName(level slog.Level) string {
	levels := namedLevels()
	i, _ := slices.BinarySearchFunc(levels, level, func(l namedLevel, level slog.Level) int {
		return int(max(-1, min(1, compareLevels(l.level, level))))
	})
	return levels[i].name
}

func compareLevels(a, b slog.Level) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A LoggerLevel is the level of a namespace.
type LoggerLevel struct {
	// Level is a name of Java's: TRACE, DEBUG, INFO, ...
	Level string
	// LastModified is when it was set; zero: never, it is inherited.
	LastModified time.Time
}

// Loggers are levels of log records by namespace (KIP-495), for
// /admin/loggers to show and to change while the program runs. The names of
// namespaces are hierarchies whose parts are separated by dots or slashes; the
// nearest one that has a level counts, and root where none has.
//
// They take effect on the records that pass through their Handler. They are safe
// for concurrent use.
type Loggers struct {
	mu    sync.Mutex // held by who changes levels
	state atomic.Pointer[levels]
}

// levels are immutable.
type levels struct {
	root   setLevel
	set    map[string]setLevel
	seen   map[string]bool
	lowest slog.Level // of all
}

type setLevel struct {
	level slog.Level
	at    time.Time
}

// NewLoggers returns Loggers of which only root has a level.
func NewLoggers(root slog.Level) *Loggers {
	l := &Loggers{}
	l.state.Store(&levels{root: setLevel{level: root}, lowest: root})
	return l
}

// of returns the level that counts for a namespace, and when it was set for it
// itself.
func (s *levels) of(namespace string) setLevel {
	if own, ok := s.set[namespace]; ok {
		return own
	}
	for name := namespace; ; {
		i := strings.LastIndexAny(name, "./")
		if i < 0 {
			return setLevel{level: s.root.level}
		}
		name = name[:i]
		if parent, ok := s.set[name]; ok {
			return setLevel{level: parent.level}
		}
	}
}

// Levels returns root and every namespace in use: those that records came from,
// and those that were set.
func (l *Loggers) Levels() map[string]LoggerLevel {
	s := l.state.Load()
	all := map[string]LoggerLevel{RootLogger: s.root.show()}
	for name := range s.names() {
		all[name] = s.of(name).show()
	}
	return all
}

// Level returns the level of root, or of a namespace in use.
func (l *Loggers) Level(namespace string) (LoggerLevel, bool) {
	s := l.state.Load()
	if strings.EqualFold(namespace, RootLogger) {
		return s.root.show(), true
	}
	if _, set := s.set[namespace]; !set && !s.seen[namespace] {
		return LoggerLevel{}, false
	}
	return s.of(namespace).show(), true
}

func (s setLevel) show() LoggerLevel { return LoggerLevel{levelName(s.level), s.at} }

// names are the namespaces in use, in no order.
func (s *levels) names() map[string]bool {
	names := maps.Clone(s.seen)
	if names == nil {
		names = make(map[string]bool)
	}
	for name := range s.set {
		names[name] = true
	}
	return names
}

// Set sets the level of a namespace and of all namespaces in use below it; of
// root, of all there are. It returns the names whose level changed, in
// alphabetical order. Level is a name of Java's, in any case.
func (l *Loggers) Set(namespace, level string) ([]string, error) {
	wanted, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	if namespace == "" {
		return nil, errors.New("the namespace is empty")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.state.Load()
	next := *old
	next.set = maps.Clone(old.set)
	if next.set == nil {
		next.set = make(map[string]setLevel)
	}
	changed := []string{}
	now := setLevel{wanted, time.Now()}
	names := old.names()
	if strings.EqualFold(namespace, RootLogger) {
		if old.root.level != wanted {
			next.root = now
			changed = append(changed, RootLogger)
		}
	} else {
		names[namespace] = true
	}
	for name := range names {
		if below(name, namespace) && old.of(name).level != wanted {
			next.set[name] = now
			changed = append(changed, name)
		}
	}
	next.lowest = next.root.level
	for _, s := range next.set {
		next.lowest = min(next.lowest, s.level)
	}
	l.state.Store(&next)
	slices.Sort(changed)
	return changed, nil
}

// below tells whether a name is the namespace or within it.
func below(name, namespace string) bool {
	rest, ok := strings.CutPrefix(name, namespace)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '/') || strings.EqualFold(namespace, RootLogger)
}

// see notes that a namespace is in use.
func (l *Loggers) see(namespace string) {
	if s := l.state.Load(); s.seen[namespace] || len(s.seen) >= maxLoggers {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	next := *l.state.Load()
	next.seen = maps.Clone(next.seen)
	if next.seen == nil {
		next.seen = make(map[string]bool)
	}
	next.seen[namespace] = true
	l.state.Store(&next)
}

// OnLevel sets a level that is set on all workers of the cluster: Loggers are a
// connect.LevelHook. A level that is none of Java's has no effect.
func (l *Loggers) OnLevel(e *connect.LevelEvent) {
	_, _ = l.Set(e.Namespace, e.Level) // the Runtime's log tells of it
}
