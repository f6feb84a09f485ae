package transforms

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// defaultMaxBytes is what a value grows to at most unless told otherwise.
const defaultMaxBytes = 64 << 20

// A GzipDecompressConfig configures GzipDecompress.
type GzipDecompressConfig struct {
	// MaxBytes is how large the result may get.
	MaxBytes int64
}

// Describe declares the keys of GzipDecompress. The classes that it stands for have none.
func (c *GzipDecompressConfig) Describe(d *config.Def) {
	config.Size(d, &c.MaxBytes, "max.bytes").Default(defaultMaxBytes).Check(config.AtLeast[int64](1)).
		Doc("How large the result may be, in bytes. A record with more fails: a few bytes of gzip can stand for gigabytes.")
}

// gzipDecompress is GzipDecompress.
type gzipDecompress struct {
	side side
	max  int64
	zr   gzip.Reader
	out  bytes.Buffer
}

func newGzipDecompress(c GzipDecompressConfig, s side) (*gzipDecompress, error) {
	return &gzipDecompress{side: s, max: c.MaxBytes}, nil
}

// keptBuffer is the largest buffer that is kept for the next record.
const keptBuffer = 1 << 20

// Apply decompresses the whole key or value.
func (t *gzipDecompress) Apply(_ context.Context, r *connect.Record) (bool, error) {
	d, place := t.side.of(r), t.side.lower()
	if d.Value.IsNull() {
		return true, nil
	}
	packed, ok := d.Value.Bytes()
	if !ok {
		return false, dataError("the %s has to be BYTES to decompress it: found %s", place, d.Value.Kind())
	}
	t.out.Reset()
	err := t.zr.Reset(bytes.NewReader(packed))
	if err == nil {
		_, err = io.Copy(&t.out, io.LimitReader(&t.zr, t.max+1))
	}
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
		fallthrough
	case err != nil:
		return false, dataError("the %s can not be decompressed: %v", place, err)
	case int64(t.out.Len()) > t.max:
		return false, dataError("the %s is of more than %d bytes (configuration max.bytes)", place, t.max)
	}
	d.Value = data.Bytes(bytes.Clone(t.out.Bytes()))
	if t.out.Cap() > keptBuffer {
		t.out = bytes.Buffer{}
	}
	return true, nil
}
