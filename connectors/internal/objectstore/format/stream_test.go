package format

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/memtest"
	"github.com/streamlane/connect/data"
)

// pressedBy are compressions of all levels that differ in memory.
func pressedBy() (all []Compression) {
	for level := DefaultLevel; level <= 9; level++ {
		all = append(all, Compression{Gzip, level})
	}
	for _, level := range []int{1, 3, 6, 11, 22} {
		all = append(all, Compression{Zstd, level})
	}
	return append(all, Compression{Snappy, DefaultLevel})
}

func TestCompressorsTakeWhatTheySay(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789 abcdefghij\n"), 40_000)
	for _, c := range pressedBy() {
		l := newLender(c)
		const n = 4
		before := memtest.Heap()
		var open [n]*compressor
		for i := range open {
			e, err := l.take(io.Discard)
			require.NoError(t, err)
			_, err = e.Write(text)
			require.NoError(t, err)
			open[i] = e
		}
		assert.LessOrEqual(t, (memtest.Heap()-before)/n, l.memory+l.memory/20, "%v", c)
		runtime.KeepAlive(open)
	}
}

// Files that share a compressor, and are flushed at any time, are each what they would be alone; the memory that they tell of is given back.
func TestCompressorsAreLent(t *testing.T) {
	for _, c := range append(pressedBy(), Compression{Type: NoCompression}) {
		f, err := Bytes(BytesOptions{Compression: c})
		require.NoError(t, err)
		var files [5]bytes.Buffer
		var writers [5]Writer
		line := connect.Datum{Value: data.String(string(bytes.Repeat([]byte("line of text "), 40)))}
		for i := range files {
			writers[i], err = f.NewWriter(&files[i], line)
			require.NoError(t, err)
		}
		for n := range 4000 {
			i := n * n % 5
			require.NoError(t, writers[i].Write(line))
			if n%37 == 0 {
				require.NoError(t, writers[i].Flush())
				assert.Zero(t, writers[i].Memory())
				assert.Zero(t, writers[i].Buffered())
			}
		}
		for i, w := range writers {
			require.NoError(t, w.Close())
			assert.Zero(t, w.Memory())
			lines := bytes.Count(unpack(t, c, files[i].Bytes()), []byte{'\n'})
			want := 0
			for n := range 4000 {
				if n*n%5 == i {
					want++
				}
			}
			assert.Equal(t, want, lines, "%v", c)
		}
	}
}

// A file of gzip into which nothing was written is one, too.
func TestEmptyGzip(t *testing.T) {
	f, err := Bytes(BytesOptions{Compression: Compression{Gzip, DefaultLevel}})
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := f.NewWriter(&out, connect.Datum{})
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	assert.Empty(t, unpack(t, Compression{Type: Gzip}, out.Bytes()))
}

// unpack reads what Go's readers make of a file. That of gzip must be one member.
func unpack(t testing.TB, c Compression, file []byte) []byte {
	var r io.Reader = bytes.NewReader(file)
	switch c.Type {
	case Gzip:
		z, err := gzip.NewReader(r)
		require.NoError(t, err)
		z.Multistream(false)
		r = z
	case Zstd:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		require.NoError(t, err)
		defer d.Close()
		r = d
	case Snappy:
		r = s2.NewReader(r)
	}
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}
