package mqtt

import (
	"fmt"
	"time"

	"github.com/streamlane/connect/metric"
)

// meters are what a session counts.
type meters struct {
	connections, reconnections, lost, sessionsLost *metric.Counter
	received, redelivered, recognised, repeated    *metric.Counter
}

func newMeters(set *metric.Set) meters {
	return meters{
		connections:   set.Counter("connections", "Connections that a server has accepted."),
		reconnections: set.Counter("reconnections", "Connections that a server has accepted after an earlier one."),
		lost:          set.Counter("connections-lost", "Connections that ended otherwise than by a stop of the task."),
		sessionsLost:  set.Counter("sessions-lost", "Connections for which the server had no session, though there had been one: messages may be lost."),
		received:      set.Counter("messages-received", "Messages that came, each as often as it came."),
		redelivered:   set.Counter("messages-redelivered", "Messages that the server has marked as sent again."),
		recognised:    set.Counter("duplicates-recognised", "Messages sent again that were recognised and made no second record."),
		repeated:      set.Counter("duplicates-possible", "Messages sent again that made a record, perhaps the second one."),
	}
}

// gauges shows the state of a session.
func (s *session) gauges(set *metric.Set) {
	set.Gauge("connected", "1 if the session has a connection, otherwise 0.", func() float64 {
		if s.connected.Load() {
			return 1
		}
		return 0
	})
	set.Gauge("messages-in-flight", "Messages received and not acknowledged.", func() float64 { return float64(s.ledger.Stats().InFlight) })
	set.Gauge("bytes-in-flight", "Bytes of messages that Kafka does not have yet.", func() float64 { return float64(s.ledger.Stats().Bytes) })
	set.Gauge("unacknowledged-age-ms", "Age of the oldest message that is not acknowledged, since it came; 0: there is none.", func() float64 {
		oldest, ok := s.ledger.Oldest()
		if !ok {
			return 0
		}
		return float64(time.Since(oldest).Milliseconds())
	})
}

// String is for logs.
func (m *meters) String() string {
	return fmt.Sprintf("connections %d, lost %d, sessions lost %d, messages received %d, sent again and recognised %d, sent again and delivered %d",
		m.connections.Value(), m.lost.Value(), m.sessionsLost.Value(), m.received.Value(), m.recognised.Value(), m.repeated.Value())
}
