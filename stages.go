package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/config"
)

// Stages are the converters and transforms of a connector's configuration, as its
// tasks have them. They are for tools, such as package trial; one goroutine at a
// time uses them, and closes them.
type Stages struct {
	// Class of the connector, and its kind: SourcePlugin or SinkPlugin.
	Class string
	Kind  PluginKind
	// Key, Value and Header are nil for a source whose records go to a Receiver.
	Key, Value                        Converter
	Header                            HeaderConverter
	KeyClass, ValueClass, HeaderClass string
	Transforms                        []TransformStage

	env *taskEnv
}

// A TransformStage is one transform of a chain. It applies to records for which
// the predicate, if there is one, says what is not Negate.
type TransformStage struct {
	Alias, Class                   string
	Transform                      Transform
	Predicate                      Predicate // nil: it applies to all
	PredicateAlias, PredicateClass string
	Negate                         bool
}

// A DryRunner is an optional ability of converters, transforms and predicates
// that change something outside of the process, such as schemas in a registry:
// DryRun is called once, before the first record, on one that is only tried. From
// then on it looks up, and changes nothing.
type DryRunner interface {
	DryRun()
}

// Stages makes the plugins of a configuration, as for PutConnector, that records go
// through. Nothing starts, no client is opened, and the Runtime need not run.
// Plugins that change something outside of the process are told not to; see
// DryRunner. The error is about the configuration and wraps ErrBadRequest.
func (rt *Runtime) Stages(ctx context.Context, name string, props config.Props) (*Stages, error) {
	s := &Stages{env: &taskEnv{id: cluster.TaskID{Connector: name}, log: rt.log.With("connector", name), chain: &chain{}}}
	if err := rt.buildStages(ctx, s, props); err != nil {
		return nil, fmt.Errorf("connector %q: %w: %w", name, ErrBadRequest, errors.Join(err, s.Close()))
	}
	return s, nil
}

func (rt *Runtime) buildStages(ctx context.Context, s *Stages, props config.Props) (err error) {
	env := s.env
	b := &taskBuild{rt: rt, env: env, java: make(map[string]string)}
	if b.rawConnector, err = withName(env.id.Connector, props); err != nil {
		return err
	}
	if env.connector, err = rt.resolve(ctx, b.rawConnector); err != nil {
		return err
	}
	if env.plugin, err = rt.connectorPlugin(env.connector); err != nil {
		return err
	}
	s.Class, s.Kind = env.plugin.info.Class, env.plugin.kind
	if b.set, err = rt.connectorSettings(s.Kind, env.connector, b.rawConnector); err != nil {
		return err
	}
	if err := b.chain(); err != nil {
		return err
	}
	if rt.opts.Receiver == nil || s.Kind == SinkPlugin {
		if err := b.converters(); err != nil {
			return err
		}
	}
	s.Key, s.Value, s.Header = env.key, env.value, env.header
	s.KeyClass, s.ValueClass, s.HeaderClass = env.keyClass, env.valueClass, env.headerClass
	dryRun(s.Key, s.Value, s.Header)
	for i, stage := range env.chain.stages {
		t := TransformStage{Alias: stage.alias, Class: stage.class, Transform: stage.transform, Predicate: stage.predicate, Negate: stage.negate}
		t.PredicateAlias = b.set.Transforms[i].Applies
		for _, p := range b.set.Predicates {
			if p.Alias == t.PredicateAlias {
				t.PredicateClass = p.Type.Class
			}
		}
		dryRun(t.Transform, t.Predicate)
		s.Transforms = append(s.Transforms, t)
	}
	return nil
}

func dryRun(plugins ...any) {
	for _, p := range plugins {
		if d, ok := p.(DryRunner); ok {
			d.DryRun()
		}
	}
}

// Close closes the plugins that can be closed.
func (s *Stages) Close() error { return s.env.close(context.Background()) }
