package transforms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/javaregex"
)

// What becomes of an update of the outbox table, which should have none.
type outboxUpdates string

const (
	warnOfUpdates outboxUpdates = "warn"
	errorOfUpdate outboxUpdates = "error"
	fatalUpdate   outboxUpdates = "fatal"
)

// What becomes of nulls in expanded JSON.
type jsonNulls string

const (
	ignoreNulls  jsonNulls = "ignore"
	nullsAsBytes jsonNulls = "optional_bytes"
)

// An OutboxEventRouterConfig configures OutboxEventRouter.
type OutboxEventRouterConfig struct {
	// The columns of the outbox table.
	ID, Key, Type, Payload, Timestamp, SchemaVersion string
	// Additional lists column:header|envelope|partition[:alias].
	Additional []string
	// ErrorOnMissing fails records that lack an additional column.
	ErrorOnMissing bool
	// ExpandJSON makes a struct of JSON text in the payload.
	ExpandJSON bool
	// RouteBy is the column that goes into the topic by Regex and Replacement.
	RouteBy, Regex, Replacement string
	// TombstoneOnEmpty makes tombstones of empty payloads.
	TombstoneOnEmpty bool

	updates outboxUpdates
	nulls   jsonNulls
}

// Describe declares the keys of io.debezium.transforms.outbox.EventRouter.
func (c *OutboxEventRouterConfig) Describe(d *config.Def) {
	const group = "Table"
	column := func(p *string, key, def, doc string) {
		k := config.String(d, p, key).Group(group, -1).Doc(doc)
		if def == "" {
			k.Optional()
			return
		}
		k.Default(def)
	}
	column(&c.ID, "table.field.event.id", "id", "Column with the id of the event, which goes into the header id.")
	column(&c.Key, "table.field.event.key", "aggregateid", "Column with the key of the record.")
	column(&c.Type, "table.field.event.type", "type", "Column with the type of the event. It is placed by table.fields.additional.placement.")
	column(&c.Payload, "table.field.event.payload", "payload", "Column with the value of the record.")
	column(&c.Timestamp, "table.field.event.timestamp", "", "Column with the timestamp of the record. Without it, and for null, this is the time of the change event.")
	config.List(d, &c.Additional, "table.fields.additional.placement").Optional().Importance(config.High).Group(group, -1).Check(validPlacements()).
		Doc("Columns to keep, as column:placement or column:placement:name: header makes a header of it, envelope a field beside the payload, partition the partition.")
	config.Bool(d, &c.ErrorOnMissing, "table.fields.additional.error.on.missing").Default(true).Importance(config.Medium).Group(group, -1).
		Doc("Whether a record fails that lacks one of these columns. Otherwise the column is left out.")
	column(&c.SchemaVersion, "table.field.event.schema.version", "", "Column with the version for the schema of a value with an envelope.")
	config.EnumFold(d, &c.updates, "table.op.invalid.behavior", warnOfUpdates, errorOfUpdate, fatalUpdate).Default(warnOfUpdates).Importance(config.Medium).Group(group, -1).
		Doc("What becomes of updates of the table: warn and error drop them, fatal fails.")
	config.Bool(d, &c.ExpandJSON, "table.expand.json.payload").Default(false).Importance(config.Medium).Group(group, -1).
		Doc("Whether JSON text in the payload becomes a struct or array with a schema. Text that is no object or array, or has no schema, stays text.")
	config.EnumFold(d, &c.nulls, "table.json.payload.null.behavior", ignoreNulls, nullsAsBytes).Default(ignoreNulls).Importance(config.Medium).Group(group, -1).
		Doc("What becomes of nulls in such text: ignore leaves them out, optional_bytes makes a field of optional bytes of each.")
	config.String(d, &c.RouteBy, "route.by.field").Default("aggregatetype").Importance(config.High).Group("Router", -1).Doc("Column that tells the topic.")
	config.String(d, &c.Regex, "route.topic.regex").Default("(?<routedByValue>.*)").Group("Router", -1).Check(validRegex()).
		Doc("Regular expression, in Java's syntax, for the text of that column.")
	config.String(d, &c.Replacement, "route.topic.replacement").Default("outbox.event.${routedByValue}").Importance(config.High).Group("Router", -1).
		Doc("The topic, if the expression matches the whole text: $1 or ${name} stands for what a group matched. Otherwise it is the text itself.")
	config.Bool(d, &c.TombstoneOnEmpty, "route.tombstone.on.empty.payload").Default(false).Importance(config.High).Group("Router", -1).
		Doc("Whether a payload that is null or blank text makes a tombstone.")
	for _, key := range []string{"tracing.span.context.field", "tracing.operation.name", "tracing.with.context.field.only"} {
		config.String(d, new(string), key).Optional().Group("Tracing", -1).Doc("Of OpenTracing.").Ignored("it needs an agent in a JVM, without which it has no effect either.")
	}
	refuseKey(d, "debezium.op.invalid.behavior", "table.op.invalid.behavior does what it did")
}

// A placement says where a column goes.
type placement struct{ column, where, name string }

