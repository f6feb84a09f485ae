package generator

import (
	"testing"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

func TestConformance(t *testing.T) {
	full := config.Props{"topic": "t", "mode": "template", "template": "order", "records": "7", "size": "1", "batch": "3", "rate": "0.5"}
	connecttest.TestPlugin(t, Plugin, config.Props{"topic": "t"}, full)
	for _, mode := range modes() {
		t.Run(mode["mode"]+mode["template"], func(t *testing.T) {
			connecttest.TestSourceTask(t, Plugin, connecttest.SourceOptions{
				Props:   mode.Merge(config.Props{"topic": "t", "task.id": "3", "records": "100", "batch": "17"}),
				Records: 100,
			})
		})
	}
}
