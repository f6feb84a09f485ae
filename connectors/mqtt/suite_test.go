package mqtt

import (
	"testing"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
)

// A task keeps the contract of sources that acknowledge: what Kafka has does not come again, all else does, in order.
func TestConformance(t *testing.T) {
	const n = 12
	for _, protocol := range []string{"5", "3.1.1"} {
		for qos, text := range map[byte]string{1: "1", 2: "2"} {
			t.Run(protocol+" QoS "+text, func(t *testing.T) {
				connecttest.TestSourceTask(t, Plugins()[0], connecttest.SourceOptions{
					Acknowledged: true, Records: n,
					Props: config.Props{
						"topics": "t/#", "kafka.topic": "k", "protocol": protocol, "qos": text, "task.client.id": "c", "task.filters": `["t/#"]`,
					},
					Prepare: func(t testing.TB) config.Props {
						s := newServer(t)
						s.do(func() { s.of("c").filters["t/#"] = qos }) // the session is there, and messages wait in it
						s.send("t/a", texts(n)...)
						return config.Props{"uris": s.listen()}
					},
				})
			})
		}
	}
}
