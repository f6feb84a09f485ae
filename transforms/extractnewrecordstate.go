package transforms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// A deleteMode says what becomes of a delete, and of the tombstone that follows it.
type deleteMode string

const (
	dropDeletes            deleteMode = "drop"
	deletesWithoutValue    deleteMode = "tombstone"
	deletesToTombstones    deleteMode = "delete-to-tombstone"
	rewriteDeletes         deleteMode = "rewrite"
	rewriteAndPassTombs    deleteMode = "rewrite-with-tombstone"
	legacyNone, legacyDrop deleteMode = "none", "drop"
)

// An ExtractNewRecordStateConfig configures ExtractNewRecordState.
type ExtractNewRecordStateConfig struct {
	// AddFields and AddHeaders name metadata of the event to keep: op, source.ts_ms, transaction.id:tx and so on.
	AddFields, AddHeaders             []string
	AddFieldsPrefix, AddHeadersPrefix string
	// RouteByField is a field of the row whose text is the new topic.
	RouteByField string
	// DropFieldsHeader names a header with a list of fields to drop.
	DropFieldsHeader string
	// DropFieldsFromKey drops them from the key, too.
	DropFieldsFromKey bool
	// DropOptionalOnly leaves required fields.
	DropOptionalOnly bool
	// ReplaceNullWithDefault copies the default of a field that is null, where a row is copied.
	ReplaceNullWithDefault bool

	mode, legacyDeletes deleteMode
	legacyTombstones    bool
	given               struct{ mode, deletes, tombstones bool }
}

// Describe declares the keys of io.debezium.transforms.ExtractNewRecordState, and the two that it had until version 3.
func (c *ExtractNewRecordStateConfig) Describe(d *config.Def) {
	config.EnumFold(d, &c.mode, "delete.tombstone.handling.mode", dropDeletes, deletesWithoutValue, deletesToTombstones, rewriteDeletes, rewriteAndPassTombs).
		Default(deletesWithoutValue).Given(&c.given.mode).Importance(config.Medium).
		Doc("What becomes of deletes: drop drops them and the tombstones that follow them. tombstone passes them with their schema and null for a value, " +
			"delete-to-tombstone without a schema, both drop the tombstones that follow. rewrite passes the row before, and adds the field __deleted to " +
			"every record. rewrite-with-tombstone does so, too, and passes tombstones.")
	config.Bool(d, &c.legacyTombstones, "drop.tombstones").Default(true).Given(&c.given.tombstones).
		Doc("Whether tombstones are dropped.").Deprecated("delete.tombstone.handling.mode, which counts if it is there.")
	config.EnumFold(d, &c.legacyDeletes, "delete.handling.mode", legacyDrop, legacyNone, rewriteDeletes).Default(legacyDrop).Given(&c.given.deletes).
		Doc("What becomes of deletes: drop, none for a null with the schema, or rewrite.").Deprecated("delete.tombstone.handling.mode, which counts if it is there.")
	config.String(d, &c.RouteByField, "route.by.field").Default("").Doc("Field of the row whose text is the new topic. Null or blank text leaves the topic.")
	config.String(d, &c.AddFieldsPrefix, "add.fields.prefix").Default("__").Doc("Text before the names of fields that add.fields adds.")
	metadata := "A name without a struct is looked up in source, but op, ts_ms, ts_us and ts_ns in the event itself, and id, total_order and " +
		"data_collection_order in transaction. Behind a colon a name of your own may follow."
	config.List(d, &c.AddFields, "add.fields").Default([]string{}).Check(validReferences()).Doc("Metadata to add to the value, such as op,source.ts_ms. " + metadata)
	config.String(d, &c.AddHeadersPrefix, "add.headers.prefix").Default("__").Doc("Text before the keys of headers that add.headers adds.")
	config.List(d, &c.AddHeaders, "add.headers").Default([]string{}).Check(validReferences()).Doc("Metadata to add as headers. " + metadata)
	config.String(d, &c.DropFieldsHeader, "drop.fields.header.name").Optional().Doc("Header whose value lists fields to drop from the value.")
	config.Bool(d, &c.DropFieldsFromKey, "drop.fields.from.key").Default(false).Doc("Whether these fields are dropped from the key, too.")
	config.Bool(d, &c.DropOptionalOnly, "drop.fields.keep.schema.compatible").Default(true).Doc("Whether only fields that are optional are dropped.")
	defaultsKey(d, &c.ReplaceNullWithDefault)
	refuseKey(d, "operation.header", "add.headers=op does what it did")
	refuseKey(d, "add.source.fields", "add.fields does what it did")
}

