package generator

import (
	"strconv"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// epoch is the time of record 0, in milliseconds since 1970: made-up times depend on a record's number, not on the clock.
const epoch = 1_700_000_000_000

// The fields of a row, in the order of its schema.
const (
	rowID = iota
	rowName
	rowAmount
	rowActive
	rowCount
	rowRegion
	rowTS
	rowNote
)

// rows makes rows of eight fields, the records of the benchmarks.
type rows struct {
	schema *data.Schema
	names  [1000]data.Value
	region data.Value
	note   data.Value
}

func newRows() *rows {
	r := &rows{
		schema: data.StructBuilder().Name("perf.Record").Version(1).
			Field("id", data.Int64Schema).
			Field("name", data.StringSchema).
			Field("amount", data.Float64Schema).
			Field("active", data.BooleanSchema).
			Field("count", data.Int32Schema).
			Field("region", data.OptionalStringSchema).
			Field("ts", data.Int64Schema).
			Field("note", data.StringSchema).
			MustBuild(),
		region: data.String("eu-west-1"),
		note:   data.String("the quick brown fox jumps over lazy dogs"),
	}
	for i := range r.names {
		r.names[i] = data.String("name-" + strconv.Itoa(i))
	}
	return r
}

func (r *rows) fill(batch []connect.SourceRecord, first int64) {
	structs := data.NewStructs(r.schema, len(batch))
	for i := range batch {
		n, row := first+int64(i), &structs[i]
		row.Set(rowID, data.Int64(n))
		row.Set(rowName, r.names[n%int64(len(r.names))])
		row.Set(rowAmount, data.Float64(float64(n)*0.01))
		row.Set(rowActive, data.Boolean(n%2 == 0))
		row.Set(rowCount, data.Int32(int32(n%100_000)))
		if n%10 != 0 {
			row.Set(rowRegion, r.region)
		}
		row.Set(rowTS, data.Int64(epoch+n))
		row.Set(rowNote, r.note)
		batch[i].Value = connect.Datum{Schema: r.schema, Value: data.StructOf(row)}
	}
}
