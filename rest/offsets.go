package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/cluster"
	"github.com/streamlane/connect/internal/connectjson"
)

// The names in the offsets of sink connectors (Java's SinkUtils).
const (
	kafkaTopic     = "kafka_topic"
	kafkaPartition = "kafka_partition"
	kafkaOffset    = "kafka_offset"
)

// connectorOffsets is Java's ConnectorOffsets.
type connectorOffsets struct {
	Offsets []connectorOffset `json:"offsets"`
}

type connectorOffset struct {
	Partition json.RawMessage `json:"partition"`
	Offset    json.RawMessage `json:"offset"`
}

// A message is Java's Message.
type message struct {
	Message string `json:"message"`
}

// getOffsets is GET /connectors/{name}/offsets.
func (s *server) getOffsets(ctx context.Context, c *call) (answer, error) {
	found, kind, err := s.known(ctx, c.name())
	if err != nil {
		return answer{}, err
	}
	if kind == connect.SinkPlugin {
		offsets, err := s.rt.SinkOffsets(ctx, found.Name)
		return answer{status: http.StatusOK, body: sinkOffsets(offsets)}, err
	}
	offsets, err := s.rt.Offsets(ctx, found.Name)
	return answer{status: http.StatusOK, body: sourceOffsets(offsets)}, err
}

// known returns a connector and whether it is a source or a sink.
func (s *server) known(ctx context.Context, name string) (*cluster.Connector, connect.PluginKind, error) {
	found, err := s.rt.Connector(ctx, name)
	if err != nil {
		return nil, 0, notFound(err, messageNoConnector, name)
	}
	p, isKnown := s.plugins.connector(found.Props)
	if !isKnown {
		return nil, 0, fmt.Errorf("connector %q: no plugin is known for its class %q", name, found.Props["connector.class"])
	}
	return found, p.kind, nil
}

func sourceOffsets(offsets map[connect.SourcePartition]connect.SourceOffset) connectorOffsets {
	list := connectorOffsets{Offsets: []connectorOffset{}}
	for p, o := range offsets {
		list.Offsets = append(list.Offsets, connectorOffset{json.RawMessage(p.String()), json.RawMessage(o.String())})
	}
	slices.SortFunc(list.Offsets, func(a, b connectorOffset) int { return cmp.Compare(string(a.Partition), string(b.Partition)) })
	return list
}

