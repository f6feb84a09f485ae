package connecttest

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/streamlane/connect"
)

func TestCoordinatorSuiteOnAlone(t *testing.T) {
	TestCoordinator(t, func(testing.TB) connect.Coordinator { return connect.Alone() })
}

// flat hides Run, which bubbles do not have.
type flat struct{ testing.TB }

func TestCoordinatorSuiteInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		TestCoordinator(flat{t}, func(testing.TB) connect.Coordinator { return connect.Alone() })
	})
}

// brokenCoordinator changes assignments.
type brokenCoordinator struct {
	connect.Coordinator
	change   func(m connect.Member, a connect.Assignment, ended bool) (connect.Assignment, bool, error)
	noRejoin bool
	twice    bool
}

func (b *brokenCoordinator) Rejoin(reason string) {
	if !b.noRejoin {
		b.Coordinator.Rejoin(reason)
	}
}

func (b *brokenCoordinator) Assignments(ctx context.Context, m connect.Member) iter.Seq2[connect.Assignment, error] {
	return func(yield func(connect.Assignment, error) bool) {
		for a, err := range b.Coordinator.Assignments(ctx, m) {
			keep := true
			if b.change != nil {
				a, keep, err = b.change(m, a, ctx.Err() != nil)
			}
			if keep && !yield(a, err) {
				return
			}
			if b.twice && ctx.Err() != nil && !yield(a, err) {
				return
			}
		}
	}
}

func TestCoordinatorSuiteCatches(t *testing.T) {
	for name, b := range map[string]brokenCoordinator{
		"nothing is revoked at the end": {change: func(_ connect.Member, a connect.Assignment, ended bool) (connect.Assignment, bool, error) {
			return a, !ended, nil
		}},
		"the end is said twice": {twice: true},
		"the end is an error": {change: func(_ connect.Member, a connect.Assignment, ended bool) (connect.Assignment, bool, error) {
			if ended {
				return a, true, errors.New("context canceled")
			}
			return a, true, nil
		}},
		"the end is a lost session": {change: func(_ connect.Member, a connect.Assignment, ended bool) (connect.Assignment, bool, error) {
			a.Lost = ended
			return a, true, nil
		}},
		"Rejoin does nothing": {noRejoin: true},
		"tasks are not assigned": {change: func(_ connect.Member, a connect.Assignment, _ bool) (connect.Assignment, bool, error) {
			a.Added.Tasks = nil
			return a, true, nil
		}},
		"nothing is revoked": {change: func(_ connect.Member, a connect.Assignment, _ bool) (connect.Assignment, bool, error) {
			a.Revoked.Tasks, a.Revoked.Connectors = nil, nil
			return a, true, nil
		}},
		"all work is added every time": {change: func(m connect.Member, a connect.Assignment, _ bool) (connect.Assignment, bool, error) {
			a.Added = a.Added.Plus(m.Owned().Minus(a.Revoked))
			return a, true, nil
		}},
		"nobody leads": {change: func(_ connect.Member, a connect.Assignment, _ bool) (connect.Assignment, bool, error) {
			a.Leader = ""
			return a, true, nil
		}},
		"what is not owned is revoked": {change: func(m connect.Member, a connect.Assignment, _ bool) (connect.Assignment, bool, error) {
			a.Revoked.Connectors = append(a.Revoked.Connectors, "stranger")
			return a, true, nil
		}},
	} {
		catches(t, name, func(t testing.TB) {
			TestCoordinator(t, func(testing.TB) connect.Coordinator {
				broken := b
				broken.Coordinator = connect.Alone()
				return &broken
			})
		})
	}
}
