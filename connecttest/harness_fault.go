package connecttest

import (
	"context"
	"sync"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// faultAlias is the alias of the transform by which harnesses make the stage
// TRANSFORMATION fail; it comes after those of the test.
const faultAlias = "connecttest-fault"

// faults fails a stage when it has been passed so often.
type faults struct {
	mu   sync.Mutex
	left map[connect.Stage]int
	errs map[connect.Stage]error
}

func newFaults() *faults {
	return &faults{left: make(map[connect.Stage]int), errs: make(map[connect.Stage]error)}
}

// at makes the n-th pass from now fail, once.
func (f *faults) at(stage connect.Stage, n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left[stage], f.errs[stage] = n, err
}

// pass counts one pass.
func (f *faults) pass(stage connect.Stage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left[stage] == 0 {
		return nil
	}
	if f.left[stage]--; f.left[stage] > 0 {
		return nil
	}
	return f.errs[stage]
}

// transform makes the plugin that passes StageTransformation.
func (f *faults) transform() connect.Plugin {
	return TransformPlugin("connecttest.Fault", func(config.Props) Transform {
		return Transform{ApplyFunc: func(context.Context, *connect.Record) (bool, error) {
			return true, f.pass(connect.StageTransformation)
		}}
	})
}

// withFault adds the transform to a connector's chain.
func withFault(props config.Props) config.Props {
	chain, _ := props.Get("transforms")
	if chain != "" {
		chain += ","
	}
	return props.Merge(config.Props{"transforms": chain + faultAlias, "transforms." + faultAlias + ".type": "connecttest.Fault"})
}