func sinkOffsets(offsets connect.Offsets) connectorOffsets {
	partitions := make([]connect.TopicPartition, 0, len(offsets))
	for tp := range offsets {
		partitions = append(partitions, tp)
	}
	slices.SortFunc(partitions, func(a, b connect.TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	list := connectorOffsets{Offsets: make([]connectorOffset, len(partitions))}
	for i, tp := range partitions {
		p := connectjson.AppendString(fmt.Appendf(nil, `{"%s":%d,"%s":`, kafkaPartition, tp.Partition, kafkaTopic), tp.Topic)
		list.Offsets[i] = connectorOffset{append(p, '}'), fmt.Appendf(nil, `{"%s":%d}`, kafkaOffset, offsets[tp])}
	}
	return list
}

// An offsetChange is one element of a request to alter offsets. Nil is null, or
// absent.
type offsetChange struct{ partition, offset map[string]any }

func parseOffsets(body []byte) ([]offsetChange, error) {
	fields, err := parseObject(body, "ConnectorOffsets")
	if err != nil {
		return nil, err
	}
	if err := knownOnly(fields, "ConnectorOffsets", "offsets"); err != nil {
		return nil, err
	}
	items, isList := fields["offsets"].([]any)
	if !isList && fields["offsets"] != nil {
		return nil, mismatch("List<ConnectorOffset>", fields["offsets"])
	}
	if len(items) == 0 {
		return nil, badRequest("Partitions / offsets need to be provided for an alter offsets request")
	}
	changes := make([]offsetChange, len(items))
	for i, item := range items {
		if changes[i], err = parseOffset(item); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func parseOffset(item any) (change offsetChange, err error) {
	fields, err := object(item, "ConnectorOffset")
	if err != nil {
		return change, err
	}
	if err := knownOnly(fields, "ConnectorOffset", "partition", "offset"); err != nil {
		return change, err
	}
	if v := fields["partition"]; v != nil {
		if change.partition, err = object(v, "Map<String,Object>"); err != nil {
			return change, err
		}
	}
	if v := fields["offset"]; v != nil {
		change.offset, err = object(v, "Map<String,Object>")
	}
	return change, err
}

// alterOffsets is PATCH /connectors/{name}/offsets.
func (s *server) alterOffsets(ctx context.Context, c *call) (answer, error) {
	changes, err := parseOffsets(c.body)
	if err != nil {
		return answer{}, err
	}
	_, kind, err := s.known(ctx, c.name())
	if err != nil {
		return answer{}, err
	}
	alter := s.alterSource
	if kind == connect.SinkPlugin {
		alter = s.alterSink
	}
	handled, err := alter(ctx, c.name(), changes)
	return s.altered(ctx, c, "altered", handled, err)
}

// resetOffsets is DELETE /connectors/{name}/offsets.
func (s *server) resetOffsets(ctx context.Context, c *call) (answer, error) {
	handled, err := s.rt.ResetOffsets(ctx, c.name())
	return s.altered(ctx, c, "reset", handled, err)
}

// altered says what became of offsets. That the connector is not stopped is told
// before anything else is.
func (s *server) altered(ctx context.Context, c *call, done string, handled bool, err error) (answer, error) {
	if err != nil {
		found, unknown := s.rt.Connector(ctx, c.name())
		switch {
		case unknown != nil:
			return answer{}, notFound(unknown, messageNoConnector, c.name())
		case isLeader(err) && (found.Target != cluster.TargetStopped || len(found.Tasks) > 0):
			return answer{}, failure(http.StatusBadRequest, err, "Connectors must be in the STOPPED state before their offsets can be modified. "+
				"This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint", c.name())
		case errors.Is(err, connect.ErrNotFound): // of the broker's: a topic or partition
			return answer{}, failure(http.StatusBadRequest, err, "Failed to alter consumer group offsets for connector %s: %v", c.name(), err)
		}
		return answer{}, err
	}
	if handled {
		return ok(message{"The offsets for this connector have been " + done + " successfully"})
	}
	return ok(message{"The Connect framework-managed offsets for this connector have been " + done + " successfully. " +
		"However, if this connector manages offsets externally, they will need to be manually " + done + " in the system that the connector uses."})
}

// isLeader tells that an error is not about who leads.
func isLeader(err error) bool {
	_, other := errors.AsType[*connect.NotLeaderError](err)
	return !other
}

func (s *server) alterSource(ctx context.Context, name string, changes []offsetChange) (handled bool, err error) {
	change := make(map[connect.SourcePartition]connect.SourceOffset, len(changes))
	for _, item := range changes {
		if item.partition == nil {
			return false, badRequest("The partition for a source connector offset cannot be null or missing")
		}
		entries, err := entriesOf("partition", item.partition)
		if err != nil {
			return false, err
		}
		p := connect.PartitionOf(entries...)
		if err := p.Err(); err != nil {
			return false, failure(http.StatusBadRequest, err, "The partition cannot be stored: %v", err)
		}
		var o connect.SourceOffset
		if item.offset != nil {
			if o, err = entriesOf("offset", item.offset); err != nil {
				return false, err
			}
		}
		change[p] = o
	}
	return s.rt.AlterOffsets(ctx, name, change)
}

// entriesOf reads an object as it would come back from the offsets topic: whole
// numbers have 64 bits.
func entriesOf(what string, fields map[string]any) (connect.SourceOffset, error) {
	for key, v := range fields {
		if n, isNumber := v.(json.Number); isNumber && !strings.ContainsAny(n.String(), ".eE") {
			if _, err := n.Int64(); err != nil {
				return nil, failure(http.StatusBadRequest, err, "The %s has the number %s under %q, which is beyond 64 bits", what, n, key)
			}
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	entries, err := connectjson.ParseObject(raw)
	if err != nil {
		return nil, failure(http.StatusBadRequest, err, "The %s %s cannot be stored: %v", what, raw, err)
	}
	if entries == nil {
		entries = connect.SourceOffset{}
	}
	return entries, nil
}

func (s *server) alterSink(ctx context.Context, name string, changes []offsetChange) (handled bool, err error) {
	change := make(map[connect.TopicPartition]*int64, len(changes))
	for _, item := range changes {
		tp, err := sinkPartition(item.partition)
		if err != nil {
			return false, err
		}
		if change[tp], err = sinkOffset(item.offset); err != nil {
			return false, err
		}
	}
	return s.rt.AlterSinkOffsets(ctx, name, change)
}

// sinkPartition reads a partition in Java's words (SinkUtils.parseSinkConnectorOffsets).
func sinkPartition(fields map[string]any) (tp connect.TopicPartition, err error) {
	if fields == nil {
		return tp, badRequest("The partition for a sink connector offset cannot be null or missing")
	}
	topic, hasTopic := fields[kafkaTopic]
	partition, hasPartition := fields[kafkaPartition]
	if !hasTopic || !hasPartition {
		return tp, badRequest("The partition for a sink connector offset must contain the keys '%s' and '%s'", kafkaTopic, kafkaPartition)
	}
	name, given, err := text(topic)
	if err != nil || !given {
		return tp, badRequest("Kafka topic names must be valid strings and may not be null")
	}
	n, err := wholeNumber(partition, 32)
	if err != nil {
		return tp, badRequest("Failed to parse the following Kafka partition value in the provided offsets: '%s'. Partition values for sink connectors need to be integers.", shown(partition))
	}
	return connect.TopicPartition{Topic: name, Partition: int32(n)}, nil
}

// sinkOffset reads an offset; nil resets.
func sinkOffset(fields map[string]any) (*int64, error) {
	if fields == nil {
		return nil, nil
	}
	v, given := fields[kafkaOffset]
	if !given {
		return nil, badRequest("The offset for a sink connector should either be null or contain the key '%s'", kafkaOffset)
	}
	n, err := wholeNumber(v, 64)
	if err != nil {
		return nil, badRequest("Failed to parse the following Kafka offset value in the provided offsets: '%s'. Offset values for sink connectors need to be integers.", shown(v))
	}
	return &n, nil
}

// wholeNumber reads a number, or a text that is one.
func wholeNumber(v any, bits int) (int64, error) {
	s, given, err := text(v)
	if err != nil {
		return 0, err
	}
	if !given {
		return 0, errors.New("null")
	}
	return strconv.ParseInt(s, 10, bits)
}

// shown is a value as messages show it.
func shown(v any) string {
	if v == nil {
		return "null"
	}
	return fmt.Sprint(v)
}
