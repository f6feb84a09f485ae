package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

const (
	// creationStep is how long each task waits for those of lower numbers to make a table that all of them need: two nodes that make it at
	// the same moment may disagree for good.
	creationStep = 2 * time.Second
	// rereadAfter is the least time between two looks at a table for columns that records have fields for.
	rereadAfter = 10 * time.Second
)

var (
	errNoSchema = errors.New("the record has no schema to make columns of")
	errNoColumn = errors.New("there is no column for a field")
)

// An autoTables finds, makes and changes tables without a mapping. It belongs to the goroutine that calls Put.
type autoTables struct {
	c    *AutoConfig
	db   session
	task int
	// looked is when a table was last read for the sake of a field without a column.
	looked map[*target]time.Time
}

// ensure returns a plan of a target that fits a record. Errors about the record wrap errNoSchema or errNoColumn.
func (a *autoTables) ensure(ctx context.Context, t *target, r *connect.SinkRecord) (*plan, error) {
	p := t.plan.Load()
	if p == nil {
		var err error
		if p, err = a.find(ctx, t, r); err != nil {
			return nil, err
		}
	}
	if t.cfg.mapping != "" {
		return p, nil
	}
	missing := a.unknown(t, p, &r.Value)
	if len(missing) == 0 {
		return p, nil
	}
	return a.extend(ctx, t, p, r, missing)
}

// find reads a table, or makes it.
func (a *autoTables) find(ctx context.Context, t *target, r *connect.SinkRecord) (*plan, error) {
	p, err := t.refresh(ctx, a.db, nil)
	var missing *missingTable
	if !errors.As(err, &missing) || !a.c.Create || t.cfg.mapping != "" || errors.Is(err, errNoKeyspace) {
		return p, err
	}
	cql, err := createTable(a.c, t.cfg, &r.Record)
	if err != nil {
		return nil, err
	}
	for range a.task {
		if err := wait(ctx, creationStep); err != nil {
			return nil, err
		}
		if p, err := t.refresh(ctx, a.db, nil); err == nil {
			return p, nil
		}
	}
	if err := a.db.define(ctx, cql); err != nil {
		return nil, fmt.Errorf("auto.create: %w", err)
	}
	return t.refresh(ctx, a.db, nil)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unknown lists the fields of a value that the plan has no columns for.
func (a *autoTables) unknown(t *target, p *plan, d *connect.Datum) []string {
	if t.fits != p {
		t.fits, t.fit = p, map[*data.Schema]bool{}
	}
	var names []string
	if x, ok := d.Value.Struct(); ok {
		s := x.Schema()
		if t.fit[s] {
			return nil
		}
		for _, f := range s.Fields() {
			if p.index(f.Name) < 0 {
				names = append(names, f.Name)
			}
		}
		if len(names) == 0 && len(t.fit) < 1000 {
			t.fit[s] = true
		}
		return names
	}
	pairs, _ := d.Value.Map()
	for _, pair := range pairs {
		if name, ok := pair.Key.Str(); ok && p.index(name) < 0 {
			names = append(names, name)
		}
	}
	return names
}

// extend adds columns, or sees whether somebody else did.
func (a *autoTables) extend(ctx context.Context, t *target, p *plan, r *connect.SinkRecord, missing []string) (*plan, error) {
	last, seen := a.looked[t]
	if !seen || time.Since(last) >= rereadAfter || a.c.Evolve {
		a.looked[t] = time.Now()
		var err error
		if p, err = t.refresh(ctx, a.db, p); err != nil {
			return nil, err
		}
		if missing = a.unknown(t, p, &r.Value); len(missing) == 0 {
			return p, nil
		}
	}
	if !a.c.Evolve {
		return nil, fmt.Errorf("%w of the value, %s, in %s: add it, set auto.evolve=true, or say by %s what goes where",
			errNoColumn, strings.Join(missing, ", "), t.name(), t.cfg.key(mappingSetting))
	}
	x, ok := r.Value.Value.Struct()
	if !ok {
		return nil, fmt.Errorf("auto.evolve, fields %s of %s: %w", strings.Join(missing, ", "), t.name(), errNoSchema)
	}
	for _, name := range missing {
		f, _ := x.Schema().Field(name)
		typ, err := cqlvalue.TypeOf(f.Schema)
		if err != nil {
			return nil, fmt.Errorf("%w: auto.evolve, field %s of %s: %w", errNoColumn, name, t.name(), err)
		}
		cql := "ALTER TABLE " + qualified(t.cfg.keyspace, t.cfg.table) + " ADD " + quote(name) + " " + typ
		// Another task may have been faster: what counts is that the column is there.
		if err := a.db.define(ctx, cql); err != nil && classify(err) != refused {
			return nil, fmt.Errorf("auto.evolve: %w", err)
		}
	}
	p, err := t.refresh(ctx, a.db, p)
	if err != nil {
		return nil, err
	}
	if missing = a.unknown(t, p, &r.Value); len(missing) > 0 {
		return nil, fmt.Errorf("%w of the value, %s, in %s, which auto.evolve could not add", errNoColumn, strings.Join(missing, ", "), t.name())
	}
	return p, nil
}

// createTable makes the statement for a table that holds records like r.
func createTable(a *AutoConfig, cfg *tableConfig, r *connect.Record) (string, error) {
	names, types := []string{}, map[string]string{}
	add := func(name string, s *data.Schema) error {
		if types[name] != "" {
			return nil
		}
		typ, err := cqlvalue.TypeOf(s)
		if err != nil {
			return fmt.Errorf("%w: field %s: %w", errNoSchema, name, err)
		}
		names, types[name] = append(names, name), typ
		return nil
	}
	key, partition, err := keyFields(a, r, add)
	if err == nil {
		err = valueFields(r, add)
	}
	if err != nil {
		return "", fmt.Errorf("auto.create of %s.%s: %w", cfg.keyspace, cfg.table, err)
	}
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = quote(name) + " " + types[name]
	}
	for i, name := range key {
		if types[name] == "" {
			return "", keyError("auto.create.primary.key", strings.Join(a.PrimaryKey, ","), "neither key nor value of the record have the field %s", name)
		}
		key[i] = quote(name)
	}
	primary := "(" + strings.Join(key[:partition], ", ") + ")"
	for _, name := range key[partition:] {
		primary += ", " + name
	}
	return "CREATE TABLE IF NOT EXISTS " + qualified(cfg.keyspace, cfg.table) + " (" + strings.Join(columns, ", ") + ", PRIMARY KEY (" + primary + "))", nil
}

