package generator

import (
	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A template makes up records of one kind. Number and task decide everything.
type template struct {
	schema *data.Schema
	task   uint64
	// fillRow fills in a struct of the schema and returns the record's key.
	fillRow func(row *data.Struct, n int64, d *dice) (key string)
}

// templateNames returns the values of the key template, the default first.
func templateNames() []string { return []string{"person", "order", "reading"} }

func newTemplate(name string, task int) *template {
	t := &template{task: uint64(task)}
	switch name {
	case "order":
		t.schema, t.fillRow = orderSchema(), newOrders().fill
	case "reading":
		t.schema, t.fillRow = readingSchema(), newReadings().fill
	default:
		t.schema, t.fillRow = personSchema(), newPeople().fill
	}
	return t
}

func (t *template) fill(batch []connect.SourceRecord, first int64) {
	structs := data.NewStructs(t.schema, len(batch))
	seed := mix(t.task)
	var d dice
	for i := range batch {
		n := first + int64(i)
		d.state = seed ^ uint64(n)
		key := t.fillRow(&structs[i], n, &d)
		batch[i].Key = connect.Datum{Schema: data.StringSchema, Value: data.String(key)}
		batch[i].Value = connect.Datum{Schema: t.schema, Value: data.StructOf(&structs[i])}
	}
}

// dice give numbers that look random, the same ones for the same record.
type dice struct{ state uint64 }

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.state = mix(d.state)
	return int(d.state % uint64(n))
}

// of picks one of the words.
func (d *dice) of(words []string) string { return words[d.below(len(words))] }
