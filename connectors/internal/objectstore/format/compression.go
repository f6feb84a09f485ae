package format

import (
	"fmt"
	"slices"
)

// CompressionType is a way to compress whole files. "" is [NoCompression].
type CompressionType string

// The compressions of whole files.
const (
	NoCompression CompressionType = "none"
	Gzip          CompressionType = "gzip"
	Zstd          CompressionType = "zstd"
	Snappy        CompressionType = "snappy" // the framing format, one chunk for each 64 KiB
)

// DefaultLevel lets the compression choose its level.
const DefaultLevel = -1

// Compression says how a file is compressed as a whole. The zero Compression is none.
type Compression struct {
	Type CompressionType
	// Level is from 0 (store) to 9 (smallest) for gzip, from 1 to 22 for zstd, and not to be chosen for snappy.
	// DefaultLevel, -1, is 6 for gzip and 3 for zstd. It does not count without compression.
	Level int
}

// CompressionTypes returns the names of the compressions.
func CompressionTypes() []CompressionType {
	return []CompressionType{NoCompression, Gzip, Zstd, Snappy}
}

// Validate says what is wrong with type and level.
func (c Compression) Validate() error {
	lowest, highest := 0, 0
	switch c.Type {
	case "", NoCompression:
		return nil
	case Gzip:
		highest = 9
	case Zstd:
		lowest, highest = 1, 22
	case Snappy:
		if c.Level != DefaultLevel {
			return fmt.Errorf("snappy has no levels: found %d, allowed is %d", c.Level, DefaultLevel)
		}
		return nil
	default:
		return fmt.Errorf("found compression %q, allowed are %v", c.Type, CompressionTypes())
	}
	if c.Level != DefaultLevel && (c.Level < lowest || c.Level > highest) {
		return fmt.Errorf("found compression level %d, allowed for %s are %d to %d, and %d for its default", c.Level, c.Type, lowest, highest, DefaultLevel)
	}
	return nil
}

// Extension is what the compression adds to the names of files, "" for none.
func (c Compression) Extension() string {
	switch c.Type {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	case Snappy:
		return ".sz"
	}
	return ""
}

// contentType is that of the compressed file, plain without compression.
func (c Compression) contentType(plain string) string {
	switch c.Type {
	case Gzip:
		return "application/gzip"
	case Zstd:
		return "application/zstd"
	case Snappy:
		return "application/x-snappy-framed"
	}
	return plain
}

// held is the most of its input that a compressor keeps back.
func (c Compression) held() int64 {
	if c.Type == Zstd {
		return zstdWindow
	}
	return 64 << 10
}

func dataError(format string, args ...any) error {
	return &DataError{Err: fmt.Errorf(format, args...)}
}

// oneOf checks a choice among names.
func oneOf[T ~string](what string, found T, allowed ...T) error {
	if slices.Contains(allowed, found) {
		return nil
	}
	return fmt.Errorf("found %s %q, allowed are %v", what, found, allowed)
}
