//go:build integration

package s3

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// orderSchema is nested, with logical types.
func orderSchema() *data.Schema {
	item := data.StructBuilder().Name("Item").Field("sku", data.StringSchema).Field("n", data.Int32Schema).MustBuild()
	return data.StructBuilder().Name("Order").Field("id", data.Int64Schema).Field("price", data.DecimalSchema(2)).Field("at", data.TimestampSchema).
		Field("items", data.ArrayBuilder(item).MustBuild()).Field("note", data.OptionalStringSchema).MustBuild()
}

func order(s *data.Schema, id int) connect.Record {
	items, _ := s.Field("items")
	item := data.NewStructs(items.Schema.ElemSchema(), 1)
	item[0].Set(0, data.String(fmt.Sprint("sku-", id)))
	item[0].Set(1, data.Int32(int32(id%7)))
	o := data.NewStructs(s, 1)
	o[0].Set(0, data.Int64(int64(id)))
	o[0].Set(1, data.DecimalOf(data.DecimalFromInt64(int64(id)*100+25, 2)))
	o[0].Set(2, data.DateMillis(1_700_000_000_000+int64(id)*60_000))
	o[0].Set(3, data.ArrayOf(data.StructOf(&item[0])))
	return connect.Record{Value: connect.Datum{Schema: s, Value: data.StructOf(&o[0])}}
}

// The configuration of Confluent's documentation, with a store of its own, writes Parquet that DuckDB reads: each record once, nested values and all,
// through failures of the network and restarts.
func TestDuckDBReadsEachRecordOnce(t *testing.T) {
	python := testenv.Python(t, "duckdb==2.0.1")
	p := newPlace(t, testenv.S3(t))
	proxy := testenv.Proxy(t, strings.TrimPrefix(p.server.URL, "http://"))
	h := connecttest.Sink(t, Plugins()[0], p.props().Merge(config.Props{
		"format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat", "flush.size": "17",
		"store.url": "http://" + proxy.Addr(), "s3.request.timeout.ms": "500", "rotate.idle.interval.ms": "50",
	}))
	schema := orderSchema()
	n := 0
	for round := range 6 {
		for range 50 {
			h.Produce(order(schema, n))
			n++
		}
		switch round {
		case 1, 4:
			proxy.CloseAll()
			h.Expel()
		case 2:
			h.Restart()
		}
	}
	h.Flush()
	for _, key := range p.keys(t) {
		assert.Regexp(t, `^topics/topic/partition=0/topic\+0\+\d{10}\.snappy\.parquet$`, key)
	}
	var got []any
	ask(t, python, `
import duckdb, json
q = """select count(*), count(distinct id), min(id), max(id), sum(price)::double, count(distinct items[1].sku), epoch_ms(max("at")), count(note)
from read_parquet('`+p.download(t, ".parquet")+`/*')"""
print(json.dumps(duckdb.sql(q).fetchall()[0]))`, &got)
	sum := n*(n-1)/2*100 + 25*n
	assert.Equal(t, []any{float64(n), float64(n), float64(0), float64(n - 1), float64(sum) / 100, float64(n),
		float64(1_700_000_000_000 + int64(n-1)*60_000), float64(0)}, got)
}
