package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

// A target is a table that records of a topic go to. Its plan may be replaced at any time.
type target struct {
	id     int
	cfg    *tableConfig
	codec  cqlvalue.Options
	level  gocql.Consistency
	serial gocql.Consistency

	plan atomic.Pointer[plan]
	// loading is held by whoever reads the table anew.
	loading sync.Mutex

	// Of the goroutine that calls Put: schemas of values all of whose fields have columns in the plan fits.
	fits *plan
	fit  map[*data.Schema]bool
}

func newTarget(id int, cfg *tableConfig, codec cqlvalue.Options, serial string) *target {
	t := &target{id: id, cfg: cfg, codec: codec, level: cfg.level()}
	if cfg.serial != "" {
		serial = cfg.serial
	}
	if serial != "" {
		t.serial = gocql.ParseConsistency(serial)
	}
	return t
}

func (t *target) name() string { return t.cfg.keyspace + "." + t.cfg.table }

// read makes a plan of the table as it is now. Its errors name keys, where keys can be wrong.
func (t *target) read(ctx context.Context, db session) (*plan, error) {
	if t.cfg.query != "" {
		params, partition, err := db.prepare(ctx, t.cfg.query)
		switch classify(err) {
		case written:
			return newQueryPlan(t.cfg, params, partition, t.codec)
		case fatal, refused:
			return nil, keyError(t.cfg.key(querySetting), t.cfg.query, "%w", err)
		}
		return nil, fmt.Errorf("prepare %s: %w", t.cfg.key(querySetting), err)
	}
	schema, err := db.table(ctx, t.cfg.keyspace, t.cfg.table)
	switch {
	case errors.Is(err, errNoKeyspace), errors.Is(err, errNoTable):
		return nil, &missingTable{t.cfg, err}
	case err != nil:
		return nil, err
	}
	return newPlan(t.cfg, schema, t.codec)
}

// A missingTable is the error that there is no table, or no keyspace.
type missingTable struct {
	cfg *tableConfig
	err error
}

func (m *missingTable) Error() string { return m.err.Error() }
func (m *missingTable) Unwrap() error { return m.err }

// refresh replaces a plan that no longer fits. Of several callers one reads the table.
func (t *target) refresh(ctx context.Context, db session, stale *plan) (*plan, error) {
	t.loading.Lock()
	defer t.loading.Unlock()
	if p := t.plan.Load(); p != stale && p != nil {
		return p, nil
	}
	p, err := t.read(ctx, db)
	if err != nil {
		return nil, err
	}
	if stale != nil && stale.same(p) {
		return stale, nil
	}
	t.plan.Store(p)
	return p, nil
}

// same tells whether two plans make the same statements of the same fields.
func (p *plan) same(o *plan) bool {
	if p.write.cql != o.write.cql || (p.remove == nil) != (o.remove == nil) || len(p.fields) != len(o.fields) || p.remove != nil && p.remove.cql != o.remove.cql {
		return false
	}
	for i := range p.fields {
		if p.fields[i].name != o.fields[i].name || p.fields[i].enc.Type() != o.fields[i].enc.Type() {
			return false
		}
	}
	return true
}

var (
	errColumnGone = errors.New("the column is no longer there")
	// errTypeChanged cannot be mended here, for the record is no longer there to be encoded anew.
	errTypeChanged = errors.New("the column has another type now; the task must start again")
)

// carry brings a write over to a newer plan of its table. What it has for a column that is gone makes it an error.
func (w *write) carry(p *plan) error {
	if w.plan == p {
		return nil
	}
	stmt := p.write
	if w.stmt.removes {
		stmt = p.remove
	}
	if stmt == nil {
		return errors.New("rows can no longer be deleted")
	}
	values := make([]any, len(stmt.params))
	for i := range values {
		values[i] = gocql.UnsetValue
	}
	for i, name := range w.stmt.params {
		at := slices.Index(stmt.params, name)
		if a, b := w.plan.index(name), p.index(name); a >= 0 && b >= 0 && w.plan.fields[a].enc.Type() != p.fields[b].enc.Type() {
			return fmt.Errorf("%w: %s of %s.%s is %s", errTypeChanged, name, p.schema.keyspace, p.schema.name, p.fields[b].enc.Type())
		}
		if at >= 0 {
			values[at] = w.values[i]
			continue
		}
		if v, ok := w.values[i].(*cqlvalue.Value); ok && *v != nil {
			return fmt.Errorf("%w: %s of %s.%s", errColumnGone, name, p.schema.keyspace, p.schema.name)
		}
	}
	w.plan, w.stmt, w.values = p, stmt, values
	return nil
}
