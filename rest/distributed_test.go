package rest

import (
	"context"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/config"
)

// strict is an Internal that no request is signed for.
type strict struct{}

func (strict) Verify(_ context.Context, h http.Header, _ []byte) error {
	switch algorithm := h.Get(SignatureAlgorithmHeader); {
	case h.Get(SignatureHeader) == "":
		return badRequest("Internal request missing required signature")
	case algorithm != "HmacSHA256":
		return badRequest("This worker does not support the '%s' key signing algorithm used by other workers. "+
			"This worker is currently configured to use: [HmacSHA256]. Check that all workers' configuration files permit the same set of "+
			"signature algorithms, and correct any misconfigured worker and restart it.", algorithm)
	}
	return failure(http.StatusForbidden, nil, "Internal request contained invalid signature.")
}

func (strict) PutTaskConfigs(context.Context, string, []config.Props) error { panic("not verified") }
func (strict) FenceZombies(context.Context, string) error                   { panic("not verified") }

// The same requests as to the standalone worker, to a distributed one.
func TestReplayDistributed(t *testing.T) {
	d := distributedDeviations()
	assert.Equal(t, 102, len(d))
	replayWorker(t, "distributed.jsonl", "in-0.txt", "127.0.0.1:18083", strict{}, d)
}

// distributedDeviations are those from the standalone worker without the ones
// that are made in favour of the distributed worker, and some more.
func distributedDeviations() deviations {
	d := standaloneDeviations()
	maps.DeleteFunc(d, func(_ int, v deviation) bool { return v.why == asDistributed || v.why == ghosts })
	delete(d, 519) // a standalone worker of Java remembers the topics
	d.add(deviation{why: "as a standalone worker, which does not look", status: 201, part: `"transaction.boundary":"connector"`, location: "/connectors/x"}, 183)
	d.add(deviation{why: "the request before was accepted", status: 204}, 184)
	d.add(deviation{why: "a task that is not there is not there", status: 404, part: "Unknown task: file-src-0"}, 306)
	d.add(deviation{why: "reading does not wait for rebalances", status: 200, part: `"name":"semi;colon"`}, 390)
	const soon = "the recorder did not wait for the tasks"
	d.add(deviation{why: soon, status: 200, part: `"tasks":[{`}, 360, 362, 380, 384, 386, 394, 398, 414, 422)
	d.add(deviation{why: "there is no group of workers", status: 201, part: `"consumer.override.group.id":"alpha-0"`, location: "/connectors/dup"}, 481)
	d.add(deviation{why: "the request before was accepted", status: 200, part: `"consumer.override.auto.offset.reset":"sometime"`}, 482)
	return d
}
