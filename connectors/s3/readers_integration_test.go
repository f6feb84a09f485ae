//go:build integration

package s3

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/testenv"
)

// download writes all objects into a folder, by the ends of their names.
func (p *place) download(t *testing.T, end string) string {
	t.Helper()
	dir := t.TempDir()
	for i, key := range p.keys(t) {
		require.True(t, strings.HasSuffix(key, end), key)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)+end), p.read(t, key), 0o644))
	}
	return dir
}

// ask has Python print JSON.
func ask(t *testing.T, python, program string, into any) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, "-c", program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, json.Unmarshal(out, into), "%s", out)
}

// sale is a flat record, for formats without structs within structs.
func sale(s *data.Schema, id int) connect.Record {
	x := data.NewStructs(s, 1)
	x[0].Set(0, data.Int64(int64(id)))
	x[0].Set(1, data.String(fmt.Sprintf("item %d, \"%d\"", id%7, id%3)))
	x[0].Set(2, data.Float64(float64(id)/4))
	return connect.Record{Key: connect.Datum{Schema: data.StringSchema, Value: data.String(fmt.Sprint("k", id))}, Value: connect.Datum{Schema: s, Value: data.StructOf(&x[0])}}
}

// Other programs find each record once in the objects of a pipeline that was thrown out and restarted, in every format that they read, with the keys of all
// three connectors.
func TestOtherProgramsReadEachRecordOnce(t *testing.T) {
	duck := testenv.Python(t, "duckdb==2.0.1")
	avro := testenv.Python(t, "fastavro==1.12.0", "zstandard==0.25.0")
	const query = `
import duckdb, json
print(json.dumps([list(r) for r in duckdb.sql("select count(*), count(distinct %s), min(%s), max(%s), sum(%s), count(distinct %s) from %s").fetchall()][0]))`
	sql := func(from, id, price, name string) string {
		return fmt.Sprintf(query, id, id, id, price, name, from)
	}
	fast := func(prefix string) string {
		return `
import fastavro, glob, json, gzip
rows = []
for f in glob.glob("DIR/*"):
    with (gzip.open(f) if f.endswith(".gz") else open(f, "rb")) as o: rows += [r` + prefix + ` for r in fastavro.reader(o)]
ids = [r["id"] for r in rows]
print(json.dumps([len(ids), len(set(ids)), min(ids), max(ids), sum(r["price"] for r in rows), len(set(r["name"] for r in rows))]))`
	}
	aiven := func(more config.Props) config.Props {
		return config.Props{"aws.s3.bucket.name": "BUCKET", "aws.s3.endpoint": "URL", "aws.access.key.id": "ACCESS", "aws.secret.access.key": "SECRET", "file.max.records": "13", "rotate.open.interval.ms": "50"}.Merge(more)
	}
	lenses := func(kcql string, more config.Props) config.Props {
		return config.Props{"connect.s3.custom.endpoint": "URL", "connect.s3.aws.auth.mode": "Credentials", "connect.s3.aws.access.key": "ACCESS", "connect.s3.aws.secret.key": "SECRET",
			"connect.s3.kcql": "INSERT INTO BUCKET:p SELECT * FROM topic " + kcql}.Merge(more)
	}
	for name, c := range map[string]struct {
		plugin   int
		props    config.Props
		end      string
		python   string
		question string
	}{
		"json":            {0, config.Props{"format.class": "JsonFormat"}, ".json", duck, sql("read_json('DIR/*')", "id", "price", "name")},
		"json.gz":         {0, config.Props{"format.class": "JsonFormat", "s3.compression.type": "gzip"}, ".json.gz", duck, sql("read_json('DIR/*')", "id", "price", "name")},
		"json.zst":        {0, config.Props{"format.class": "JsonFormat", "s3.compression.type": "zstd"}, ".json.zst", duck, sql("read_json('DIR/*')", "id", "price", "name")},
		"csv":             {0, config.Props{"format.class": "CsvFormat"}, ".csv", duck, sql("read_csv('DIR/*')", "id", "price", "name")},
		"parquet":         {0, config.Props{"format.class": "ParquetFormat", "parquet.codec": "zstd"}, ".parquet", duck, sql("read_parquet('DIR/*')", "id", "price", "name")},
		"avro":            {0, config.Props{"format.class": "AvroFormat", "avro.codec": "deflate"}, ".avro", avro, fast("")},
		"aiven, jsonl":    {1, aiven(config.Props{"format.output.type": "jsonl", "format.output.fields": "key,value,offset"}), ".gz", duck, sql("read_json('DIR/*', compression='gzip')", "value.id", "value.price", "value.name")},
		"aiven, json":     {1, aiven(config.Props{"format.output.type": "json", "format.output.envelope": "false", "file.compression.type": "none", "file.name.template": "{{topic}}-{{partition}}-{{start_offset}}.json"}), ".json", duck, sql("read_json('DIR/*', format='array')", "id", "price", "name")},
		"aiven, parquet":  {1, aiven(config.Props{"format.output.type": "parquet", "format.output.fields": "key,value,offset,timestamp,headers", "file.compression.type": "zstd", "file.name.template": "{{topic}}-{{partition}}-{{start_offset}}.parquet"}), ".parquet", duck, sql("read_parquet('DIR/*')", "value.id", "value.price", "value.name")},
		"aiven, avro":     {1, aiven(config.Props{"format.output.type": "avro", "format.output.fields": "value,key"}), ".avro.gz", avro, fast(`["value"]`)},
		"lenses, json":    {2, lenses("PROPERTIES('flush.count'=13,'flush.interval'=1)", config.Props{"connect.s3.compression.codec": "GZIP"}), ".gz", duck, sql("read_json('DIR/*', compression='gzip')", "id", "price", "name")},
		"lenses, csv":     {2, lenses("PARTITIONBY name STOREAS CSV_WITHHEADERS PROPERTIES('flush.count'=13,'flush.interval'=1)", nil), ".csv", duck, sql("read_csv('DIR/*')", "id", "price", "name")},
		"lenses, parquet": {2, lenses("STOREAS PARQUET PROPERTIES('flush.count'=13,'flush.interval'=1,'store.envelope'=true)", config.Props{"connect.s3.compression.codec": "SNAPPY"}), ".parquet", duck, sql("read_parquet('DIR/*')", "value.id", "value.price", "value.name")},
		"lenses, avro":    {2, lenses("STOREAS AVRO PROPERTIES('flush.count'=13,'flush.interval'=1,'store.envelope'=true)", config.Props{"connect.s3.compression.codec": "ZSTD"}), ".avro", avro, fast(`["value"]`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits for other programs
			p := newPlace(t, testenv.S3(t))
			props := c.props
			if c.plugin == 0 {
				props = p.props().Merge(config.Props{"flush.size": "13", "rotate.idle.interval.ms": "50"}).Merge(c.props)
			}
			fill := strings.NewReplacer("BUCKET", p.bucket, "URL", p.server.URL, "ACCESS", p.server.AccessKey, "SECRET", p.server.SecretKey)
			for k, v := range props {
				props[k] = fill.Replace(v)
			}
			h := connecttest.Sink(t, Plugins()[c.plugin], props)
			schema := data.StructBuilder().Name("Sale").Field("id", data.Int64Schema).Field("name", data.StringSchema).Field("price", data.Float64Schema).MustBuild()
			n := 0
			for round := range 4 {
				for range 40 {
					h.Produce(sale(schema, n))
					n++
				}
				switch round {
				case 1:
					h.Expel()
				case 2:
					h.Restart()
				}
			}
			h.Flush()
			var got []float64
			ask(t, c.python, strings.ReplaceAll(c.question, "DIR", p.download(t, c.end)), &got)
			assert.Equal(t, []float64{float64(n), float64(n), 0, float64(n - 1), float64(n*(n-1)) / 8, 21}, got)
		})
	}
}
