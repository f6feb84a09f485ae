package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// A Trial asks what a configuration does with records.
type Trial struct {
	// Name is the connector's; Props its configuration, as for PutConnector.
	Name  string
	Props config.Props
	// Messages are samples for a sink, as they would be consumed; Records samples
	// for a source, as its task would return them. Those of the other kind are
	// refused.
	Messages []connect.Message
	Records  []connect.SourceRecord
}

// A Tried is what becomes of one sample.
type Tried struct {
	// Steps are what was done, in order. After one with an Err or Dropped there
	// are no more.
	Steps []Step
	// Record is what Put, or a Receiver, would be given; Message what would be sent
	// to Kafka. Nil: neither, for the record is dropped or fails.
	Record  *connect.Record
	Message *connect.Message
	// Err is that of the last step, a *connect.StageError; nil if none failed.
	Err error
}

// Dropped reports whether a transform dropped the record.
func (t *Tried) Dropped() bool { return len(t.Steps) > 0 && t.Steps[len(t.Steps)-1].Dropped }

// A Step is one step of one sample. Record and Message are what it left, not to be
// changed: Message of converters of a source, Record of all others; nil after an
// error.
type Step struct {
	Stage  connect.Stage
	Alias  string // of a transform
	Plugin string // class
	// Predicate under which the transform applies; nil: there is none, or it could
	// not tell.
	Predicate *Predicate
	Record    *connect.Record
	Message   *connect.Message
	Dropped   bool
	Err       error
	Took      time.Duration
}

// A Predicate is the verdict of a predicate. The transform applies if Holds and
// Negate differ.
type Predicate struct {
	Alias, Plugin string
	Negate, Holds bool
}

// Applies reports whether the transform applied.
func (s *Step) Applies() bool {
	return s.Predicate == nil || s.Predicate.Holds != s.Predicate.Negate
}

var errOtherKind = errors.New("its samples are those of the other kind of connector")

// Run runs samples through the converters and transforms of a configuration. Errors
// of samples are in their Tried; the error of Run is about the configuration, and
// wraps connect.ErrBadRequest, or is that of ctx.
//
// Retries and errors.tolerance are left out: what would be tried again, skipped or
// dead-lettered shows as an error.
func Run(ctx context.Context, rt *connect.Runtime, t Trial) (_ []Tried, err error) {
	stages, err := rt.Stages(ctx, t.Name, t.Props)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := stages.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("connector %q: closing its plugins: %w", t.Name, closeErr))
		}
	}()
	sink := stages.Kind == connect.SinkPlugin
	if sink && len(t.Records) > 0 || !sink && len(t.Messages) > 0 {
		return nil, fmt.Errorf("connector %q: %w: %s is a %v: %w", t.Name, connect.ErrBadRequest, stages.Class, stages.Kind, errOtherKind)
	}
	r := &run{stages: stages, name: t.Name}
	all := make([]Tried, 0, len(t.Messages)+len(t.Records))
	for i := range t.Messages {
		all = append(all, r.sink(ctx, &t.Messages[i]))
	}
	for i := range t.Records {
		all = append(all, r.source(ctx, &t.Records[i]))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return all, nil
}
