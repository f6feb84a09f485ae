package full

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// The formats that package directory does without are there, and files hold what was put.
func TestFormats(t *testing.T) {
	schema := data.StructBuilder().Field("id", data.Int64Schema).MustBuild()
	record := func(id int64) connect.Record {
		s, err := data.NewStruct(schema)
		require.NoError(t, err)
		s.Set(0, data.Int64(id))
		return connect.Record{Value: connect.Datum{Schema: schema, Value: data.StructOf(s)}}
	}
	for class, rows := range map[string]func(t *testing.T, file []byte) int64{
		"ParquetFormat": func(t *testing.T, file []byte) int64 {
			f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
			require.NoError(t, err)
			return f.NumRows()
		},
		"AvroFormat": func(t *testing.T, file []byte) (n int64) {
			r, err := goavro.NewOCFReader(bytes.NewReader(file))
			require.NoError(t, err)
			for r.Scan() {
				_, err := r.Read()
				require.NoError(t, err)
				n++
			}
			return n
		},
	} {
		t.Run(class, func(t *testing.T) {
			dir := t.TempDir()
			h := connecttest.Sink(t, Plugin(), config.Props{"directory": dir, "format.class": class, "flush.size": "3"})
			h.Put(record(1), record(2), record(3))
			h.Flush()
			files, err := filepath.Glob(filepath.Join(dir, "topics", "*", "partition=0", "topic*"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			file, err := os.ReadFile(files[0])
			require.NoError(t, err)
			assert.Equal(t, int64(3), rows(t, file))
		})
	}
}

func TestConformance(t *testing.T) {
	connecttest.TestPlugin(t, Plugin(), config.Props{"directory": t.TempDir()}, config.Props{"directory": t.TempDir(), "format.class": "ParquetFormat", "parquet.codec": "zstd"})
}
