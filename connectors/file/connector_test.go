package file

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/goldentest"
)

// connectorContext is the runtime as a connector of these tests sees it.
type connectorContext struct {
	connect.ConnectorContext
	props config.Props
}

func (c connectorContext) Props() config.Props { return c.props }

func TestPlugins(t *testing.T) {
	plugins := Plugins(Stdio{})
	require.Len(t, plugins, 2)
	for i, c := range []struct {
		class string
		kind  connect.PluginKind
		keys  []string
	}{
		{"FileStreamSource", connect.SourcePlugin, []string{"file STRING HIGH", "topic STRING HIGH required", "batch.size INT LOW =2000"}},
		{"FileStreamSink", connect.SinkPlugin, []string{"file STRING HIGH"}},
	} {
		info := plugins[i].Info()
		assert.Equal(t, c.class, info.Class)
		assert.Equal(t, c.kind, plugins[i].Kind())
		java := "org.apache.kafka.connect.file." + c.class
		assert.Equal(t, []connect.JavaClass{{Class: java + "Connector", Task: java + "Task"}}, info.StandsFor)
		var keys []string
		for _, k := range config.Keys(plugins[i].Config()) {
			text := fmt.Sprintf("%s %s %s", k.Name, k.Type, k.Importance)
			if k.Required {
				text += " required"
			}
			if k.Default != nil {
				text += " =" + *k.Default
			}
			assert.NotEmpty(t, k.Doc)
			keys = append(keys, text)
		}
		assert.Equal(t, c.keys, keys, "as recorded from Java")
	}
}

// Validation answers recorded from Java.
func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		props config.Props
		want  string // "" for none
	}{
		{config.Props{"topic": "t"}, ""},
		{config.Props{"topic": "t", "file": ""}, ""},
		{config.Props{"topic": "t", "file": config.Null}, ""},
		{config.Props{"topic": "t", "batch.size": "-1"}, ""},
		{config.Props{"topic": "t", "batch.size": "x"}, "Invalid value x for configuration batch.size: Not a number of type INT"},
		{config.Props{"file": "f"}, `Missing required configuration "topic" which has no default value.`},
		{config.Props{"topic": ""}, "Invalid value  for configuration topic: String must be non-empty"},
	} {
		err := config.Decode(c.props, &SourceConfig{})
		if c.want == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, c.want)
	}
}

// A task set that Java's connectors wrote is what ours write, so that a connector that moves leaves its tasks alone.
func TestTaskSetsAreJavas(t *testing.T) {
	type line struct {
		Run, Key string
		Value    struct {
			Properties config.Props
			Tasks      int
		}
	}
	connectors := map[string]config.Props{}
	sets := 0
	n := goldentest.Each(t, "testdata/java-configs.jsonl", func(t *testing.T, l line) {
		kind, name, _ := strings.Cut(l.Key, "-")
		if kind == "connector" {
			connectors[l.Run+name] = l.Value.Properties
			return
		}
		name = name[:strings.LastIndexByte(name, '-')]
		props := connectors[l.Run+name]
		want := l.Value.Properties.Clone()
		assert.Contains(t, want["task.class"], "org.apache.kafka.connect.file.")
		delete(want, "task.class") // the framework's

		configs := taskConfigs(t, name, props)
		for _, c := range configs {
			assert.Equal(t, want, c)
		}
		sets++
	})
	assert.Equal(t, 69, n)
	assert.Greater(t, sets, 30)
}

func taskConfigs(t *testing.T, name string, props config.Props) []config.Props {
	ctx := connectorContext{props: props}
	var c interface {
		connect.RawTaskConfigs
		Start(context.Context, connect.ConnectorContext) error
		Stop(context.Context) error
	}
	tasks := 1
	if strings.Contains(name, "sink") {
		sink, err := newSinkConnector(SinkConfig{})
		require.NoError(t, err)
		_, err = fmt.Sscan(props["tasks.max"], &tasks)
		require.NoError(t, err)
		c = sink
	} else {
		source, err := newSourceConnector(SourceConfig{})
		require.NoError(t, err)
		c = source
	}
	require.NoError(t, c.Start(t.Context(), ctx))
	configs, err := c.RawTaskConfigs(t.Context(), max(tasks, 1))
	require.NoError(t, err)
	assert.Len(t, configs, tasks)
	require.NoError(t, c.Stop(t.Context()))
	for i, c := range configs {
		c["mine"] = fmt.Sprint(i) // a task set is not shared, neither among tasks nor with the connector
	}
	assert.NotContains(t, props, "mine")
	for i, c := range configs {
		assert.Equal(t, fmt.Sprint(i), c["mine"])
		delete(c, "mine")
	}
	return configs
}

