package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/acksource"
	"github.com/streamlane/connect/connectors/internal/acksource/acktest"
	"github.com/streamlane/connect/connecttest"
)

// suitePeer is a server as the suite of acksource sees it.
type suitePeer struct{ *server }

func (p suitePeer) Send(n int) { p.send("t/a", strconv.Itoa(n)) }

func (p suitePeer) Break() { p.cut("c") }

func (p suitePeer) Acked() (all []int) {
	p.do(func() {
		for _, text := range p.of("c").acked {
			n, err := strconv.Atoi(text)
			require.NoError(p.t, err)
			all = append(all, n)
		}
	})
	return all
}

// InFlight counts what was sent and has no PUBACK or PUBREC.
func (p suitePeer) InFlight() (n int) {
	p.do(func() {
		for _, m := range p.of("c").inflight {
			if !m.recd {
				n++
			}
		}
	})
	return n
}

// Random schedules, at each quality of service and in each version: sends, polls, acknowledgements of Kafka in any order, failures, lost
// connections, restarts and crashes.
func TestKeepsTheContractOfAcknowledgement(t *testing.T) {
	const inFlight = 12
	for _, qos := range []byte{1, 2} {
		for _, protocol := range []Protocol{Protocol5, Protocol311} {
			t.Run(fmt.Sprintf("QoS %d MQTT %s", qos, protocol), func(t *testing.T) {
				acktest.Test(t, 30, func(t *testing.T) *acktest.Source {
					s := newServer(t)
					c := new(TaskConfig)
					require.NoError(t, config.Decode(config.Props{
						"uris": "mqtt://one", "topics": "t/#", "kafka.topic": "k", "qos": strconv.Itoa(int(qos)), "protocol": string(protocol), "payload": "string",
						"max.in.flight.messages": strconv.Itoa(inFlight), "max.poll.records": "5", "reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "10",
						"task.client.id": "c", "task.filters": `["t/#"]`,
					}, c))
					bound := inFlight
					if protocol == Protocol311 {
						bound = math.MaxUint16 // the server knows of none
					}
					return &acktest.Source{
						Peer: suitePeer{s}, Order: acksource.InOrder, MaxInFlight: bound, Back: time.Second,
						Start: func(ctx context.Context) (connect.SourceTask, error) {
							x, err := c.settings()
							if err != nil {
								return nil, err
							}
							task, err := newTask(x, c.assignment)
							if err != nil {
								return nil, err
							}
							task.dialer = s.dial
							return task, task.Start(ctx, &connecttest.SourceContext{Log: slog.New(slog.DiscardHandler)})
						},
						Number: func(r connect.SourceRecord) (int, error) {
							text, _ := r.Value.Value.Str()
							return strconv.Atoi(text)
						},
					}
				})
			})
		}
	}
}
