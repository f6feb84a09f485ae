package format_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/internal/schematest"
)

func BenchmarkWrite(b *testing.B) {
	for name, f := range map[string]format.Format{
		"json": json(b, format.JSONOptions{}), "json.gz": json(b, format.JSONOptions{Compression: gz}), "csv": comma(b, format.CSVOptions{}),
		"json.zst": json(b, format.JSONOptions{Compression: format.Compression{Type: format.Zstd, Level: format.DefaultLevel}}),
	} {
		b.Run(name, func(b *testing.B) {
			d := schematest.EightFields(b)
			w, err := f.NewWriter(io.Discard, d)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(d); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// A row costs no allocation once its schema is known.
func TestBudget(t *testing.T) {
	d := schematest.EightFields(t)
	for name, f := range map[string]format.Format{"json": json(t, format.JSONOptions{}), "csv": comma(t, format.CSVOptions{})} {
		w, err := f.NewWriter(io.Discard, d)
		require.NoError(t, err)
		for range 2000 { // until the buffer has grown
			require.NoError(t, w.Write(d))
		}
		assert.Zero(t, testing.AllocsPerRun(1000, func() { _ = w.Write(d) }), name)
	}
}
