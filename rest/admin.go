package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// loggerLevel is Java's LoggerLevel.
type loggerLevel struct {
	Level        string `json:"level"`
	LastModified *int64 `json:"last_modified"`
}

func showLevel(l LoggerLevel) loggerLevel { return loggerLevel{l.Level, millis(l.LastModified)} }

// listLoggers is GET /admin/loggers.
func (s *server) listLoggers(ctx context.Context, _ *call) (answer, error) {
	if s.o.Loggers == nil {
		return ok(map[string]loggerLevel{RootLogger: showLevel(s.hostLevel(ctx))})
	}
	shown := make(map[string]loggerLevel)
	for name, l := range s.o.Loggers.Levels() {
		shown[name] = showLevel(l)
	}
	return ok(shown)
}

// getLogger is GET /admin/loggers/{name}.
func (s *server) getLogger(ctx context.Context, c *call) (answer, error) {
	if s.o.Loggers == nil {
		if !strings.EqualFold(c.name(), RootLogger) {
			return answer{}, failure(http.StatusNotFound, nil, "Logger %s not found.", c.name())
		}
		return ok(showLevel(s.hostLevel(ctx)))
	}
	l, inUse := s.o.Loggers.Level(c.name())
	if !inUse {
		return answer{}, failure(http.StatusNotFound, nil, "Logger %s not found.", c.name())
	}
	return ok(showLevel(l))
}

// hostLevel is the lowest level that the host's logger lets pass.
func (s *server) hostLevel(ctx context.Context) LoggerLevel {
	for _, l := range namedLevels() {
		if s.log.Enabled(ctx, l.level) && l.level != levelOff {
			return LoggerLevel{Level: l.name}
		}
	}
	return LoggerLevel{Level: levelName(levelOff)}
}

// setLogger is PUT /admin/loggers/{name}.
func (s *server) setLogger(ctx context.Context, c *call) (answer, error) {
	level, err := parseLevelChange(c.body)
	if err != nil {
		return answer{}, err
	}
	switch scope := c.query.Get("scope"); {
	case strings.EqualFold(scope, "cluster"):
		return s.setClusterLevel(ctx, c.name(), level)
	case scope != "" && !strings.EqualFold(scope, "worker"):
		s.log.WarnContext(ctx, "the scope of a level is unknown and counts as worker", "scope", scope)
	}
	changed, err := s.setLevel(c.name(), level)
	return answer{status: http.StatusOK, body: changed}, err
}

// parseLevelChange reads the level, by its name in capitals. Other fields count
// for nothing, as in Java.
func parseLevelChange(body []byte) (string, error) {
	fields, err := parseObject(body, propsEntity)
	if err != nil {
		return "", err
	}
	for _, v := range fields {
		if _, _, err := text(v); err != nil {
			return "", err
		}
	}
	level, given, _ := text(fields["level"])
	if !given {
		return "", badRequest("Desired 'level' parameter was not specified in request.")
	}
	if level == "" {
		return "", badRequest("Illegal null or empty Level name.")
	}
	if _, err := parseLevel(level); err != nil {
		return "", failure(http.StatusNotFound, err, "invalid log level '%s'.", level)
	}
	return strings.ToUpper(level), nil
}

func (s *server) setClusterLevel(ctx context.Context, namespace, level string) (answer, error) {
	if s.o.SetClusterLevel == nil {
		_, err := s.setLevel(namespace, level)
		return empty(http.StatusNoContent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	if err := s.o.SetClusterLevel(ctx, namespace, level); err != nil {
		return answer{}, fmt.Errorf("setting the level of %q on all workers: %w", namespace, err)
	}
	return answer{status: http.StatusNoContent}, nil
}

func (s *server) setLevel(namespace, level string) ([]string, error) {
	if s.o.Loggers == nil {
		return nil, failure(http.StatusNotImplemented, errors.ErrUnsupported, "The levels of this worker's loggers are its host's and cannot be changed here")
	}
	return s.o.Loggers.Set(namespace, level)
}
