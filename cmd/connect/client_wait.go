package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/cluster"
)

const (
	// A state is looked at again after so long, doubling up to the maximum.
	firstLook   = 100 * time.Millisecond
	longestLook = time.Second
	// moveTime is how long a restart may take to show in the states.
	moveTime = 3 * time.Second
)

// everywhere returns what is true of a connector whose instances, one task at least,
// are in the state.
func everywhere(state string) func(*stateInfo) bool {
	return func(s *stateInfo) bool {
		return s.Connector.State == state && len(s.Tasks) > 0 && s.count(state) == len(s.Tasks)
	}
}

func isRunning(s *stateInfo) bool { return everywhere("RUNNING")(s) }

func isStopped(s *stateInfo) bool { return s.Connector.State == "STOPPED" && len(s.Tasks) == 0 }

// isTarget returns what is true of a connector that is as it shall be. A paused
// one that was just created has no tasks.
func isTarget(t cluster.TargetState) func(*stateInfo) bool {
	switch t {
	case cluster.TargetStopped:
		return isStopped
	case cluster.TargetPaused:
		return func(s *stateInfo) bool { return s.Connector.State == "PAUSED" && s.count("PAUSED") == len(s.Tasks) }
	}
	return isRunning
}

// await waits until a connector's state is reached, and returns it for people. It
// ends sooner if something has failed.
func (c *client) await(ctx context.Context, name string, reached func(*stateInfo) bool) (string, error) {
	seen := "no state yet"
	for look := firstLook; ; look = min(2*look, longestLook) {
		var s stateInfo
		err := c.call(ctx, http.MethodGet, connectorPath(name, "/status"), nil, &s)
		switch {
		case ctx.Err() != nil:
			return "", exitWith(exitWaited, fmt.Errorf("waited in vain, found %s: %w", seen, context.Cause(ctx)))
		case notFound(err):
		case err != nil:
			return "", err
		case reached(&s):
			return summary(&s), nil
		case len(s.failed()) > 0:
			return "", exitWith(exitFailed, fmt.Errorf("failed: %s; connect logs and connect status --trace tell why", strings.Join(s.failed(), ", ")))
		default:
			seen = summary(&s)
		}
		if pause(ctx, look) != nil {
			return "", exitWith(exitWaited, fmt.Errorf("waited in vain, found %s: %w", seen, context.Cause(ctx)))
		}
	}
}

// summary is a state for people: RUNNING, 2 tasks RUNNING, 1 FAILED.
func summary(s *stateInfo) string {
	counts := make(map[string]int)
	var states []string
	for _, t := range s.Tasks {
		if counts[t.State]++; counts[t.State] == 1 {
			states = append(states, t.State)
		}
	}
	slices.Sort(states)
	text := s.Connector.State
	for i, state := range states {
		noun := ""
		switch {
		case i > 0:
		case counts[state] == 1:
			noun = "task "
		default:
			noun = "tasks "
		}
		text += fmt.Sprintf(", %d %s%s", counts[state], noun, state)
	}
	return text
}

// awaitMove waits until a restart shows in the states, for what they were before
// says nothing about it. A restart may be over before anybody looks, so the wait
// is short.
func (c *client) awaitMove(ctx context.Context, before *stateInfo) {
	ctx, cancel := context.WithTimeout(ctx, moveTime)
	defer cancel()
	for {
		var s stateInfo
		err := c.call(ctx, http.MethodGet, connectorPath(before.Name, "/status"), nil, &s)
		if err != nil || summary(&s) != summary(before) || pause(ctx, firstLook) != nil {
			return
		}
	}
}
