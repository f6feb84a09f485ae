package registry

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

const (
	magicID   = 0 // an id follows
	magicGUID = 1 // a GUID follows
	// maxIndexes bounds the path to a Protobuf message.
	maxIndexes = 100
	keyHeader  = "__key_schema_id"
	dataHeader = "__value_schema_id"
)

// identity of a schema, as a record has it.
type schemaID struct {
	id   int32
	guid [16]byte // all zero: there is an id
}

var noGUID [16]byte

// frame is what stands around the payload of a record.
type frame struct {
	schema  schemaID
	indexes string // those of Protobuf, as they are written
	payload []byte
}

func headerName(isKey bool) string {
	if isKey {
		return keyHeader
	}
	return dataHeader
}

// dataError makes the twin of a DataException.
func dataError(format string, args ...any) error {
	return &data.Error{Message: fmt.Sprintf(format, args...)}
}

// readFrame takes a record apart, as the deserializers of schema ids do.
func (c *Config) readFrame(w *connect.Wire, b []byte, indexed bool) (frame, error) {
	switch c.idReader() {
	case configReader:
		f := frame{payload: b, schema: schemaID{id: int32(c.UseID)}}
		if c.UseGUID != "" {
			f.schema = schemaID{guid: parseGUID(c.UseGUID)}
		}
		return f, nil
	case dualReader:
		if w == nil {
			break
		}
		name := headerName(c.IsKey())
		for i := range slices.Backward(w.Headers) {
			if h := &w.Headers[i]; h.Key == name && h.Value != nil {
				f, err := readID(h.Value, indexed)
				f.payload = b
				return f, err
			}
		}
	}
	return readID(b, indexed)
}

// readID reads a schema's identity, and what is behind it.
func readID(b []byte, indexed bool) (f frame, err error) {
	switch {
	case len(b) == 0:
		return f, dataError("no bytes: want a magic byte and the id of a schema")
	case b[0] == magicID:
		if len(b) < 5 {
			return f, dataError("cut off: found %d bytes, want a magic byte and a schema id of 4 bytes", len(b))
		}
		f.schema.id, b = int32(binary.BigEndian.Uint32(b[1:])), b[5:]
		if f.schema.id < 0 {
			return f, dataError("schema id %d is negative", f.schema.id)
		}
	case b[0] == magicGUID:
		if len(b) < 17 {
			return f, dataError("cut off: found %d bytes, want a magic byte and a schema GUID of 16 bytes", len(b))
		}
		f.schema.guid, b = [16]byte(b[1:17]), b[17:]
		if f.schema.guid == noGUID {
			return f, dataError("the schema GUID is all zeros")
		}
	default:
		return f, dataError("Unknown magic byte! Found %02x, allowed are 00 and 01: the record was not written with a schema registry", b[0])
	}
	f.payload = b
	if !indexed {
		return f, nil
	}
	n, err := skipIndexes(b)
	if err != nil {
		return f, err
	}
	// Nearly always the first message of the file, for which there is a constant.
	if n == 1 && b[0] == 0 {
		f.indexes = firstMessage
	} else {
		f.indexes = string(b[:n])
	}
	f.payload = b[n:]
	return f, nil
}

// firstMessage are the indexes of a file's first message.
const firstMessage = "\x00"

// skipIndexes returns the length of the message indexes at the front of b.
func skipIndexes(b []byte) (int, error) {
	count, n := binary.Varint(b)
	if n <= 0 || count < 0 || count > maxIndexes {
		return 0, dataError("message indexes: found a count of %d, allowed are 0 to %d", count, maxIndexes)
	}
	for range count {
		index, m := binary.Varint(b[n:])
		if m <= 0 || index < 0 {
			return 0, dataError("message indexes are cut off, or negative")
		}
		n += m
	}
	return n, nil
}

// Indexes returns the path to a Protobuf message that indexes, as they are
// written, stand for.
func Indexes(written string) []int {
	b := []byte(written)
	count, n := binary.Varint(b)
	if count == 0 {
		return []int{0}
	}
	path := make([]int, 0, min(count, maxIndexes))
	for range count {
		index, m := binary.Varint(b[n:])
		path, n = append(path, int(index)), n+m
	}
	return path
}

// AppendIndexes appends a path to a Protobuf message.
func AppendIndexes(dst []byte, path []int) []byte {
	if len(path) == 1 && path[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(path)))
	for _, i := range path {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

// parseGUID reads the 36 characters of a GUID; what is none is zeros.
func parseGUID(text string) (guid [16]byte) {
	hexed := make([]byte, 0, 32)
	for i := range len(text) {
		if text[i] != '-' {
			hexed = append(hexed, text[i])
		}
	}
	if len(hexed) == 32 {
		_, _ = hex.Decode(guid[:], hexed)
	}
	return guid
}

// formatGUID is the way back.
func formatGUID(g [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:])
}

// prefixOf returns the bytes in front of the payloads of a schema, and the value of
// the header beside them; one of both is nil.
func (c *Config) frameOf(r Registered, indexes []byte) (prefix, header []byte, err error) {
	if c.idWriter() != headerWriter {
		prefix = binary.BigEndian.AppendUint32([]byte{magicID}, uint32(r.ID))
		return append(prefix, indexes...), nil, nil
	}
	guid := parseGUID(r.GUID)
	if guid == noGUID {
		return nil, nil, fmt.Errorf("%s wants a GUID for schema %d, and the registry gives none: use %s", headerWriter, r.ID, prefixWriter)
	}
	return nil, append(append([]byte{magicGUID}, guid[:]...), indexes...), nil
}

// subject names the subject of a schema: name is the full name of its record, ""
// for none.
func (c *Config) subject(topic, name string) (string, error) {
	strategy := c.strategy()
	if strategy == topicName {
		if c.IsKey() {
			return topic + "-key", nil
		}
		return topic + "-value", nil
	}
	if name == "" {
		return "", dataError("%s wants a record with a name, and the schema is none: use %s", strategy, topicName)
	}
	if strategy == topicRecordName {
		return topic + "-" + name, nil
	}
	return name, nil
}
