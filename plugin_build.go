package connect

import (
	"fmt"

	"github.com/streamlane/connect/config"
)

// Err says what is wrong with the plugin itself, such as an optional method
// with the wrong signature; nil if nothing is. New refuses plugins with an Err.
func (p Plugin) Err() error {
	if p.kind == 0 {
		return fmt.Errorf("plugin: %w: the zero Plugin; make it by connect.Source and the like", ErrBadRequest)
	}
	return p.err
}

// NewSourceTask decodes the configuration of one task and makes the task. Like
// its siblings it is for tests and tools: a Runtime makes what it runs itself.
// It fails if the plugin is of another kind or the configuration is wrong.
func (p Plugin) NewSourceTask(task config.Props) (SourceTask, error) {
	return build(p, p.sourceTask, task)
}

// NewSinkTask decodes the configuration of one task and makes the task. See
// NewSourceTask.
func (p Plugin) NewSinkTask(task config.Props) (SinkTask, error) { return build(p, p.sinkTask, task) }

// NewTransform decodes the configuration and makes the transform. See
// NewSourceTask.
func (p Plugin) NewTransform(c config.Props) (Transform, error) { return build(p, p.transform, c) }

// NewPredicate decodes the configuration and makes the predicate. See
// NewSourceTask.
func (p Plugin) NewPredicate(c config.Props) (Predicate, error) { return build(p, p.predicate, c) }

// NewConverter decodes the configuration and makes the converter. Who calls it
// sets converter.type. See NewSourceTask.
func (p Plugin) NewConverter(c config.Props) (Converter, error) { return build(p, p.converter, c) }

// NewHeaderConverter decodes the configuration and makes the header converter.
// Who calls it sets converter.type. See NewSourceTask.
func (p Plugin) NewHeaderConverter(c config.Props) (HeaderConverter, error) {
	return build(p, p.header, c)
}

// build makes what one kind of plugin makes.
func build[X any](p Plugin, make construct[X], c config.Props) (X, error) {
	var none X
	if make == nil {
		return none, fmt.Errorf("plugin %q: %w: it is of the kind %v", p.info.Class, ErrBadRequest, p.kind)
	}
	x, err := make(c, c)
	if err != nil {
		return none, fmt.Errorf("plugin %q: %w", p.info.Class, err)
	}
	return x, nil
}
