package transforms

import (
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A change event is a struct with the row before and after, where it comes from, and which operation it was. It is told by the name of its
// schema, as Debezium does.

// isEnvelope reports whether a datum is a change event.
func isEnvelope(d connect.Datum) bool {
	return strings.HasSuffix(d.Schema.Name(), ".Envelope") && d.Value.Kind() == data.KindStruct
}

// The operations of change events that transforms tell apart.
const (
	opUpdate   = "u"
	opDelete   = "d"
	opTruncate = "t"
)

// An envelopePlan is where the parts of change events of one schema are, -1 for a part that it does not have.
type envelopePlan struct{ before, after, op, tsMS int }

func planEnvelope(s *data.Schema) envelopePlan {
	return envelopePlan{s.FieldIndex("before"), s.FieldIndex("after"), s.FieldIndex("op"), s.FieldIndex("ts_ms")}
}

// part returns a part as it was set, null if there is none.
func part(event *data.Struct, i int) data.Value {
	if i < 0 {
		return data.Value{}
	}
	return event.Raw(i)
}

// operation returns the operation of an event, "" for none.
func (p envelopePlan) operation(event *data.Struct) string {
	op, _ := part(event, p.op).Str()
	return op
}
