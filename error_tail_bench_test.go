package connect

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/cluster"
)

// floodOf returns a tail, and an event of a flood that it hears of.
func floodOf() (*errorTail, *ErrorEvent) {
	f := &failure{stage: StageTransformation, plugin: "X", origin: &Origin{TopicPartition: TopicPartition{Topic: "t"}, Offset: 17}, err: errors.New("bad")}
	e := &ErrorEvent{Task: cluster.TaskID{Connector: "c"}, Stage: f.stage, Plugin: f.plugin, Err: f.err, Skipped: true, failure: f}
	t := newErrorTail(0, nil)
	t.OnError(e)
	return t, e
}

// A bad record among many makes no garbage in the tail.
func TestErrorTailBudget(t *testing.T) {
	tail, e := floodOf()
	assert.Less(t, testing.AllocsPerRun(10_000, func() { tail.OnError(e) }), 0.1)
}

func BenchmarkErrorTail(b *testing.B) {
	tail, e := floodOf()
	b.ReportAllocs()
	for b.Loop() {
		tail.OnError(e)
	}
}