func validReferences() config.Check[[]string] {
	return config.CheckFunc("list of [struct.]field[:name]", func(list []string) error {
		for _, item := range list {
			if strings.Count(item, ":") > 1 {
				return fmt.Errorf("Unexpected field name: %s", item) //nolint:staticcheck // Java's words
			}
		}
		return nil
	})
}

// behaviour returns the mode in force. Configurations of before version 2.5 go by the two older keys.
func (c *ExtractNewRecordStateConfig) behaviour() (mode deleteMode, dropTombstones bool) {
	if c.given.mode || !c.given.deletes && !c.given.tombstones {
		return c.mode, c.mode != rewriteAndPassTombs
	}
	if c.legacyDeletes == legacyNone {
		return deletesWithoutValue, c.legacyTombstones
	}
	return c.legacyDeletes, c.legacyTombstones
}

func extractNewRecordStatePlugin() connect.Plugin {
	i := ours("ExtractNewRecordState", "Makes the new row of a change event the value of the record, and more of the event fields or headers.",
		"io.debezium.transforms.ExtractNewRecordState")
	return connect.Transformer(i, newExtractNewRecordState)
}

// extractNewRecordState is ExtractNewRecordState.
type extractNewRecordState struct {
	c              ExtractNewRecordStateConfig
	mode           deleteMode
	dropTombstones bool
	fields         []reference
	headers        []reference
	live, deleted  *insertField // add the field __deleted
	plans          schemaCache[*statePlan]
	dropper        fieldDropper
}

// A statePlan is what the configuration means for change events of one schema.
type statePlan struct {
	envelopePlan
	fields, headers []resolvedReference
	rows            schemaCache[*data.Schema] // with the fields added
}

func newExtractNewRecordState(c ExtractNewRecordStateConfig) (*extractNewRecordState, error) {
	t := &extractNewRecordState{c: c, fields: parseReferences(c.AddFieldsPrefix, c.AddFields), headers: parseReferences(c.AddHeadersPrefix, c.AddHeaders)}
	t.mode, t.dropTombstones = c.behaviour()
	t.dropper = fieldDropper{optionalOnly: c.DropOptionalOnly}
	mark := func(text string) (*insertField, error) {
		i := InsertFieldConfig{StaticField: "__deleted", StaticValue: text, ReplaceNullWithDefault: c.ReplaceNullWithDefault}
		i.given.static, i.given.value = true, true
		return newInsertField(i, valueSide)
	}
	var err error
	if t.live, err = mark("false"); err != nil {
		return nil, err
	}
	t.deleted, err = mark("true")
	return t, err
}

// Apply unwraps a change event. What is none passes as it is, tombstones aside.
func (t *extractNewRecordState) Apply(_ context.Context, r *connect.Record) (keep bool, err error) {
	if r.Value.Value.IsNull() {
		return t.tombstone(r), nil
	}
	if !isEnvelope(r.Value) {
		return true, nil
	}
	plan, err := t.plans.get(r.Value.Schema, t.plan)
	if err != nil {
		return false, err
	}
	event, _ := r.Value.Value.Struct()
	after, before := t.row(r.Value.Schema, event, plan.after), t.row(r.Value.Schema, event, plan.before)
	if plan.operation(event) == opTruncate || after.Value.IsNull() && before.Value.IsNull() {
		return false, nil
	}
	for _, ref := range plan.headers {
		r.Headers = append(r.Headers, connect.Header{Key: ref.name, Datum: connect.Datum{Schema: ref.schema, Value: ref.value(event)}})
	}
	if err := t.route(r, before, after); err != nil {
		return false, err
	}
	value, keep, err := t.state(before, after)
	if err != nil || !keep {
		return false, err
	}
	// Of a delete fields are dropped before others are added, of all else after: as in Debezium.
	if after.Value.IsNull() {
		if value, err = t.drop(r, value); err == nil {
			value, err = t.add(value, plan, event)
		}
	} else if value, err = t.add(value, plan, event); err == nil {
		value, err = t.drop(r, value)
	}
	r.Value = value
	return err == nil, err
}

// tombstone tells whether one is kept.
func (t *extractNewRecordState) tombstone(r *connect.Record) bool {
	if t.dropTombstones {
		return false
	}
	for _, ref := range t.headers { // all that is known of it
		if ref.field == "op" {
			r.Headers = append(r.Headers, connect.Header{Key: ref.name, Datum: connect.Datum{Schema: data.StringSchema, Value: data.String(opDelete)}})
		}
	}
	return true
}