// keyFields returns the columns of the primary key, the first of which are the partition key, and adds those that the record's key has.
func keyFields(a *AutoConfig, r *connect.Record, add func(string, *data.Schema) error) (key []string, partition int, err error) {
	first, rest, err := parsePrimaryKey(a.PrimaryKey)
	if err != nil {
		return nil, 0, err
	}
	key, partition = slices.Concat(first, rest), len(first)
	x, isStruct := r.Key.Value.Struct()
	switch {
	case isStruct:
		for _, f := range x.Schema().Fields() {
			if len(a.PrimaryKey) == 0 {
				key, partition = append(key, f.Name), 1
			}
			if err := add(f.Name, f.Schema); err != nil {
				return nil, 0, err
			}
		}
	case len(a.PrimaryKey) == 0:
		if r.Key.Schema == nil {
			return nil, 0, fmt.Errorf("%w: its key has none, and auto.create.primary.key is not set", errNoSchema)
		}
		key, partition = []string{"key"}, 1
		err = add("key", r.Key.Schema)
	}
	return key, partition, err
}

func valueFields(r *connect.Record, add func(string, *data.Schema) error) error {
	x, ok := r.Value.Value.Struct()
	if !ok {
		return fmt.Errorf("%w: its value is no struct", errNoSchema)
	}
	for _, f := range x.Schema().Fields() {
		if err := add(f.Name, f.Schema); err != nil {
			return err
		}
	}
	return nil
}
