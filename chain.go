package connect

import (
	"context"
	"errors"
	"io"
	"slices"
)

// A chain is the transforms of one task, in order. It is used by one goroutine.
type chain struct {
	stages []transformStage
	errs   *errorHandler
	// work holds the copy that a stage changes: one for all records, since a
	// pointer handed to an interface would otherwise cost an allocation each.
	work Record
}

type transformStage struct {
	alias     string
	class     string
	transform Transform
	predicate Predicate // nil: always
	negate    bool
}

// apply runs r through the chain. keep is false if a transform dropped the
// record, or if errors.tolerance let it go. r is changed on success only, so a
// failure can be reported, or tried again, with the record as it was.
func (c *chain) apply(ctx context.Context, r *Record, f failure) (keep bool, err error) {
	if len(c.stages) == 0 {
		return true, nil
	}
	current := *r
	for i := range c.stages {
		s := &c.stages[i]
		keep, err := c.one(ctx, s, &current)
		if err != nil {
			f.stage, f.plugin, f.err = StageTransformation, s.class, err
			skip, err := c.errs.settle(ctx, f, func() (err error) {
				keep, err = c.one(ctx, s, &current)
				return err
			})
			if skip || err != nil {
				return false, err
			}
		}
		if !keep {
			return false, nil
		}
	}
	*r = current
	return true, nil
}

// one runs a single stage on a copy, which replaces r if it succeeds.
func (c *chain) one(ctx context.Context, s *transformStage, r *Record) (keep bool, err error) {
	c.work = *r
	c.work.Headers = slices.Clip(r.Headers)
	if s.predicate != nil {
		holds, err := s.predicate.Test(ctx, &c.work)
		if err != nil {
			return false, err
		}
		if holds == s.negate {
			return true, nil
		}
	}
	if keep, err = s.transform.Apply(ctx, &c.work); err != nil || !keep {
		return false, err
	}
	*r = c.work
	return true, nil
}

// close closes the stages that can be closed.
func (c *chain) close() error {
	var errs []error
	for _, s := range c.stages {
		errs = append(errs, closePlugin(s.transform), closePlugin(s.predicate))
	}
	return errors.Join(errs...)
}

// closePlugin closes a transform, predicate or converter that is an io.Closer.
func closePlugin(p any) error {
	if c, ok := p.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
