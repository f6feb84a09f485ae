package connecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

func groupCases() []brokerCase {
	return []brokerCase{
		{"assigns a group's partitions inside of Poll", groupAssigns},
		{"chooses topics by a function", groupMatches},
		{"moves partitions between members", groupRebalances},
		{"goes on from committed offsets", groupCommits},
		{"lets rebalance functions use the consumer", groupUsesConsumer},
		{"ends a poll with a rebalance function's error", groupFunctionFails},
	}
}

// poller polls a member of a group in a goroutine of its own. Its fields are
// guarded by the watch.
type poller struct {
	*watch
	connect.Consumer
	owned     map[connect.TopicPartition]bool
	got       []connect.Message
	calls     int // of rebalance functions
	elsewhere int // of which on other goroutines
	strange   int // messages of partitions that were not owned
	err       error
	ended     bool

	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (k *testCluster) poller(w *watch, c connect.ConsumerConfig) *poller {
	p := &poller{watch: w, Consumer: k.consumer(c), owned: make(map[connect.TopicPartition]bool)}
	ctx, cancel := context.WithCancel(k.t.Context())
	p.cancel = cancel
	p.wg.Go(func() { p.poll(ctx) })
	k.t.Cleanup(p.stop)
	return p
}

// stop ends polling, without leaving the group.
func (p *poller) stop() {
	p.cancel()
	p.wg.Wait()
}

func (p *poller) poll(ctx context.Context) {
	home := goroutine()
	note := func(owns bool) func(context.Context, []connect.TopicPartition) error {
		return func(_ context.Context, tps []connect.TopicPartition) error {
			p.update(func() {
				p.calls++
				if goroutine() != home {
					p.elsewhere++
				}
				for _, tp := range tps {
					if owns {
						p.owned[tp] = true
					} else {
						delete(p.owned, tp)
					}
				}
			})
			return nil
		}
	}
	into := make([]connect.Message, 10)
	for ctx.Err() == nil {
		n, err := p.Poll(ctx, into, connect.Rebalance{Assigned: note(true), Revoked: note(false), Lost: note(false)})
		p.update(func() {
			p.got, p.err = append(p.got, into[:n]...), err
			for i := range into[:n] {
				if !p.owned[into[i].TopicPartition] {
					p.strange++
				}
			}
		})
		if err != nil {
			break
		}
	}
	p.update(func() { p.ended = true })
}

// goroutine identifies the calling goroutine.
func goroutine() string {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)]
	id, _, _ := bytes.Cut(buf, []byte(" ["))
	return string(id)
}

func groupAssigns(t testing.TB, k *testCluster) {
	topic, other := k.topic(3), k.topic(2)
	k.fill(topic, 2, "a", "b")
	k.fill(other, 1, "c")
	w := newWatch()
	p := k.poller(w, connect.ConsumerConfig{Group: unique("group"), Topics: []string{topic, other}})
	w.await(t, "all partitions and messages", func() bool { return len(p.owned) == 5 && len(p.got) == 3 })
	p.stop()
	assert.NoError(t, p.err, "Poll")
	assert.ElementsMatch(t, []string{"a", "b", "c"}, values(p.got))
	assert.Zero(t, p.elsewhere, "rebalance functions run on the goroutine that polls")
	token := p.Token()
	assert.NotEmpty(t, token.Group)
	assert.NotEmpty(t, token.MemberID)
	calls := p.calls
	require.NoError(t, p.Close(bounded(t)), "Close")
	assert.Equal(t, calls, p.calls, "Close does not call rebalance functions")
}

func groupMatches(t testing.TB, k *testCluster) {
	in, out := k.topic(1), k.topic(1)
	k.fill(in, 0, "in")
	k.fill(out, 0, "out")
	w := newWatch()
	p := k.poller(w, connect.ConsumerConfig{Group: unique("group"), Match: func(topic string) bool { return topic == in }})
	w.await(t, "the message", func() bool { return len(p.got) > 0 })
	p.stop()
	assert.Equal(t, []string{"in"}, values(p.got))
	assert.Equal(t, map[connect.TopicPartition]bool{tp(in, 0): true}, p.owned)
}

// groupRebalances has a second member come and the first one go: at every moment
// a partition has one owner at most, and no message is lost.
func groupRebalances(t testing.TB, k *testCluster) {
	const partitions = 4
	topic, group := k.topic(partitions), unique("group")
	w := newWatch()
	subscribe := connect.ConsumerConfig{Group: group, Topics: []string{topic}}
	first := k.poller(w, subscribe)
	w.await(t, "all partitions", func() bool { return len(first.owned) == partitions })
	second := k.poller(w, subscribe)
	shared := func() bool {
		for tp := range second.owned {
			if first.owned[tp] {
				assert.Fail(t, "two members own one partition", "%v", tp)
			}
		}
		return len(second.owned) == partitions/2 && len(first.owned) == partitions/2
	}
	w.await(t, "half of the partitions each", shared)
	for i := range partitions {
		k.fill(topic, i, fmt.Sprint("shared-", i))
	}
	w.await(t, "the messages", func() bool {
		return len(distinct(slices.Concat(first.got, second.got), "shared-")) == partitions
	})
	require.NoError(t, first.Commit(bounded(t), w.commitOf(first)), "Commit")
	first.stop()
	require.NoError(t, first.Close(bounded(t)), "Close")
	w.await(t, "all partitions for the member that stays", func() bool { return len(second.owned) == partitions })
	for i := range partitions {
		k.fill(topic, i, fmt.Sprint("alone-", i))
	}
	w.await(t, "the messages", func() bool { return len(distinct(second.got, "alone-")) == partitions })
	second.stop()
	assert.NoError(t, errors.Join(first.err, second.err), "Poll")
	assert.Zero(t, first.strange+second.strange, "messages of partitions that the member did not own")
	assert.Zero(t, first.elsewhere+second.elsewhere, "rebalance functions run on the goroutine that polls")
}

