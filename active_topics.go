package connect

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect/cluster"
)

// Topics returns the topics that the connector's tasks have written to or read
// from, since it was created or since ResetTopics (KIP-558). It is empty for a
// connector that is not known, and fails with ErrForbidden if the worker's
// topic.tracking.enable is false.
func (rt *Runtime) Topics(ctx context.Context, name string) ([]string, error) {
	if !rt.worker.trackTopics {
		return nil, fmt.Errorf("%w: topic.tracking.enable is false on this worker", ErrForbidden)
	}
	if _, err := rt.view(ctx); err != nil {
		return nil, err
	}
	return rt.status.topics(name), nil
}

// ResetTopics forgets which topics the connector has used. It fails with
// ErrForbidden if the worker's topic.tracking.enable or
// topic.tracking.allow.reset is false.
func (rt *Runtime) ResetTopics(ctx context.Context, name string) error {
	if _, err := rt.Topics(ctx, name); err != nil {
		return err
	}
	if !rt.worker.resetTopics {
		return fmt.Errorf("%w: topic.tracking.allow.reset is false on this worker", ErrForbidden)
	}
	rt.status.forgetTopics(name)
	rt.status.flush(ctx)
	return nil
}

func (b *statusBoard) topics(connector string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fold.Topics(connector)
}

// forgetTopics deletes the notes about a connector's topics.
func (b *statusBoard) forgetTopics(connector string) {
	for _, topic := range b.topics(connector) {
		b.write(statusWrite{record: cluster.ForgetTopicRecord(topic, connector)})
	}
}

// topicNotes notes the topics that one task uses, each once. It is safe for
// concurrent use, and cheap for a topic noted just before. A nil topicNotes
// does nothing.
type topicNotes struct {
	board *statusBoard
	task  cluster.TaskID
	last  atomic.Pointer[notedTopic]
}

// A notedTopic was noted while so many deletions had been read.
type notedTopic struct {
	name      string
	forgotten int64
}

func (n *topicNotes) use(topic string) {
	if n == nil {
		return
	}
	forgotten := n.board.forgotten.Load()
	if last := n.last.Load(); last != nil && last.name == topic && last.forgotten == forgotten {
		return
	}
	n.last.Store(&notedTopic{topic, forgotten})
	n.board.mu.Lock()
	known := n.board.fold.UsesTopic(n.task.Connector, topic)
	n.board.mu.Unlock()
	if !known {
		n.board.write(statusWrite{record: cluster.ActiveTopicRecord(topic, n.task, time.Now())})
	}
}
