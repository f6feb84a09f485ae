package offsets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The few words of Java's object serialisation stream (Java Object
// Serialization Specification, chapter 6) that a HashMap<byte[],byte[]> uses.
const (
	javaNull         = 0x70
	javaReference    = 0x71
	javaClassDesc    = 0x72
	javaObject       = 0x73
	javaArray        = 0x75
	javaBlockData    = 0x77
	javaEndBlockData = 0x78

	javaFirstHandle = 0x7e0000
)

// javaMagic starts a serialisation stream: STREAM_MAGIC and version 5.
const javaMagic = "\xac\xed\x00\x05"

func isJava(content []byte) bool { return bytes.HasPrefix(content, []byte(javaMagic)) }

// decodeJava reads the file of Java's FileOffsetBackingStore: one serialised
// HashMap<byte[],byte[]>, with keys and values as in the offsets topic. Null
// values are left out, for they are no offsets; so are null keys, which no
// worker looks up.
func decodeJava(content []byte) (map[string][]byte, error) {
	r := &javaReader{rest: content[len(javaMagic):]}
	pairs := r.hashMap()
	if r.err == nil && len(r.rest) > 0 {
		r.fail(fmt.Errorf("found %d bytes after the map", len(r.rest)))
	}
	if r.err != nil {
		return nil, fmt.Errorf("serialised by Java, at byte %d: %w", len(content)-len(r.rest), r.err)
	}
	return pairs, nil
}

// javaReader reads a stream from front to back. After the first error it
// returns zero values.
type javaReader struct {
	rest []byte
	err  error
	// handles are the objects that the stream may refer back to, in order:
	// a string for a class, []byte for an array, nil for the map itself.
	handles []any
}

func (r *javaReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *javaReader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.rest) {
		r.fail(fmt.Errorf("want %d more bytes, found %d: the file was cut off", n, len(r.rest)))
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *javaReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *javaReader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *javaReader) int32() int {
	if b := r.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (r *javaReader) utf() string { return string(r.take(r.uint16())) }

func (r *javaReader) want(tag byte, what string) {
	if got := r.byte(); r.err == nil && got != tag {
		r.fail(fmt.Errorf("found 0x%02x, want %s", got, what))
	}
}

// class reads a class description, or a reference to one, and wants its name.
func (r *javaReader) class(want string, fields ...string) {
	switch tag := r.byte(); tag {
	case javaReference:
		if name, ok := r.handle().(string); r.err == nil && (!ok || name != want) {
			r.fail(fmt.Errorf("found a reference to %v, want class %s", name, want))
		}
		return
	case javaClassDesc:
	default:
		r.fail(fmt.Errorf("found 0x%02x, want a class", tag))
		return
	}
	name := r.utf()
	r.take(8) // serialVersionUID
	r.handles = append(r.handles, name)
	if r.err == nil && name != want {
		r.fail(fmt.Errorf("found an object of class %.80q, want %s", name, want))
		return
	}
	r.take(1) // flags
	if n := r.uint16(); r.err == nil && n != len(fields) {
		r.fail(fmt.Errorf("found %d fields in class %s, want %d", n, want, len(fields)))
	}
	for _, field := range fields {
		kind := r.byte()
		if got := string(kind) + r.utf(); r.err == nil && got != field {
			r.fail(fmt.Errorf("found the field %q in class %s, want %q", got, want, field))
		}
	}
	r.want(javaEndBlockData, "the end of the class")
	r.want(javaNull, "no super class")
}

// handle reads the handle of an earlier object and returns that.
func (r *javaReader) handle() any {
	i := r.int32() - javaFirstHandle
	if r.err != nil {
		return nil
	}
	if i < 0 || i >= len(r.handles) {
		r.fail(fmt.Errorf("found a reference to object %d, there are %d", i, len(r.handles)))
		return nil
	}
	return r.handles[i]
}

// bytes reads a byte[], or null.
func (r *javaReader) bytes() []byte {
	switch tag := r.byte(); tag {
	case javaNull:
		return nil
	case javaReference:
		b, ok := r.handle().([]byte)
		if !ok {
			r.fail(errors.New("found a reference to something else, want a byte[]"))
		}
		return b
	case javaArray:
		r.class("[B")
		i := len(r.handles)
		r.handles = append(r.handles, nil)
		b := r.take(r.int32())
		if r.err == nil {
			b = append([]byte{}, b...) // empty is not null
			r.handles[i] = b
		}
		return b
	default:
		r.fail(fmt.Errorf("found 0x%02x, want a byte[]", tag))
		return nil
	}
}

// hashMap reads the map (HashMap.writeObject: its fields, the number of buckets
// and of entries, the entries).
func (r *javaReader) hashMap() map[string][]byte {
	r.want(javaObject, "an object")
	r.class("java.util.HashMap", "FloadFactor", "Ithreshold")
	r.handles = append(r.handles, nil)
	r.take(8) // loadFactor, threshold
	r.want(javaBlockData, "the size of the map")
	r.want(8, "8 bytes with the size of the map")
	r.take(4) // buckets
	size := r.int32()
	pairs := make(map[string][]byte)
	for range size {
		key, value := r.bytes(), r.bytes()
		if r.err != nil {
			return nil
		}
		if key != nil && value != nil {
			pairs[string(key)] = value
		}
	}
	r.want(javaEndBlockData, "the end of the map")
	return pairs
}
