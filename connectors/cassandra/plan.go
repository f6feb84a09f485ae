package cassandra

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/connectors/internal/cqlmap"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
)

// A statement is CQL with its parameters.
type statement struct {
	cql string
	// params are the names of the parameters, in order: columns, or the variables of TTL and write timestamp.
	params []string
	// alone: it goes into no batch.
	alone bool
	// repeatable: sending it twice has the same result as once.
	repeatable bool
	// stamped: the write timestamp is given with the request, for the statement does not have it.
	stamped bool
	// removes: it deletes a row.
	removes bool
}

// A field is one thing that a plan takes out of a record: a column, or a parameter of the user's query.
type field struct {
	name string
	// sources are looked up in order. Of several, those that the record does not have are passed over.
	sources []cqlmap.Source
	// wholeKey takes the record's key itself, if it is no struct or map, and no source is found.
	wholeKey bool
	optional bool // a record may be without it
	primary  bool
	enc      *cqlvalue.Encoder
}

// A plan says how records become statements, by a mapping and the table as it was when the plan was made. It is not changed.
type plan struct {
	cfg    *tableConfig
	schema *tableSchema
	auto   bool

	fields         []field
	ttl, timestamp *field // of the mapping
	ttlUnit        cqlvalue.Unit
	timestampUnit  cqlvalue.Unit

	write  *statement // INSERT, UPDATE of counters, or the user's query
	remove *statement // nil: none
	// writeAt and removeAt are the places of the parameters' fields in fields; ttlParam and timeParam stand for the other two.
	writeAt, removeAt []int
	partition         []int // fields of the partition key, in order; empty: not known
	regular           []int // fields that are not of the primary key
}

// Places of parameters that are no fields.
const (
	ttlParam  = -1
	timeParam = -2
)

// numbers is the type that TTLs and timestamps are read as.
var numbers = gocql.NewNativeType(4, gocql.TypeBigInt, "")

// newPlan makes the plan of a table with a mapping or without one. Its errors name keys.
func newPlan(cfg *tableConfig, schema *tableSchema, codec cqlvalue.Options) (*plan, error) {
	p := &plan{cfg: cfg, schema: schema, auto: cfg.mapping == ""}
	var err error
	if p.ttlUnit, err = cqlvalue.ParseUnit(cfg.ttlUnit); err != nil {
		return nil, keyError(cfg.key("ttlTimeUnit"), cfg.ttlUnit, "%w", err)
	}
	if p.timestampUnit, err = cqlvalue.ParseUnit(cfg.timestampUnit); err != nil {
		return nil, keyError(cfg.key("timestampTimeUnit"), cfg.timestampUnit, "%w", err)
	}
	if p.auto {
		err = p.fieldsByName(codec)
	} else {
		err = p.fieldsByMapping(codec)
	}
	if err != nil {
		return nil, err
	}
	for i, f := range p.fields {
		if !f.primary {
			p.regular = append(p.regular, i)
		}
	}
	for _, name := range schema.names(func(c *column) bool { return c.kind == partitionKey }) {
		p.partition = append(p.partition, p.index(name))
	}
	if schema.counter() {
		return p, p.buildCounter()
	}
	p.buildInsert()
	if cfg.deletes {
		p.buildRemove()
	}
	return p, nil
}

func (p *plan) index(name string) int {
	return slices.IndexFunc(p.fields, func(f field) bool { return f.name == name })
}

