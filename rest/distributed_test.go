package rest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/sessionkey"
)

// keyed is an Internal that verifies signatures by a session key, and otherwise
// does what it is told.
type keyed struct {
	key sessionkey.Key
	err error
}

func newKeyed(t *testing.T) keyed {
	t.Helper()
	policy, err := sessionkey.NewPolicy("HmacSHA256", 0, 0)
	require.NoError(t, err)
	return keyed{key: policy.Generate(time.Now())}
}

func (k keyed) Verify(_ context.Context, h http.Header, body []byte) error {
	return k.key.Verify(sessionkey.Signature{
		Authorization: h.Get(sessionkey.AuthorizationHeader), Algorithm: h.Get(sessionkey.AlgorithmHeader),
	}, body, []string{"HmacSHA256"})
}

func (k keyed) PutTaskConfigs(_ context.Context, connector string, tasks []config.Props) error {
	if k.err == nil && (connector != "one" || len(tasks) != 1 || tasks[0]["a"] != "b") {
		return fmt.Errorf("got connector %q tasks %v", connector, tasks)
	}
	return k.err
}

func (k keyed) FenceZombies(context.Context, string) error { return k.err }

// The same requests as to the standalone worker, to a distributed one.
func TestReplayDistributed(t *testing.T) {
	d := distributedDeviations()
	assert.Equal(t, 90, len(d))
	replayWorker(t, "distributed.jsonl", "in-0.txt", "127.0.0.1:18083", distributedOptions, newKeyed(t), d)
}

// distributedOptions are those of the only worker of a group, in its bubble.
func distributedOptions() connect.Options {
	return connect.Options{Coordinator: connect.Alone(), Worker: config.Props{"group.id": "alpha-0"}}
}

// distributedDeviations are those from the standalone worker without the ones
// that are made in favour of the distributed worker, and some more.
func distributedDeviations() deviations {
	d := standaloneDeviations()
	maps.DeleteFunc(d, func(_ int, v deviation) bool { return v.why == asDistributed || v.why == ghosts })
	delete(d, 519) // a standalone worker of Java remembers the topics
	d.add(deviation{why: "a task that is not there is not there", status: 404, part: "Unknown task: file-src-0"}, 306)
	d.add(deviation{why: "reading does not wait for rebalances", status: 200, part: `"name":"semi;colon"`}, 390)
	const soon = "the recorder did not wait for the tasks"
	d.add(deviation{why: soon, status: 200, part: `"tasks":[{`}, 360, 362, 380, 384, 386, 394, 398, 414, 422)
	return d
}
