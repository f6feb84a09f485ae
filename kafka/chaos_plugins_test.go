//go:build synctests

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

const (
	instanceNumber    = -1 // in place of a task's number: the connector instance
	sourceParts       = 4  // partitions of the source system of Numbers
	numbersTopic      = "numbers"
	numbersPartitions = 2 // of the topic
	numbersPause      = 4 * time.Second
)

// An instance is a connector or a task between its Start and its Stop.
type instance struct {
	p         *process
	connector string
	task      int
	revision  string
	broken    chan struct{} // closed to make a task fail
}

// A ledger knows what runs, and what has arrived in the target of sinks.
type ledger struct {
	mu      sync.Mutex
	running map[*instance]bool
	next    map[connect.TopicPartition]int64 // all before it have arrived
	again   int                              // records that came more than once
	lost    []string                         // what must not be
	dry     bool                             // Numbers has come to its end
}

func newLedger() *ledger {
	return &ledger{running: make(map[*instance]bool), next: make(map[connect.TopicPartition]int64)}
}

func (l *ledger) enter(i *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[i] = true
}

func (l *ledger) leave(i *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, i)
}

// instances returns what runs on processes that live.
func (l *ledger) instances() []*instance {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*instance
	for i := range l.running {
		if !i.p.dead() {
			all = append(all, i)
		}
	}
	return all
}

// put notes that records have arrived. Each comes after all that are before it in
// its partition, or again.
func (l *ledger) put(p *process, records []connect.SinkRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range records {
		at := &records[i].Origin
		switch next := l.next[at.TopicPartition]; {
		case at.Offset == next:
			l.next[at.TopicPartition]++
		case at.Offset < next:
			l.again++
		default:
			l.lost = append(l.lost, fmt.Sprintf("%s got offset %d of %v before offset %d", p.name, at.Offset, at.TopicPartition, next))
			l.next[at.TopicPartition] = at.Offset + 1
		}
	}
}

func (l *ledger) arrived(tp connect.TopicPartition) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next[tp]
}

func (l *ledger) setDry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dry = true
}

func (l *ledger) isDry() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dry
}

// plugins are what the process can run: Idle, a source without records; Numbers,
// a source that counts; Ledger, a sink.
func (p *process) plugins() []connect.Plugin {
	info := func(class string) connect.Info { return connect.Info{Class: class, Version: "1.0"} }
	return []connect.Plugin{
		connect.Source(info("Idle"), p.connector(99), func(c connecttest.Props) (connecttest.SourceTask, error) {
			i := p.task(c)
			return connecttest.SourceTask{StartFunc: func(context.Context, connect.SourceContext) error { p.c.ledger.enter(i); return nil },
				PollFunc: i.idle, StopFunc: i.stop}, nil
		}),
		connect.Source(info("Numbers"), p.connector(sourceParts), func(c connecttest.Props) (connecttest.SourceTask, error) {
			n := &numbers{instance: p.task(c), next: make(map[int]int64)}
			of, err := strconv.Atoi(c.All["of"])
			for part := n.task; part < sourceParts && err == nil; part += of {
				n.parts = append(n.parts, part)
			}
			return connecttest.SourceTask{StartFunc: n.start, PollFunc: n.poll, StopFunc: n.stop}, err
		}),
		connect.Sink(info("Ledger"), p.connector(99), func(c connecttest.Props) (connecttest.SinkTask, error) {
			i := p.task(c)
			return connecttest.SinkTask{StartFunc: func(context.Context, connect.SinkContext) error { p.c.ledger.enter(i); return nil },
				PutFunc: i.put, StopFunc: i.stop}, nil
		}),
	}
}

// connector makes connectors with as many tasks as they may, up to most.
func (p *process) connector(most int) func(connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
	return func(c connecttest.Props) (connecttest.Connector[connecttest.Props], error) {
		i := &instance{p: p, connector: c.All["name"], task: instanceNumber, revision: c.All["revision"]}
		return connecttest.Connector[connecttest.Props]{
			StartFunc: func(context.Context, connect.ConnectorContext) error { p.c.ledger.enter(i); return nil },
			StopFunc:  func(context.Context) error { p.c.ledger.leave(i); return nil },
			TaskConfigsFunc: func(_ context.Context, n int) ([]connecttest.Props, error) {
				tasks := make([]connecttest.Props, min(n, most))
				for t := range tasks {
					tasks[t].All = config.Props{"name": i.connector, "task": strconv.Itoa(t), "of": strconv.Itoa(len(tasks)), "revision": i.revision}
				}
				return tasks, nil
			},
		}, nil
	}
}

func (p *process) task(c connecttest.Props) *instance {
	n, err := strconv.Atoi(c.All["task"])
	if err != nil {
		n = -2 // nobody expects it
	}
	return &instance{p: p, connector: c.All["name"], task: n, revision: c.All["revision"], broken: make(chan struct{})}
}

var errBroken = errors.New("broken on purpose")

func (i *instance) stop(context.Context) error { i.p.c.ledger.leave(i); return nil }

// idle waits for the end.
func (i *instance) idle(ctx context.Context) ([]connect.SourceRecord, error) {
	select {
	case <-ctx.Done():
		return nil, nil
	case <-i.broken:
		return nil, errBroken
	}
}

func (i *instance) isBroken() bool {
	select {
	case <-i.broken:
		return true
	default:
		return false
	}
}

// put writes to the target. A process that was killed writes nothing.
func (i *instance) put(ctx context.Context, records []connect.SinkRecord) error {
	if err := i.p.line.pass(ctx); err != nil {
		return err
	}
	switch {
	case i.p.dead():
		return errKilled
	case i.isBroken():
		return errBroken
	}
	i.p.c.ledger.put(i.p, records)
	return nil
}

// numbers is a task that counts in each of its partitions, from where it left off.
type numbers struct {
	*instance
	parts []int
	next  map[int]int64
}

func (n *numbers) partition(part int) connect.SourcePartition {
	return connect.PartitionOf(data.E("part", data.Int64(int64(part))))
}

func (n *numbers) start(ctx context.Context, c connect.SourceContext) error {
	n.p.c.ledger.enter(n.instance)
	for _, part := range n.parts {
		found, err := c.Offsets(ctx, n.partition(part))
		if err != nil {
			return err
		}
		if last, ok := found[0].Int("n"); ok {
			n.next[part] = last + 1
		}
	}
	return nil
}

func (n *numbers) poll(ctx context.Context) ([]connect.SourceRecord, error) {
	pause := time.NewTimer(numbersPause)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return nil, nil
	case <-n.broken:
		return nil, errBroken
	case <-pause.C:
	}
	if n.p.c.ledger.isDry() || n.p.line.pass(ctx) != nil {
		return nil, nil
	}
	var records []connect.SourceRecord
	for _, part := range n.parts {
		value := data.String(fmt.Sprintf("%d/%d", part, n.next[part]))
		records = append(records, connect.SourceRecord{
			Record:          connect.Record{Topic: numbersTopic, Key: connect.Datum{Value: data.String(strconv.Itoa(part))}, Value: connect.Datum{Value: value}},
			SourcePartition: n.partition(part),
			SourceOffset:    connect.SourceOffset{data.E("n", data.Int64(n.next[part]))},
		})
		n.next[part]++
	}
	return records, nil
}
