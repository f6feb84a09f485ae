package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// null is the length of a null array or of null bytes.
const null = -1

// writer appends Kafka's primitive types; the first error stays.
type writer struct {
	b   []byte
	err error
}

// done returns what was written, and nothing beside an error.
func (w *writer) done() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.b, nil
}

func (w *writer) int16(v int16) { w.b = binary.BigEndian.AppendUint16(w.b, uint16(v)) }
func (w *writer) int32(v int32) { w.b = binary.BigEndian.AppendUint32(w.b, uint32(v)) }
func (w *writer) int64(v int64) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)) }

func (w *writer) string(s string) {
	if len(s) > math.MaxInt16 {
		if w.err == nil {
			w.err = fmt.Errorf("%.40q... has %d bytes, at most %d can be sent", s, len(s), math.MaxInt16)
		}
		return
	}
	w.int16(int16(len(s)))
	w.b = append(w.b, s...)
}

// reader takes Kafka's primitive types off b; the first error stays, and all
// reads after it give zero values.
type reader struct {
	b   []byte
	err error
}

// take returns the next n bytes, and nil if there are fewer.
func (r *reader) take(field string, n int) []byte {
	if r.err == nil && n > len(r.b) {
		r.err = fmt.Errorf("%s: found %d bytes, want %d", field, len(r.b), n)
	}
	if r.err != nil {
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) int16(field string) int16 {
	if b := r.take(field, 2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32(field string) int32 {
	if b := r.take(field, 4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64(field string) int64 {
	if b := r.take(field, 8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// version reads the version that stands before everything else. Later ones than
// ours are welcome: their layout begins like the last that is known.
func (r *reader) version() Version {
	v := r.int16("version")
	if v < 0 && r.err == nil {
		r.err = fmt.Errorf("version: found %d, want 0 or more", v)
	}
	return Version(v)
}

func (r *reader) string(field string) string {
	n := r.int16(field)
	if n < 0 && r.err == nil {
		r.err = fmt.Errorf("%s: found length %d, want 0 or more", field, n)
	}
	return string(r.take(field, int(max(n, 0))))
}

// bytes reads nullable bytes; false for null.
func (r *reader) bytes(field string) ([]byte, bool) {
	n := r.int32(field)
	if n < null && r.err == nil {
		r.err = fmt.Errorf("%s: found length %d, want %d or more", field, n, null)
	}
	if n < 0 {
		return nil, false
	}
	return r.take(field, int(n)), r.err == nil
}

// count reads the length of a nullable array, whose elements have no fewer bytes
// than smallest: more than fit into the rest are an error at once.
func (r *reader) count(field string, smallest int) int {
	n := r.int32(field)
	if r.err == nil && (n < null || int(n) > len(r.b)/smallest) {
		r.err = fmt.Errorf("%s: found %d elements in %d bytes", field, n, len(r.b))
	}
	if r.err != nil {
		return 0
	}
	return int(max(n, 0))
}
