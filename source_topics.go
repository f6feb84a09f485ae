package connect

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/streamlane/connect/internal/toperule"
)

const (
	topicRetryPause = 100 * time.Millisecond
	maxTopicPause   = 5 * time.Second
)

// topicCreator creates the topics that a source task writes to and that do not
// exist, by the connector's topic.creation.* rules (KIP-158). It is used by the
// pump alone.
type topicCreator struct {
	open  func(context.Context) (Admin, error)
	admin Admin // opened with the first topic
	rules *toperule.Rules
	log   *slog.Logger
	known map[string]bool
}

// ensure returns when the topic exists, or need not: each topic is looked at
// once. Retriable errors are tried again until ctx ends.
func (c *topicCreator) ensure(ctx context.Context, topic string) error {
	if c.known[topic] {
		return nil
	}
	for attempt := 0; ; attempt++ {
		err := c.look(ctx, topic)
		if err == nil {
			c.known[topic] = true
			return nil
		}
		after, retriable := RetryAfter(err)
		if !retriable {
			return fmt.Errorf("topic %q: %w", topic, err)
		}
		if attempt == 0 {
			c.log.WarnContext(ctx, "looking for a topic failed, trying again", "topic", topic, "err", err)
		}
		if stopped := sleep(ctx, max(after, min(topicRetryPause<<min(attempt, 16), maxTopicPause))); stopped != nil {
			return fmt.Errorf("topic %q: %w", topic, err)
		}
	}
}

func (c *topicCreator) look(ctx context.Context, topic string) (err error) {
	if c.admin == nil {
		if c.admin, err = c.open(ctx); err != nil {
			return err
		}
	}
	found, err := c.admin.Topics(ctx, topic)
	if err != nil {
		return err
	}
	if _, ok := found[topic]; ok {
		return nil
	}
	t, ok := c.rules.For(topic)
	if !ok {
		return nil // the broker may create it with the first record
	}
	created, err := c.admin.CreateTopics(ctx, TopicSpec{
		Name: topic, Partitions: int(t.Partitions), ReplicationFactor: int(t.ReplicationFactor), Config: t.Configs,
	})
	if err != nil {
		return fmt.Errorf("creating it by the rules of group %q: %w", t.Group, err)
	}
	if len(created) > 0 {
		c.log.InfoContext(ctx, "created topic", "topic", topic, "group", t.Group, "partitions", t.Partitions, "replication", t.ReplicationFactor)
	}
	return nil
}

// rest closes the client. The next topic that is not known opens it again.
func (c *topicCreator) rest(ctx context.Context) error {
	if c == nil || c.admin == nil {
		return nil
	}
	admin := c.admin
	c.admin = nil
	return admin.Close(ctx)
}
