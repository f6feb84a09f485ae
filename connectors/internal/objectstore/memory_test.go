package objectstore

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/linkedin/goavro/v2"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/memtest"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/parquet"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// A kind is a format with a compression, and a reader of its files that returns the ids of orders in them.
type kind struct {
	name   string
	format format.Format
	ids    func(t testing.TB, file []byte) []int64
	text   bool // values are texts
}

// kinds are all formats with all of their compressions.
func kinds(t testing.TB) []kind {
	must := func(f format.Format, err error) format.Format {
		require.NoError(t, err)
		return f
	}
	var all []kind
	for _, c := range format.CompressionTypes() {
		pressed := format.Compression{Type: c, Level: format.DefaultLevel}
		all = append(all,
			kind{name: "json/" + string(c), format: must(format.JSON(format.JSONOptions{Compression: pressed})), ids: plainly(c, jsonIDs)},
			kind{name: "csv/" + string(c), format: must(format.CSV(format.CSVOptions{Compression: pressed})), ids: plainly(c, csvIDs)},
			kind{name: "bytes/" + string(c), format: must(format.Bytes(format.BytesOptions{Compression: pressed})), ids: plainly(c, lineIDs), text: true})
	}
	for _, c := range avro.Codecs() {
		k := kind{name: "avro/" + string(c), format: must(avro.New(avro.Options{Codec: c})), ids: avroIDs}
		all = append(all, k)
	}
	for _, c := range parquet.Codecs() {
		all = append(all, kind{name: "parquet/" + string(c), format: must(parquet.New(parquet.Options{Codec: c})), ids: parquetIDs})
	}
	return all
}

// plainly reads what a file is without its compression.
func plainly(c format.CompressionType, ids func(t testing.TB, file []byte) []int64) func(t testing.TB, file []byte) []int64 {
	return func(t testing.TB, file []byte) []int64 {
		var r io.Reader = bytes.NewReader(file)
		var err error
		switch c {
		case format.Gzip:
			var z *gzip.Reader
			z, err = gzip.NewReader(r)
			require.NoError(t, err)
			z.Multistream(false) // there is one member, whatever was flushed
			r = z
		case format.Zstd:
			var d *zstd.Decoder
			d, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			require.NoError(t, err)
			defer d.Close()
			r = d
		case format.Snappy:
			r = s2.NewReader(r)
		}
		plain, err := io.ReadAll(r)
		require.NoError(t, err)
		return ids(t, plain)
	}
}

func jsonIDs(t testing.TB, file []byte) (ids []int64) {
	for line := range bytes.Lines(file) {
		var order struct{ ID int64 }
		require.NoError(t, json.Unmarshal(line, &order))
		ids = append(ids, order.ID)
	}
	return ids
}

func csvIDs(t testing.TB, file []byte) (ids []int64) {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		n, err := strconv.ParseInt(row[0], 10, 64)
		require.NoError(t, err)
		ids = append(ids, n)
	}
	return ids
}

func lineIDs(t testing.TB, file []byte) (ids []int64) {
	for line := range bytes.Lines(file) {
		text, _, _ := strings.Cut(string(line), " ")
		n, err := strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
		ids = append(ids, n)
	}
	return ids
}

func avroIDs(t testing.TB, file []byte) (ids []int64) {
	if bytes.Contains(file[:min(len(file), 2000)], []byte("zstandard")) {
		return zstandardIDs(t, file)
	}
	r, err := goavro.NewOCFReader(bytes.NewReader(file))
	require.NoError(t, err)
	for r.Scan() {
		row, err := r.Read()
		require.NoError(t, err)
		ids = append(ids, row.(map[string]any)["id"].(int64))
	}
	require.NoError(t, r.Err())
	return ids
}

// zstandardIDs reads what goavro can not: blocks of zstandard, which it is given uncompressed.
func zstandardIDs(t testing.TB, file []byte) (ids []int64) {
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	defer d.Close()
	sync := file[len(file)-16:]
	blocks := bytes.Split(file, sync)
	for _, block := range blocks[1 : len(blocks)-1] {
		at := bytes.Index(block, magic)
		plain, err := d.DecodeAll(block[at:], nil)
		require.NoError(t, err)
		ids = append(ids, idsOfBlock(t, plain)...)
	}
	return ids
}

// idsOfBlock finds ids in Avro's encoding: each is before the text "customer".
func idsOfBlock(t testing.TB, plain []byte) (ids []int64) {
	codec, err := goavro.NewCodec(`{"type":"record","name":"O","fields":[{"name":"id","type":"long"},{"name":"customer","type":"string"},{"name":"item","type":"string"},` +
		`{"name":"count","type":"int"},{"name":"price","type":"double"},{"name":"weight","type":["null","float"]},{"name":"paid","type":"boolean"},{"name":"note","type":["null","string"]}]}`)
	require.NoError(t, err)
	for len(plain) > 0 {
		row, rest, err := codec.NativeFromBinary(plain)
		require.NoError(t, err)
		ids, plain = append(ids, row.(map[string]any)["id"].(int64)), rest
	}
	return ids
}