func parsePlacements(list []string) ([]placement, error) {
	var out []placement
	for _, item := range list {
		parts := strings.Split(item, ":")
		if len(parts) < 2 || len(parts) > 3 {
			return nil, fmt.Errorf("want column:placement or column:placement:name, found %q", item)
		}
		p := placement{parts[0], strings.ToLower(parts[1]), parts[0]}
		if len(parts) == 3 {
			p.name = parts[2]
		}
		if !slices.Contains([]string{"header", "envelope", "partition"}, p.where) {
			return nil, fmt.Errorf("the placement is header, envelope or partition, found %q in %q", parts[1], item)
		}
		out = append(out, p)
	}
	return out, nil
}

func validPlacements() config.Check[[]string] {
	return config.CheckFunc("list of column:placement[:name]", func(list []string) error {
		_, err := parsePlacements(list)
		return err
	})
}

func outboxEventRouterPlugin() connect.Plugin {
	i := ours("OutboxEventRouter", "Turns change events of an outbox table into the events that its rows hold.", "io.debezium.transforms.outbox.EventRouter")
	return connect.Transformer(i, newOutboxEventRouter)
}

// outboxEventRouter is OutboxEventRouter.
type outboxEventRouter struct {
	c           OutboxEventRouterConfig
	placements  []placement
	pattern     *javaregex.Pattern
	replacement *javaregex.Replacement
	typer       jsonTyper
	plans       schemaCache[envelopePlan]
	envelopes   schemaCache[*data.Schema] // of values, by that of the payload and the additional columns
}

func newOutboxEventRouter(c OutboxEventRouterConfig) (*outboxEventRouter, error) {
	t := &outboxEventRouter{c: c, typer: jsonTyper{nullsAsBytes: c.nulls == nullsAsBytes}}
	var err error
	if t.placements, err = parsePlacements(c.Additional); err != nil {
		return nil, err
	}
	if t.pattern, err = javaregex.Compile(c.Regex); err != nil {
		return nil, err
	}
	t.replacement = t.pattern.Replacement(c.Replacement)
	return t, nil
}

var errOutboxUpdate = errors.New("a row of the outbox table was updated, where only inserts and deletes are expected (table.op.invalid.behavior=fatal)")

// Apply makes an event of an insert. Deletes, updates and tombstones are dropped, what is no change event passes as it is.
func (t *outboxEventRouter) Apply(_ context.Context, r *connect.Record) (keep bool, err error) {
	if r.Value.Value.IsNull() {
		return false, nil
	}
	if !isEnvelope(r.Value) {
		return true, nil
	}
	plan, err := t.plans.get(r.Value.Schema, func(s *data.Schema) (envelopePlan, error) { return planEnvelope(s), nil })
	if err != nil {
		return false, err
	}
	event, _ := r.Value.Value.Struct()
	switch plan.operation(event) {
	case opDelete:
		return false, nil
	case opUpdate:
		if t.c.updates == fatalUpdate {
			return false, errOutboxUpdate
		}
		return false, nil
	}
	row, err := requireStruct(part(event, plan.after), "Read Outbox Event")
	if err != nil {
		return false, err
	}
	tsMS, _ := part(event, plan.tsMS).Int()
	return t.emit(r, row, tsMS)
}

// emit turns a row into the record.
func (t *outboxEventRouter) emit(r *connect.Record, row *data.Struct, tsMS int64) (bool, error) {
	out := *r
	out.Partition = connect.PartitionHint{}
	id, err := columnOf(row, "table.field.event.id", t.c.ID)
	if err != nil {
		return false, err
	}
	out.Headers = append(out.Headers, connect.Header{Key: "id", Datum: id})
	if out.Key, err = columnOf(row, "table.field.event.key", t.c.Key); err != nil {
		return false, err
	}
	payload, err := columnOf(row, "table.field.event.payload", t.c.Payload)
	if err != nil {
		return false, err
	}
	if out.Timestamp, err = t.timestamp(row, tsMS); err != nil {
		return false, err
	}
	routedBy, err := row.GetTyped(t.c.RouteBy, data.KindString)
	if err != nil {
		return false, fmt.Errorf("configuration route.by.field: %w", err)
	}
	by, _ := routedBy.Str()
	if out.Topic, err = t.topic(by); err != nil {
		return false, err
	}
	if out.Value, err = t.value(&out, row, t.expand(payload), by); err != nil {
		return false, err
	}
	*r = out
	return true, nil
}

// columnOf returns a column that has to be there. A null that has a default is it.
func columnOf(row *data.Struct, key, name string) (connect.Datum, error) {
	f, ok := row.Schema().Field(name)
	if !ok {
		return connect.Datum{}, dataError("%s is not a valid field name (configuration %s); found %s", name, key, fieldNames(row.Schema()))
	}
	return connect.Datum{Schema: f.Schema, Value: row.At(f.Index)}, nil
}