// Partitions and offsets are, byte for byte, those that Java's task stored.
func TestOffsetsAreJavas(t *testing.T) {
	type line struct {
		Key       []json.RawMessage
		Partition string
		Offset    string
	}
	n := goldentest.Each(t, "testdata/java-offsets.jsonl", func(t *testing.T, l line) {
		var stored struct{ Filename string }
		require.NoError(t, json.Unmarshal([]byte(l.Partition), &stored))
		assert.Equal(t, l.Partition, partitionOf(stored.Filename).String())
		var offset struct{ Position int64 }
		require.NoError(t, json.NewDecoder(bytes.NewBufferString(l.Offset)).Decode(&offset))
		assert.Equal(t, l.Offset, connect.SourceOffset{data.E(positionField, data.Int64(offset.Position))}.String())
	})
	assert.Equal(t, 24, n)
}

func TestTypedTaskConfigs(t *testing.T) {
	source, err := newSourceConnector(SourceConfig{File: "f", Topic: "t", BatchSize: 3})
	require.NoError(t, err)
	sources, err := source.TaskConfigs(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, []SourceConfig{{"f", "t", 3}}, sources, "a file does not split")
	sink, err := newSinkConnector(SinkConfig{"f"})
	require.NoError(t, err)
	sinks, err := sink.TaskConfigs(t.Context(), 3)
	require.NoError(t, err)
	assert.Equal(t, []SinkConfig{{"f"}, {"f"}, {"f"}}, sinks)
}

func TestExactlyOnce(t *testing.T) {
	for file, want := range map[string]bool{"f": true, "": false} {
		c, err := newSourceConnector(SourceConfig{File: file})
		require.NoError(t, err)
		supported, boundaries := c.ExactlyOnce()
		assert.Equal(t, want, supported)
		assert.False(t, boundaries)
	}
}

// Requests and answers recorded from Java's PATCH /connectors/{c}/offsets.
func TestAlterOffsets(t *testing.T) {
	partition := func(key string, v data.Value) connect.SourcePartition { return connect.PartitionOf(data.E(key, v)) }
	offset := func(key string, v data.Value) connect.SourceOffset { return connect.SourceOffset{data.E(key, v)} }
	in := partition("filename", data.String("in-0.txt"))
	for _, c := range []struct {
		partition connect.SourcePartition
		offset    connect.SourceOffset
		want      string
	}{
		{in, offset("position", data.Int64(4)), ""},
		{in, nil, ""},
		{connect.SourcePartition{}, nil, ""},
		{partition("filename", data.Int64(5)), offset("position", data.Int64(1)), ""},
		{connect.SourcePartition{}, offset("position", data.Int64(1)), "Partition objects cannot be null"},
		{in, offset("position", data.String("x")), "The value for the 'position' key in the offset is expected to be a Long value"},
		{in, offset("position", data.Float64(2.5)), "The value for the 'position' key in the offset is expected to be a Long value"},
		{in, offset("position", data.Int64(-1)), "The value for the 'position' key in the offset should be a non-negative value"},
		{partition("other", data.String("x")), offset("position", data.Int64(1)), "Partition objects should contain the key 'filename'"},
		{in, offset("pos", data.Int64(1)), "Offset objects should either be null or contain the key 'position'"},
	} {
		source, err := newSourceConnector(SourceConfig{File: "in-0.txt"})
		require.NoError(t, err)
		handled, err := source.AlterOffsets(t.Context(), map[connect.SourcePartition]connect.SourceOffset{c.partition: c.offset})
		if c.want == "" {
			assert.NoError(t, err)
			assert.True(t, handled)
			continue
		}
		assert.ErrorContains(t, err, c.want)
	}
	stdin, err := newSourceConnector(SourceConfig{})
	require.NoError(t, err)
	_, err = stdin.AlterOffsets(t.Context(), map[connect.SourcePartition]connect.SourceOffset{in: nil})
	assert.ErrorContains(t, err, "Offsets cannot be modified if the 'file' configuration is unspecified")
	sink, err := newSinkConnector(SinkConfig{})
	require.NoError(t, err)
	handled, err := sink.AlterOffsets(t.Context(), nil)
	assert.NoError(t, err)
	assert.True(t, handled)
}