// row returns the row before or after.
func (t *extractNewRecordState) row(s *data.Schema, event *data.Struct, i int) connect.Datum {
	if i < 0 {
		return connect.Datum{}
	}
	return connect.Datum{Schema: s.Fields()[i].Schema, Value: event.Raw(i)}
}

// route sets the topic.
func (t *extractNewRecordState) route(r *connect.Record, before, after connect.Datum) error {
	if t.c.RouteByField == "" {
		return nil
	}
	row := after
	if row.Value.IsNull() {
		row = before
	}
	x, ok := row.Value.Struct()
	if !ok {
		return nil
	}
	v, err := x.GetTyped(t.c.RouteByField, data.KindString)
	if err != nil {
		return fmt.Errorf("configuration route.by.field: %w", err)
	}
	if topic, _ := v.Str(); strings.TrimSpace(topic) != "" {
		r.Topic = topic
	}
	return nil
}

// state returns the value that the record gets, before anything is added.
func (t *extractNewRecordState) state(before, after connect.Datum) (value connect.Datum, keep bool, err error) {
	rewrites := t.mode == rewriteDeletes || t.mode == rewriteAndPassTombs
	value, mark := after, t.live
	if after.Value.IsNull() {
		switch t.mode {
		case dropDeletes:
			return value, false, nil
		case deletesToTombstones:
			return connect.Datum{}, true, nil
		case deletesWithoutValue:
			return after, true, nil
		}
		value, mark = before, t.deleted
	}
	if _, ok := value.Value.Struct(); !ok || !rewrites {
		return value, true, nil
	}
	value, err = mark.withSchema(nil, value)
	return value, true, err
}

// add adds the fields of add.fields. The row was optional in the event, and is required now.
func (t *extractNewRecordState) add(value connect.Datum, plan *statePlan, event *data.Struct) (connect.Datum, error) {
	old, ok := value.Value.Struct()
	if !ok || len(plan.fields) == 0 && !old.Schema().Optional() {
		return value, nil
	}
	schema, err := plan.rows.get(old.Schema(), func(s *data.Schema) (*data.Schema, error) {
		b := copyBasics(s, data.StructBuilder())
		for _, f := range s.Fields() {
			b.Field(f.Name, f.Schema)
		}
		for _, ref := range plan.fields {
			b.Field(ref.name, ref.schema)
		}
		return b.Build()
	})
	if err != nil {
		return value, err
	}
	row, err := data.NewStruct(schema)
	if err != nil {
		return value, err
	}
	for i := range old.Len() {
		row.Set(i, old.Raw(i))
	}
	for i, ref := range plan.fields {
		row.Set(old.Len()+i, ref.value(event))
	}
	return connect.Datum{Schema: schema, Value: data.StructOf(row)}, nil
}

// drop takes the fields out that the header lists.
func (t *extractNewRecordState) drop(r *connect.Record, value connect.Datum) (connect.Datum, error) {
	names, err := t.listed(r)
	if err != nil || len(names) == 0 {
		return value, err
	}
	if value, err = t.dropper.drop(value, names); err == nil && t.c.DropFieldsFromKey {
		r.Key, err = t.dropper.drop(r.Key, names)
	}
	return value, err
}

// listed returns the fields that the header of the record lists.
func (t *extractNewRecordState) listed(r *connect.Record) ([]string, error) {
	if t.c.DropFieldsHeader == "" {
		return nil, nil
	}
	i := slices.IndexFunc(r.Headers, func(h connect.Header) bool { return h.Key == t.c.DropFieldsHeader })
	if i < 0 || r.Headers[i].Datum.Value.IsNull() {
		return nil, nil
	}
	list, ok := r.Headers[i].Datum.Value.Array()
	if !ok {
		return nil, dataError("header %q lists fields to drop (configuration drop.fields.header.name): want an ARRAY of STRING, found %s",
			t.c.DropFieldsHeader, r.Headers[i].Datum.Value.Kind())
	}
	names := make([]string, 0, len(list))
	for _, v := range list {
		name, ok := v.Str()
		if !ok {
			return nil, dataError("header %q lists fields to drop: want STRING, found %s", t.c.DropFieldsHeader, kindOf(v))
		}
		names = append(names, name)
	}
	return names, nil
}

func (t *extractNewRecordState) plan(s *data.Schema) (*statePlan, error) {
	p := &statePlan{envelopePlan: planEnvelope(s)}
	var err error
	if p.fields, err = resolve(t.fields, s); err != nil {
		return nil, fmt.Errorf("configuration add.fields: %w", err)
	}
	if p.headers, err = resolve(t.headers, s); err != nil {
		return nil, fmt.Errorf("configuration add.headers: %w", err)
	}
	return p, nil
}
