//go:build integration

package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/testenv"
)

// writeLines produces lines as values, spread over a topic by their text.
func writeLines(t testing.TB, bootstrap, topic string, all []string) {
	t.Helper()
	client := bare(t, bootstrap, kgo.DefaultProduceTopic(topic))
	batch := make([]*kgo.Record, len(all))
	for i, line := range all {
		batch[i] = kgo.KeyStringRecord(line, line)
	}
	require.NoError(t, client.ProduceSync(within(t), batch...).FirstErr())
}

// sortedLines returns the lines of all files, sorted.
func sortedLines(t testing.TB, paths ...string) []string {
	t.Helper()
	var all []string
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		all = append(all, strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")...)
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	return all
}

// awaitLines waits until the files have as many lines as wanted, together, and
// wants them to be those.
func awaitLines(t testing.TB, want []string, paths ...string) {
	t.Helper()
	eventually(t, func() bool { return len(sortedLines(t, paths...)) >= len(want) }, "%d lines", len(want))
	want = slices.Sorted(slices.Values(want))
	require.Equal(t, want, sortedLines(t, paths...), "no line missing or doubled")
}

// A file sink moves from a Java worker to ours and back, by its group's offsets.
func TestSinkMovesBetweenJavaAndUs(t *testing.T) {
	cluster := testenv.Kafka(t)
	bootstrap := cluster.Bootstrap()
	java := newJavaPeer(t, testenv.JavaConnect(t, cluster, testenv.WorkerOptions{}))
	name, topic, output := unique("sink"), unique("out"), filepath.Join(t.TempDir(), "output.txt")
	makeTopic(t, bootstrap, topic, 3)
	props := config.Props{"connector.class": fileSink, "file": output, "topics": topic, "tasks.max": "1", "value.converter": stringConverter, "key.converter": stringConverter}

	all := lineValues(1, 900)
	writeLines(t, bootstrap, topic, all[:300])
	java.put(name, props)
	awaitLines(t, all[:300], output)
	java.halt(name)

	writeLines(t, bootstrap, topic, all[300:600])
	w := startWorker(t, bootstrap, workerOptions{})
	w.put(name, props)
	awaitLines(t, all[:600], output)
	w.stop()

	writeLines(t, bootstrap, topic, all[600:])
	java.resume(name)
	awaitLines(t, all, output)
	java.halt(name)

	for _, strategy := range []string{"", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"} {
		t.Run("together "+strategy, func(t *testing.T) { sinkTogether(t, java, bootstrap, strategy) })
	}
}

// sinkTogether has tasks of one sink on a Java worker and on ours share a topic.
func sinkTogether(t *testing.T, java javaPeer, bootstrap, strategy string) {
	name, topic, dir := unique("shared"), unique("together"), t.TempDir()
	javas, mine := filepath.Join(dir, "java.txt"), filepath.Join(dir, "ours.txt")
	makeTopic(t, bootstrap, topic, 6)
	props := config.Props{"connector.class": fileSink, "topics": topic, "tasks.max": "1", "value.converter": stringConverter, "key.converter": stringConverter,
		"consumer.override.metadata.max.age.ms": "1000", "consumer.override.heartbeat.interval.ms": "500"}
	if strategy != "" {
		props["consumer.override.partition.assignment.strategy"] = strategy
	}
	all := lineValues(1, 1200)
	java.put(name, props.Merge(config.Props{"file": javas}))
	writeLines(t, bootstrap, topic, all[:300])
	awaitLines(t, all[:300], javas)

	w := startWorker(t, bootstrap, workerOptions{})
	w.put(name, props.Merge(config.Props{"file": mine}))
	awaitMembers(t, bootstrap, "connect-"+name, []int{3, 3})
	writeLines(t, bootstrap, topic, all[300:600])
	awaitLines(t, all[:600], javas, mine)
	assert.NotEmpty(t, sortedLines(t, mine), "ours has a share")

	java.halt(name)
	awaitMembers(t, bootstrap, "connect-"+name, []int{6})
	writeLines(t, bootstrap, topic, all[600:900])
	awaitLines(t, all[:900], javas, mine)

	java.resume(name)
	awaitMembers(t, bootstrap, "connect-"+name, []int{3, 3})
	w.stop()
	awaitMembers(t, bootstrap, "connect-"+name, []int{6})
	writeLines(t, bootstrap, topic, all[900:])
	awaitLines(t, all, javas, mine)
	java.halt(name)
}

// awaitMembers waits until a group is stable with members that have so many
// partitions each.
func awaitMembers(t testing.TB, bootstrap, group string, want []int) {
	t.Helper()
	adm := kadm.NewClient(bare(t, bootstrap))
	var got []int
	var state string
	eventually(t, func() bool {
		groups, err := adm.DescribeGroups(within(t), group)
		if err != nil || groups[group].Err != nil {
			return false
		}
		got, state = nil, groups[group].State
		for _, m := range groups[group].Members {
			n := 0
			if c, ok := m.Assigned.AsConsumer(); ok {
				for _, topic := range c.Topics {
					n += len(topic.Partitions)
				}
			}
			got = append(got, n)
		}
		slices.Sort(got)
		return state == "Stable" && slices.Equal(got, want)
	}, "the members of group %s to have %v partitions", group, want)
}

// Two tasks of a sink share partitions; a second Runtime joins and leaves. Under
// either protocol every record comes once.
func TestSinkTasksShareAndRebalance(t *testing.T) {
	bootstrap := testenv.Kafka(t).Bootstrap()
	for _, strategy := range []string{"RangeAssignor", "CooperativeStickyAssignor"} {
		t.Run(strategy, func(t *testing.T) {
			name, topic := unique("share"), unique("shared")
			makeTopic(t, bootstrap, topic, 6)
			props := config.Props{"connector.class": "Basket", "topics": topic, "tasks.max": "2",
				"consumer.override.partition.assignment.strategy": "org.apache.kafka.clients.consumer." + strategy}
			first, second, given := newBasket(), newBasket(), 0
			write := func() {
				writeLines(t, bootstrap, topic, lineValues(given+1, given+300))
				given += 300
			}
			arrived := func() {
				t.Helper()
				eventually(t, func() bool { return len(first.got())+len(second.got()) >= given }, "%d records", given)
				assert.Len(t, append(first.got(), second.got()...), given, "each record once")
			}
			a := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{first.plugin()}})
			a.put(name, props)
			awaitMembers(t, bootstrap, "connect-"+name, []int{3, 3})
			write()
			arrived()

			b := startWorker(t, bootstrap, workerOptions{plugins: []connect.Plugin{second.plugin()}})
			b.put(name, props)
			write()
			awaitMembers(t, bootstrap, "connect-"+name, []int{1, 1, 2, 2})
			write()
			arrived()
			assert.NotEmpty(t, second.got())
			before := first.openings()

			b.stop()
			awaitMembers(t, bootstrap, "connect-"+name, []int{3, 3})
			write()
			arrived()
			if strategy == "CooperativeStickyAssignor" {
				assert.LessOrEqual(t, first.openings()-before, 3, "only what moved is opened again")
			}
		})
	}
}
