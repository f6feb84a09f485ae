package file

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

func TestSourceConformance(t *testing.T) {
	source := Plugins(Stdio{})[0]
	props := config.Props{"topic": "lines", "batch.size": "7"}
	connecttest.TestPlugin(t, source, props, props.Merge(config.Props{"file": "in.txt"}))
	text := strings.Repeat("one\ntwo\r\n\rü\n", 25)
	connecttest.TestSourceTask(t, source, connecttest.SourceOptions{
		Props:   props,
		Records: len(splitAll(text)),
		Prepare: func(t testing.TB) config.Props { return config.Props{"file": tempFile(t, text+"unfinished")} },
	})
}

func TestSinkConformance(t *testing.T) {
	sink := Plugins(Stdio{})[1]
	connecttest.TestPlugin(t, sink, config.Props{}, config.Props{"file": "out.txt"})
	connecttest.TestSinkTask(t, sink, connecttest.SinkOptions{
		Prepare: func(t testing.TB) config.Props { return config.Props{"file": filepath.Join(t.TempDir(), "out.txt")} },
		Written: func(t testing.TB, props config.Props, records []connect.SinkRecord) {
			var want strings.Builder
			for i := range records {
				want.WriteString(records[i].Value.Value.String() + "\n")
			}
			assert.Equal(t, want.String(), content(t, props["file"]))
		},
	})
}
