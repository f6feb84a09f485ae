package null

import (
	"testing"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

func TestConformance(t *testing.T) {
	full := config.Props{"records": "5", "done.file": "x", "delay.ms": "1", "fail.every": "2", "fail.retriable": "true"}
	connecttest.TestPlugin(t, Plugin, config.Props{}, full)
	connecttest.TestSinkTask(t, Plugin, connecttest.SinkOptions{Props: config.Props{"delay.ms": "1"}})
}