// timestamp returns that of the column, or of the event.
func (t *outboxEventRouter) timestamp(row *data.Struct, tsMS int64) (time.Time, error) {
	const key = "table.field.event.timestamp"
	ms := tsMS
	if t.c.Timestamp != "" {
		d, err := columnOf(row, key, t.c.Timestamp)
		if err != nil {
			return time.Time{}, err
		}
		if !d.Value.IsNull() {
			if ms, err = epochMillis(d); err != nil {
				return time.Time{}, fmt.Errorf("configuration %s: field %q: %w", key, t.c.Timestamp, err)
			}
		}
	}
	if ms == 0 && tsMS == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms), nil
}

// epochMillis reads a point in time of Debezium's types, or Connect's own.
func epochMillis(d connect.Datum) (int64, error) {
	if ms, ok := d.Value.Millis(); ok {
		return ms, nil
	}
	n, ok := d.Value.Int()
	if !ok {
		return 0, dataError("want a point in time, found %s", d.Value.Kind())
	}
	switch name := d.Schema.Name(); name {
	case "io.debezium.time.Timestamp":
		return n, nil
	case "io.debezium.time.MicroTimestamp":
		return n / 1000, nil
	case "io.debezium.time.NanoTimestamp":
		return n / 1_000_000, nil
	case "":
		return 0, dataError("Unsupported field type %s (without logical schema name) for event timestamp", d.Schema.Kind())
	default:
		return 0, dataError("Unsupported field type %s for event timestamp", name)
	}
}

func (t *outboxEventRouter) topic(by string) (string, error) {
	matches, err := t.pattern.Matches(by)
	if err != nil || !matches {
		return by, err
	}
	topic, err := t.pattern.ReplaceFirst(by, t.replacement)
	if err != nil {
		return "", fmt.Errorf("configuration route.topic.replacement: %w", err)
	}
	return topic, nil
}

// expand makes data of JSON text. What can not be expanded stays text.
func (t *outboxEventRouter) expand(payload connect.Datum) connect.Datum {
	text, ok := payload.Value.Str()
	if !ok || !t.c.ExpandJSON || !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return payload
	}
	v, err := parseJSON(text)
	if err != nil {
		return payload
	}
	s, err := t.typer.schema("payload", v)
	if err != nil || s == nil {
		return payload
	}
	if v, err = t.typer.value(s, v); err != nil {
		return payload
	}
	return connect.Datum{Schema: s, Value: v}
}

// value places the additional columns and returns the value.
func (t *outboxEventRouter) value(r *connect.Record, row *data.Struct, payload connect.Datum, by string) (connect.Datum, error) {
	fields := data.StructBuilder().Field("payload", payload.Schema)
	values := []data.Value{payload.Value}
	for _, p := range t.placements {
		d, err := columnOf(row, "table.fields.additional.placement", p.column)
		if err != nil {
			if t.c.ErrorOnMissing {
				return connect.Datum{}, err
			}
			continue
		}
		switch p.where {
		case "header":
			r.Headers = append(r.Headers, connect.Header{Key: p.name, Datum: d})
		case "partition":
			n, ok := d.Value.Int()
			if !ok && !d.Value.IsNull() {
				return connect.Datum{}, dataError("column %q is the partition, which is INT32: found %s", p.column, d.Value.Kind())
			}
			if ok {
				r.Partition = connect.On(int32(n))
			}
		default:
			fields.Field(p.name, d.Schema)
			values = append(values, d.Value)
		}
	}
	if text, ok := payload.Value.Str(); t.c.TombstoneOnEmpty && (payload.Value.IsNull() || ok && strings.TrimSpace(text) == "") {
		return connect.Datum{}, nil
	}
	if !t.hasEnvelope() {
		return payload, nil
	}
	return t.envelope(row, fields, values, by)
}

func (t *outboxEventRouter) hasEnvelope() bool {
	return slices.ContainsFunc(t.placements, func(p placement) bool { return p.where == "envelope" })
}

// envelope puts payload and columns into a struct, whose schema has a name and, perhaps, a version.
func (t *outboxEventRouter) envelope(row *data.Struct, b *data.Builder, values []data.Value, by string) (connect.Datum, error) {
	base := row.Schema().Name()
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		base = base[:i]
	}
	b.Name(base + "." + by + ".Value")
	if t.c.SchemaVersion != "" {
		v, err := row.GetTyped(t.c.SchemaVersion, data.KindInt32)
		if err != nil {
			return connect.Datum{}, fmt.Errorf("configuration table.field.event.schema.version: %w", err)
		}
		if n, ok := v.Int(); ok {
			b.Version(int(n))
		}
	}
	built, err := b.Build()
	if err != nil {
		return connect.Datum{}, err
	}
	schema, err := t.envelopes.get(built, func(s *data.Schema) (*data.Schema, error) { return s, nil })
	if err != nil {
		return connect.Datum{}, err
	}
	x, err := data.NewStruct(schema)
	if err != nil {
		return connect.Datum{}, err
	}
	for i, f := range schema.Fields() {
		if err := setField(x, f, values[i]); err != nil {
			return connect.Datum{}, err
		}
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(x)}, nil
}