// commitOf returns what a member has read.
func (w *watch) commitOf(p *poller) connect.Offsets {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := make(connect.Offsets)
	for _, m := range p.got {
		next[m.TopicPartition] = m.Offset + 1
	}
	return next
}

func distinct(messages []connect.Message, prefix string) []string {
	found := make(map[string]bool)
	for _, v := range values(messages) {
		if bytes.HasPrefix([]byte(v), []byte(prefix)) {
			found[v] = true
		}
	}
	return slices.Collect(maps.Keys(found))
}

func groupCommits(t testing.TB, k *testCluster) {
	topic, group := k.topic(2), unique("group")
	k.fill(topic, 0, numbered("a", 10)...)
	k.fill(topic, 1, numbered("b", 3)...)
	w := newWatch()
	subscribe := connect.ConsumerConfig{Group: group, Topics: []string{topic}}
	first := k.poller(w, subscribe)
	w.await(t, "all messages", func() bool { return len(first.got) == 13 })
	first.stop()
	committed := connect.Offsets{tp(topic, 0): 7, tp(topic, 1): 3}
	require.NoError(t, first.Commit(bounded(t), committed), "Commit")
	require.NoError(t, first.Close(bounded(t)), "Close")

	found, err := k.admin().GroupOffsets(bounded(t), group)
	require.NoError(t, err, "GroupOffsets")
	assert.Equal(t, committed, found)
	second := k.poller(w, subscribe)
	w.await(t, "what was not committed", func() bool { return len(second.got) == 3 })
	second.stop()
	assert.Equal(t, []string{"a7", "a8", "a9"}, values(second.got))
}

// groupUsesConsumer seeks in Assigned and commits in Revoked, as sinks do.
func groupUsesConsumer(t testing.TB, k *testCluster) {
	topic, group := k.topic(2), unique("group")
	for i := range 2 {
		k.fill(topic, i, numbered("v", 5)...)
	}
	c := k.consumer(connect.ConsumerConfig{Group: group, Topics: []string{topic}})
	assigned := 0
	r := connect.Rebalance{
		Assigned: func(ctx context.Context, tps []connect.TopicPartition) error {
			if assigned += len(tps); assigned > 2 {
				return nil // eager groups give back what they have taken
			}
			next, err := c.Position(ctx, tps...)
			for _, tp := range tps {
				assert.Zero(t, next[tp], "Position in Assigned, nothing committed")
				err = errors.Join(err, c.Seek(connect.Offsets{tp: 3}))
			}
			return err
		},
		Revoked: func(ctx context.Context, tps []connect.TopicPartition) error {
			next := make(connect.Offsets)
			for _, tp := range tps {
				next[tp] = 4
			}
			return c.Commit(ctx, next)
		},
	}
	ctx, into := bounded(t), make([]connect.Message, 10)
	var got []string
	for len(got) < 4 && ctx.Err() == nil {
		n, err := c.Poll(ctx, into, r)
		require.NoError(t, err, "Poll")
		got = append(got, values(into[:n])...)
	}
	assert.ElementsMatch(t, []string{"v3", "v4", "v3", "v4"}, got, "from where Assigned sought to")

	w := newWatch()
	joiner := k.poller(w, connect.ConsumerConfig{Group: group, Topics: []string{topic}})
	polling, done := context.WithCancel(ctx)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		w.wait(ctx, func() bool { return len(joiner.got) > 0 })
		done()
	})
	for polling.Err() == nil {
		if _, err := c.Poll(polling, into, r); !assert.NoError(t, err, "Poll") {
			break
		}
	}
	waiting.Wait()
	joiner.stop()
	assert.Equal(t, []string{"v4"}, values(joiner.got), "from what Revoked committed")
}

func groupFunctionFails(t testing.TB, k *testCluster) {
	topic := k.topic(1)
	k.fill(topic, 0, "a")
	c := k.consumer(connect.ConsumerConfig{Group: unique("group"), Topics: []string{topic}})
	failure := errors.New("the target is not there")
	r := connect.Rebalance{Assigned: func(context.Context, []connect.TopicPartition) error { return failure }}
	ctx := bounded(t)
	for ctx.Err() == nil {
		n, err := c.Poll(ctx, make([]connect.Message, 1), r)
		if err != nil {
			assert.ErrorIs(t, err, failure)
			return
		}
		require.Zero(t, n, "a message of a partition whose assignment failed")
	}
	assert.Fail(t, "the error of Assigned did not end Poll")
}
