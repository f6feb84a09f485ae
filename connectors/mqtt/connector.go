package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// connector divides the topics among sessions, each of which is a task.
type connector[T any] struct {
	s    *settings
	ctx  connect.ConnectorContext
	base string // client id of the first session
}

func newConnector[T any](s *settings, err error) (*connector[T], error) {
	return &connector[T]{s: s}, err
}

// Start looks for what the connector did before.
func (c *connector[T]) Start(ctx context.Context, cc connect.ConnectorContext) error {
	c.ctx, c.base = cc, c.s.clientID
	if c.base == "" {
		c.base = "connect-" + cc.Props()["name"]
	}
	for _, note := range c.s.notes {
		cc.Logger().WarnContext(ctx, note)
	}
	return nil
}

// TaskConfigs is not used: tasks get the connector's own text, and with it its placeholders.
func (c *connector[T]) TaskConfigs(context.Context, int) ([]T, error) {
	return nil, errors.New("task configurations are text only")
}

// RawTaskConfigs returns the connector's configuration for each session, with the session's part.
func (c *connector[T]) RawTaskConfigs(ctx context.Context, max int) ([]config.Props, error) {
	parts, err := c.s.divide(max)
	if err != nil {
		return nil, err
	}
	c.compare(ctx, len(parts))
	tasks := make([]config.Props, len(parts))
	for i, filters := range parts {
		if filters == nil {
			filters = []string{}
		}
		text, err := json.Marshal(filters)
		if err != nil {
			return nil, err
		}
		a := assignment{Session: i, Of: len(parts), Client: clientOf(c.base, i), Filters: string(text)}
		tasks[i] = c.ctx.Props().Clone().Merge(a.props())
	}
	return tasks, nil
}

// compare warns of sessions that nobody reads any more.
func (c *connector[T]) compare(ctx context.Context, n int) {
	if c.s.clean {
		return
	}
	offsets, err := c.ctx.Offsets(ctx, placeOf(c.base))
	if err != nil {
		c.ctx.Logger().WarnContext(ctx, "the number of sessions before is not known", "err", err)
		return
	}
	for _, o := range offsets {
		if _, before := earlier(o); before > n {
			c.ctx.Logger().WarnContext(ctx, "there are fewer sessions than before: the server keeps what it has for the others, and nobody reads it. "+
				"Go back to the former number to read it, or delete these sessions on the server",
				"before", before, "now", n, "first left", clientOf(c.base, n), "last left", clientOf(c.base, before-1))
		}
	}
}

func (c *connector[T]) Stop(context.Context) error { return nil }

// ExactlyOnce is not supported: the server knows the position, and Kafka's transactions do not reach it.
func (c *connector[T]) ExactlyOnce() (supported, boundaries bool) { return false, false }

// AlterOffsets allows a reset only: the position is the server's.
func (c *connector[T]) AlterOffsets(_ context.Context, change map[connect.SourcePartition]connect.SourceOffset) (bool, error) {
	for p, o := range change {
		if o != nil {
			return false, fmt.Errorf("source partition %s: the position of an MQTT session is kept by the server and cannot be changed here; "+
				"null forgets that there was a session", p)
		}
	}
	return true, nil
}
