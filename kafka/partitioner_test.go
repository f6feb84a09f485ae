package kafka

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// partitionOf asks the partitioner of a producer with default settings.
func partitionOf(t testing.TB, key []byte, n int, props config.Props) int {
	t.Helper()
	s := settings{kind: ProducerClient}
	require.NoError(t, config.Decode(props, &s))
	p := s.producer.recordPartitioner().ForTopic("t").(kgo.TopicBackupPartitioner)
	return p.PartitionByBackup(&kgo.Record{Key: key, Partition: anyPartition}, n, nil)
}

// A key must land where Java puts it, or compaction keeps two values of it.
func TestPartitionsOfJava(t *testing.T) {
	for _, c := range []struct {
		key        string
		partitions int
		want       int
	}{
		{"21", 1 << 30, int(uint32(0xFFFFFFFF-973932307) & 0x7fffffff % (1 << 30))}, // murmur2 = -973932308
		{`["c",{"filename":"/in/a.txt"}]`, 25, 10},
		{"status-connector-c", 5, 0},
		{"status-task-c-0", 5, 1},
	} {
		assert.Equal(t, c.want, partitionOf(t, []byte(c.key), c.partitions, nil), c.key)
	}
}

// dumped is a line of the topics recorded from Java's worker.
type dumped struct {
	Topic      string
	Partition  int32
	Offset     int64
	Key, Value []byte // Base64, null
	KeyText    string
}

func readDump(t testing.TB, file string) []dumped {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	var all []dumped
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var d dumped
		require.NoError(t, json.Unmarshal(lines.Bytes(), &d))
		all = append(all, d)
	}
	require.NotEmpty(t, all)
	return all
}

func TestPartitionsOfRecordedKeys(t *testing.T) {
	for _, d := range readDump(t, "java-offsets.jsonl") {
		assert.EqualValues(t, d.Partition, partitionOf(t, d.Key, 25, nil), d.KeyText)
	}
	for _, d := range readDump(t, "java-status.jsonl") {
		assert.EqualValues(t, d.Partition, partitionOf(t, d.Key, 5, nil), d.KeyText)
	}
}

func TestPartitionerHonoursWhatIsAsked(t *testing.T) {
	b := brokerOf(t, fakeCluster(t), nil)
	makeTopic(t, b, "topic", 4, nil)
	for name, props := range map[string]config.Props{
		"default":     nil,
		"round robin": {"partitioner.class": roundRobin},
		"ignore keys": {"partitioner.ignore.keys": "true", "partitioner.adaptive.partitioning.enable": "false"},
	} {
		t.Run(name, func(t *testing.T) {
			p := producerOf(t, b, props)
			for want := range int32(4) {
				m := connect.Message{TopicPartition: connect.TopicPartition{Topic: "topic", Partition: want}, Key: []byte("same")}
				acks := sendOne(t, p, m)
				require.NoError(t, acks.err)
				assert.Equal(t, want, acks.at.Partition)
			}
			far := connect.Message{TopicPartition: at("topic", 4), Value: []byte("v")}
			assert.ErrorContains(t, sendOne(t, p, far).err, "4", "a partition that is not there")
		})
	}
}

// Records without a key stay on a partition for batch.size bytes.
func TestRecordsWithoutKeyStick(t *testing.T) {
	s := settings{kind: ProducerClient}
	require.NoError(t, config.Decode(config.Props{"batch.size": "1000", "partitioner.adaptive.partitioning.enable": "false"}, &s))
	p := s.producer.recordPartitioner().ForTopic("t").(kgo.TopicBackupPartitioner)
	changes, last := 0, -1
	for range 1000 {
		chosen := p.PartitionByBackup(&kgo.Record{Value: make([]byte, 93), Partition: anyPartition}, 50, nil)
		if chosen != last {
			changes++
		}
		last = chosen
	}
	assert.InDelta(t, 109, changes, 8, "111 batches of nine records, some of them twice on one partition")
}
