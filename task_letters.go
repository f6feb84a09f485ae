package connect

import (
	"context"

	"github.com/streamlane/connect/internal/toperule"
)

// run runs the pipeline, with a box for dead letters if there is to be one.
func (e *taskEnv) run(c taskContexts, p pipeline) error {
	if err := e.letters.start(c.poll); err != nil {
		if c.poll.Err() != nil {
			return nil
		}
		return e.stageError(StageKafkaProduce, err)
	}
	defer func() {
		// A letter that is not written by then holds back its record's offset.
		ctx, cancel := context.WithTimeout(c.grace, e.timing.flushTimeout)
		defer cancel()
		e.sourceLetters.flush(ctx)
		e.letters.close(ctx)
	}()
	return p.run(c)
}

// letters makes the reporter of dead letters, if the connector has a topic for
// them.
func (b *taskBuild) letters() error {
	env := b.env
	if sink := b.set.sink; sink != nil {
		if sink.DeadLetterTopic == "" || env.broker == nil {
			return nil
		}
		env.letters = b.letterBox(letterSettings{sink.DeadLetterTopic, sink.DeadLetterContextHeaders}, sink.DeadLetterReplicationFactor)
		env.errs.reporters = append(env.errs.reporters, sinkLetterReporter{env.letters})
		return nil
	}
	if set := b.set.source.DeadLetters; set.Topic != "" {
		return b.sourceLetters(set)
	}
	return nil
}

// letterBox makes a box, with clients that are opened when the task starts.
func (b *taskBuild) letterBox(set letterSettings, replication int16) *letterBox {
	env, clients := b.env, b.clients()
	rule := toperule.Group{
		Name: "errors.deadletterqueue.topic", Include: []toperule.Matcher{everyTopic{}}, Partitions: 1, ReplicationFactor: replication,
	}
	return &letterBox{
		set: set, task: env.id, plugin: env.plugin.info.Class, log: env.log, hooks: env.hooks, java: b.java,
		topics: &topicCreator{rules: toperule.New(rule), log: env.log, known: make(map[string]bool), open: func(ctx context.Context) (Admin, error) {
			return env.broker.Admin(ctx, b.client(clients.DLQAdmin()))
		}},
		open: func(ctx context.Context) (Producer, error) {
			return env.broker.Producer(ctx, b.client(b.idempotent(clients.DLQProducer())))
		},
	}
}

// everyTopic matches any name.
type everyTopic struct{}

func (everyTopic) MatchString(string) bool { return true }
