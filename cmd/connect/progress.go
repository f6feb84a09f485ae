package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
)

// reportEvery is how often the log tells of records, if any have moved.
const reportEvery = 10 * time.Second

// progress is a hook that counts what connectors move, and tells of it.
type progress struct {
	log *slog.Logger

	mu      sync.Mutex
	tallies map[string]*tally // by connector
}

// A tally counts the records of one connector.
type tally struct {
	now, reported count
}

type count struct{ records, dropped, bytes int64 }

func newProgress(log *slog.Logger) *progress {
	return &progress{log: log, tallies: make(map[string]*tally)}
}

// OnBatch counts a batch.
func (p *progress) OnBatch(e *connect.BatchEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tallies[e.Task.Connector]
	if t == nil {
		t = &tally{}
		p.tallies[e.Task.Connector] = t
	}
	t.now.records += int64(e.Sent)
	t.now.dropped += int64(e.Dropped)
	t.now.bytes += e.Bytes
}

// run tells at every interval what has moved since the last time, until ctx
// ends. Idle connectors are not mentioned.
func (p *progress) run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p.report(now.Sub(last))
			last = now
		}
	}
}

func (p *progress) report(took time.Duration) {
	for _, name := range p.names() {
		was, now := p.take(name)
		if was == now {
			continue
		}
		n := now.records - was.records
		p.log.Info("records", "connector", name, "records", n, "per_second", int64(float64(n)/took.Seconds()),
			"dropped", now.dropped-was.dropped, "bytes", now.bytes-was.bytes, "total", now.records)
	}
}

// sum tells what was moved in all.
func (p *progress) sum() {
	for _, name := range p.names() {
		if _, now := p.take(name); now != (count{}) {
			p.log.Info("records in all", "connector", name, "records", now.records, "dropped", now.dropped, "bytes", now.bytes)
		}
	}
}

func (p *progress) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.tallies))
}

// take returns what was reported of a connector, and what is to be now.
func (p *progress) take(name string) (was, now count) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tallies[name]
	was, t.reported = t.reported, t.now
	return was, t.now
}

// stateLog is a hook that tells of states. FAILED is told by the engine, with
// the reason, and the end of each run goes without saying.
type stateLog struct{ log *slog.Logger }

// OnState writes a line.
func (s stateLog) OnState(e *connect.StateEvent) {
	switch e.Status.State {
	case cluster.Running, cluster.Paused, cluster.Stopped:
	default:
		return
	}
	about := []any{"connector", e.Connector}
	if e.Task >= 0 {
		about = append(about, "task", e.Task)
	}
	s.log.Info(strings.ToLower(string(e.Status.State)), about...)
}