func parquetIDs(t testing.TB, file []byte) (ids []int64) {
	f, err := pq.OpenFile(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	for _, group := range f.RowGroups() {
		pages := group.ColumnChunks()[0].Pages()
		for {
			page, err := pages.ReadPage()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			values := make([]pq.Value, page.NumValues())
			n, err := page.Values().ReadValues(values)
			require.True(t, err == nil || err == io.EOF, err)
			for _, v := range values[:n] {
				ids = append(ids, v.Int64())
			}
		}
		require.NoError(t, pages.Close())
	}
	assert.Equal(t, f.NumRows(), int64(len(ids)))
	return ids
}

var orderSchema = data.StructBuilder().Name("shop.Order").Version(1).
	Field("id", data.Int64Schema).Field("customer", data.StringSchema).Field("item", data.StringSchema).Field("count", data.Int32Schema).
	Field("price", data.Float64Schema).Field("weight", data.OptionalFloat32Schema).Field("paid", data.BooleanSchema).
	Field("note", data.OptionalStringSchema).MustBuild()

// order is a record of a folder, its key. No two are alike.
func order(r *rand.Rand, offset int64, folder int, text bool) connect.SinkRecord {
	x := testRecord(tp0, offset, "", false)
	x.Key.Value = data.String(fmt.Sprint("folder-", folder))
	item := fmt.Sprintf("item %x of many, %x", r.Uint64(), r.Uint32())
	if text {
		x.Value.Value = data.String(fmt.Sprint(offset, " ", item, " and a note"))
		return x
	}
	s := data.NewStructs(orderSchema, 1)
	for i, v := range []data.Value{
		data.Int64(offset), data.String(fmt.Sprint("customer-", r.IntN(5000))), data.String(item), data.Int32(int32(r.IntN(9))),
		data.Float64(r.Float64()), data.Float32(r.Float32()), data.Boolean(offset%2 == 0), data.String("leave it at door " + strconv.Itoa(r.IntN(900))),
	} {
		s[0].Set(i, v)
	}
	x.Value = connect.Datum{Schema: orderSchema, Value: data.StructOf(&s[0])}
	return x
}

// raced tells whether the race detector is on, which makes all of this ten times slower.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// outside is what a task may take beyond memory.bytes: what it knows of folders, the compressor and the writer of row groups that are
// kept for the next file, and what the store under test has in hand.
const outside = 6 << 20

// startKind starts a task that writes files of a kind, by folders that are keys.
func startKind(t testing.TB, k kind, memory int64, back Backend) *Task {
	t.Helper()
	c := testConfig()
	c.Partitioner, c.PartitionTemplate, c.Memory, c.TempDir, c.Uploads = TemplatePartitioner, "{{key}}", memory, t.TempDir(), 8
	task, err := NewTask(Options{Config: c, Connector: "c", Value: k.format, Open: func(context.Context, *slog.Logger) (Backend, error) { return back, nil }})
	require.NoError(t, err)
	require.NoError(t, task.Start(t.Context(), &connecttest.SinkContext{Assigned: []connect.TopicPartition{tp0}}))
	require.NoError(t, task.Open(t.Context(), []connect.TopicPartition{tp0}))
	return task
}

// putOrders puts so many rounds of an order for each folder, and returns the most memory that was in use in between.
func putOrders(t testing.TB, task *Task, k kind, rounds, files int) (most int64) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	before := memtest.InUse()
	for round := range rounds {
		batch := make([]connect.SinkRecord, files)
		for i := range batch {
			batch[i] = order(r, int64(round*files+i), i, k.text)
		}
		for records := range slices.Chunk(batch, 250) {
			require.NoError(t, task.Put(t.Context(), records))
			_, err := task.PreCommit(t.Context(), connect.Offsets{tp0: records[len(records)-1].Offset + 1})
			require.NoError(t, err)
		}
		batch = nil
		if round%10 == 9 || round == 0 {
			most = max(most, memtest.InUse()-before)
		}
	}
	return most
}

// checkOrders looks whether all orders are in the store, each once.
func checkOrders(t testing.TB, k kind, store *memoryStore, orders int) {
	t.Helper()
	seen := map[int64]bool{}
	for key, o := range store.objects {
		for _, id := range k.ids(t, []byte(o.body)) {
			require.False(t, seen[id], "%s holds %d again", key, id)
			seen[id] = true
		}
	}
	assert.Len(t, seen, orders)
}

// A thousand open files of any format and compression take no more memory than is allowed, and lose nothing.
func TestMemoryOfEachFormat(t *testing.T) {
	const files, budget = 1000, 16 << 20
	rounds, all := 90, kinds(t)
	if raced() {
		rounds, all = 20, slices.DeleteFunc(all, func(k kind) bool { return !strings.HasSuffix(k.name, "/snappy") })
	}
	for _, k := range all {
		t.Run(k.name, func(t *testing.T) {
			back := newBackend()
			task := startKind(t, k, budget, back)
			most := putOrders(t, task, k, rounds, files)
			require.Len(t, task.parts[tp0].files, files, "all are open")
			t.Logf("at most %.1f MiB, of which %.1f MiB are told of", float64(most)/(1<<20), float64(task.open)/(1<<20))
			assert.LessOrEqual(t, most, int64(budget+outside))
			require.NoError(t, task.rotate(task.parts[tp0], byRecords))
			_, err := task.PreCommit(t.Context(), connect.Offsets{tp0: int64(files * rounds)})
			require.NoError(t, err)
			require.Len(t, back.store.objects, files)
			checkOrders(t, k, back.store, files*rounds)
			require.NoError(t, task.Stop(t.Context()))
		})
	}
}

// Where memory is too short for so many open files, they end early.
func TestMemoryForFewerFiles(t *testing.T) {
	const files, rounds, budget = 1000, 20, 1 << 20
	for _, k := range kinds(t) {
		if k.name != "json/zstd" && k.name != "parquet/snappy" {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			task := startKind(t, k, budget, discard{newBackend()})
			most := putOrders(t, task, k, rounds, files)
			assert.Less(t, len(task.parts[tp0].files), files/2, "not all are open")
			t.Logf("at most %.1f MiB", float64(most)/(1<<20))
			assert.LessOrEqual(t, most, int64(budget+outside))
			require.NoError(t, task.Stop(t.Context()))
		})
	}
}