// fieldsByName gives each column the field of the same name, of the value or the key.
func (p *plan) fieldsByName(codec cqlvalue.Options) error {
	primaries := p.schema.names(func(c *column) bool { return c.kind.primary() })
	for i := range p.schema.columns {
		c := &p.schema.columns[i]
		f := field{name: c.name, optional: true, primary: c.kind.primary()}
		f.sources = []cqlmap.Source{{Part: cqlmap.Value, Field: c.name}, {Part: cqlmap.Key, Field: c.name}}
		if f.primary {
			slices.Reverse(f.sources)
			f.wholeKey = len(primaries) == 1
		}
		var err error
		if f.enc, err = cqlvalue.NewEncoder(c.typ, codec); err != nil {
			return keyError(p.cfg.key(mappingSetting), "", "the column %s of %s.%s cannot be written: %w", c.name, p.schema.keyspace, p.schema.name, err)
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

func (p *plan) mappingError(format string, args ...any) error {
	return keyError(p.cfg.key(mappingSetting), p.cfg.mapping, format, args...)
}

// fieldsByMapping takes the columns of the mapping.
func (p *plan) fieldsByMapping(codec cqlvalue.Options) error {
	m, err := cqlmap.Parse(p.cfg.mapping)
	if err != nil {
		return p.mappingError("%w", err)
	}
	var errs []error
	for _, a := range m.Assignments {
		f := field{name: a.Column, sources: []cqlmap.Source{a.Source}}
		if a.TTL || a.Timestamp {
			if f.enc, err = cqlvalue.NewEncoder(numbers, codec); err != nil {
				return p.mappingError("%w", err)
			}
			if a.TTL {
				p.ttl = &f
			} else {
				p.timestamp = &f
			}
			continue
		}
		c := p.schema.column(a.Column)
		if c == nil {
			errs = append(errs, p.mappingError("the table %s.%s has no column %s; it has %s", p.schema.keyspace, p.schema.name, a.Column,
				strings.Join(p.schema.names(func(*column) bool { return true }), ", ")))
			continue
		}
		f.primary = c.kind.primary()
		if f.enc, err = cqlvalue.NewEncoder(c.typ, codec); err != nil {
			errs = append(errs, p.mappingError("the column %s: %w", a.Column, err))
			continue
		}
		if a.Source.Part == cqlmap.Function && c.typ.Type() != gocql.TypeUUID && c.typ.Type() != gocql.TypeTimeUUID {
			errs = append(errs, p.mappingError("%s makes a timeuuid, and the column %s is a %s", a.Source.Call, a.Column, c.text))
			continue
		}
		p.fields = append(p.fields, f)
	}
	errs = append(errs, p.checkPrimary())
	return errors.Join(errs...)
}

// checkPrimary looks for columns of the primary key that the mapping is without. Rows of static columns alone need the partition key only.
func (p *plan) checkPrimary() error {
	onlyStatic := len(p.fields) > 0 && !slices.ContainsFunc(p.fields, func(f field) bool {
		kind := p.schema.column(f.name).kind
		return kind != partitionKey && kind != staticColumn
	}) && slices.ContainsFunc(p.fields, func(f field) bool { return !f.primary })
	missing := p.schema.names(func(c *column) bool {
		return p.index(c.name) < 0 && (c.kind == partitionKey || c.kind == clusteringColumn && !onlyStatic)
	})
	if len(missing) > 0 {
		return p.mappingError("the primary key of %s.%s is not mapped whole: %s missing", p.schema.keyspace, p.schema.name, strings.Join(missing, ", "))
	}
	return nil
}

func (p *plan) hasTTL() bool { return p.ttl != nil || p.cfg.ttl >= 0 }

// buildInsert makes the INSERT.
func (p *plan) buildInsert() {
	s := &statement{repeatable: true}
	names, marks := make([]string, len(p.fields)), make([]string, len(p.fields))
	for i, f := range p.fields {
		names[i], marks[i] = quote(f.name), "?"
		s.params, p.writeAt = append(s.params, f.name), append(p.writeAt, i)
	}
	s.cql = "INSERT INTO " + qualified(p.schema.keyspace, p.schema.name) + " (" + strings.Join(names, ",") + ") VALUES (" + strings.Join(marks, ",") + ") USING TIMESTAMP ?"
	s.params, p.writeAt = append(s.params, cqlmap.TimestampVariable), append(p.writeAt, timeParam)
	if p.hasTTL() {
		s.cql += " AND TTL ?"
		s.params, p.writeAt = append(s.params, cqlmap.TTLVariable), append(p.writeAt, ttlParam)
	}
	p.write = s
}

// buildRemove makes the DELETE by the primary key, if all of that is mapped.
func (p *plan) buildRemove() {
	s := &statement{repeatable: true, removes: true}
	s.cql = "DELETE FROM " + qualified(p.schema.keyspace, p.schema.name)
	if !p.schema.counter() {
		s.cql += " USING TIMESTAMP ?"
		s.params, p.removeAt = append(s.params, cqlmap.TimestampVariable), append(p.removeAt, timeParam)
	}
	for i, name := range p.schema.names(func(c *column) bool { return c.kind.primary() }) {
		at := p.index(name)
		if at < 0 {
			p.removeAt = nil
			return
		}
		s.cql += []string{" AND ", " WHERE "}[1-min(i, 1)] + quote(name) + "=?"
		s.params, p.removeAt = append(s.params, name), append(p.removeAt, at)
	}
	p.remove = s
}

// buildCounter makes the UPDATE that adds to counters. Such a write is not repeatable.
func (p *plan) buildCounter() error {
	s := &statement{alone: true}
	var sets, where []string
	var tail []int
	for i, f := range p.fields {
		if f.primary {
			where = append(where, quote(f.name)+"=?")
			tail = append(tail, i)
			continue
		}
		sets = append(sets, quote(f.name)+"="+quote(f.name)+"+?")
		s.params, p.writeAt = append(s.params, f.name), append(p.writeAt, i)
	}
	if len(sets) == 0 {
		return p.mappingError("the table %s.%s is one of counters, and none of them is mapped", p.schema.keyspace, p.schema.name)
	}
	if p.hasTTL() || p.timestamp != nil {
		return p.mappingError("the table %s.%s is one of counters, which have neither TTL nor timestamp", p.schema.keyspace, p.schema.name)
	}
	for _, i := range tail {
		s.params, p.writeAt = append(s.params, p.fields[i].name), append(p.writeAt, i)
	}
	s.cql = "UPDATE " + qualified(p.schema.keyspace, p.schema.name) + " SET " + strings.Join(sets, ",") + " WHERE " + strings.Join(where, " AND ")
	p.write = s
	if p.cfg.deletes {
		p.buildRemove()
		p.remove.alone, p.remove.repeatable = true, false
	}
	return nil
}

// newQueryPlan makes the plan of a query of the user's, whose parameters are known.
func newQueryPlan(cfg *tableConfig, params []gocql.ColumnInfo, partition []int, codec cqlvalue.Options) (*plan, error) {
	p := &plan{cfg: cfg, schema: &tableSchema{keyspace: cfg.keyspace, name: cfg.table}, partition: slices.Clone(partition)}
	m, err := cqlmap.Parse(cfg.mapping)
	if err != nil {
		return nil, p.mappingError("%w", err)
	}
	s := &statement{cql: cfg.query, alone: true, stamped: true}
	if err := p.units(m, codec); err != nil {
		return nil, err
	}
	for i, c := range params {
		s.params = append(s.params, c.Name)
		switch a, ok := m.Column(c.Name); {
		case c.Name == cqlmap.TTLVariable && p.hasTTL():
			p.writeAt = append(p.writeAt, ttlParam)
		case c.Name == cqlmap.TimestampVariable:
			p.writeAt, s.stamped = append(p.writeAt, timeParam), false
		case !ok:
			return nil, keyError(cfg.key(querySetting), cfg.query, "the parameter %s is not in the mapping", c.Name)
		default:
			enc, err := cqlvalue.NewEncoder(c.TypeInfo, codec)
			if err != nil {
				return nil, keyError(cfg.key(querySetting), cfg.query, "the parameter %s: %w", c.Name, err)
			}
			p.writeAt = append(p.writeAt, len(p.fields))
			p.fields = append(p.fields, field{name: c.Name, sources: []cqlmap.Source{a.Source}, enc: enc, primary: slices.Contains(partition, i)})
		}
	}
	for i, at := range p.partition { // places of parameters, which here become places of fields
		p.partition[i] = p.writeAt[at]
	}
	p.write = s
	return p, nil
}

// units reads what a mapping says of TTL and timestamp.
func (p *plan) units(m cqlmap.Mapping, codec cqlvalue.Options) (err error) {
	if p.ttlUnit, err = cqlvalue.ParseUnit(p.cfg.ttlUnit); err != nil {
		return err
	}
	if p.timestampUnit, err = cqlvalue.ParseUnit(p.cfg.timestampUnit); err != nil {
		return err
	}
	for _, a := range m.Assignments {
		if !a.TTL && !a.Timestamp {
			continue
		}
		f := &field{name: a.Column, sources: []cqlmap.Source{a.Source}}
		if f.enc, err = cqlvalue.NewEncoder(numbers, codec); err != nil {
			return fmt.Errorf("%s: %w", a.Column, err)
		}
		if a.TTL {
			p.ttl = f
		} else {
			p.timestamp = f
		}
	}
	return nil
}
