package cqlvalue

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect/data"
)

type textCodec struct {
	*settings
	ascii bool
}

func (c textCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	start := len(dst)
	var err error
	switch v.Kind() {
	case data.KindNull:
		return dst, true, nil
	case data.KindString:
		text, _ := v.Str()
		dst = append(dst, text...)
	case data.KindBytes:
		return dst, false, found(v, s, "anything but bytes")
	case data.KindDate:
		dst = c.appendDate(dst, v, s)
	case data.KindArray, data.KindMap, data.KindStruct:
		if dst, err = c.appendJSON(dst, v, s, 0); err != nil {
			return dst, false, err
		}
	default:
		dst = v.Append(dst)
	}
	if bad := c.check(dst[start:]); bad != "" {
		return dst, false, fmt.Errorf("%s was found, which is %s", describe(v, s), bad)
	}
	return dst, false, nil
}

// check says what is wrong with a text, "" for nothing. The server refuses texts
// that are wrong, and all rows of the batch with them.
func (c textCodec) check(text []byte) string {
	if c.ascii {
		for _, b := range text {
			if b >= utf8.RuneSelf {
				return "not ASCII"
			}
		}
	} else if !utf8.Valid(text) {
		return "not UTF-8"
	}
	return ""
}

type blobCodec struct{}

func (blobCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	switch v.Kind() {
	case data.KindNull:
		return dst, true, nil
	case data.KindBytes:
		b, _ := v.Bytes()
		return append(dst, b...), false, nil
	case data.KindString:
		text, _ := v.Str()
		if digits, ok := strings.CutPrefix(text, "0x"); ok {
			if out, err := hex.AppendDecode(dst, []byte(digits)); err == nil {
				return out, false, nil
			}
		}
		encoding := base64.StdEncoding
		if len(text)%4 != 0 {
			encoding = base64.RawStdEncoding
		}
		if out, err := encoding.AppendDecode(dst, []byte(text)); err == nil && !strings.ContainsAny(text, "\r\n") {
			return out, false, nil
		}
	}
	return dst, false, found(v, s, "bytes, or a text of hexadecimal digits behind 0x or of Base64,")
}

type booleanCodec struct{ *settings }

func (c booleanCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	const allowed = "a boolean, 1 or 0, or one of the words yes, no, true, false, y, n, t, f"
	var b bool
	switch v.Kind() {
	case data.KindNull:
		return dst, true, nil
	case data.KindBoolean:
		b, _ = v.Bool()
	case data.KindString:
		text, _ := v.Str()
		if text == "" {
			return dst, true, nil
		}
		var ok bool
		if b, ok = booleanWord(text); !ok {
			return dst, false, found(v, s, allowed)
		}
	case data.KindDate:
		return dst, false, found(v, s, allowed)
	default:
		n, _, err := c.numericOf(v, s)
		whole, exact := n.toInt64()
		if err != nil || !exact || whole != 0 && whole != 1 {
			return dst, false, found(v, s, allowed)
		}
		b = whole == 1
	}
	if b {
		return append(dst, 1), false, nil
	}
	return append(dst, 0), false, nil
}

// intCodec is that of whole numbers of a fixed size.
type intCodec struct {
	*settings
	size int // in bytes
}

func (c intCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	n, null, err := c.numericOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	shift := 64 - 8*c.size
	whole, ok := n.toInt64()
	if !ok || whole<<shift>>shift != whole {
		return dst, false, fmt.Errorf("%s was found, where a whole number from %d to %d is allowed", n.text(), math.MinInt64>>shift, math.MaxInt64>>shift)
	}
	switch c.size {
	case 1:
		return append(dst, byte(whole)), false, nil
	case 2:
		return binary.BigEndian.AppendUint16(dst, uint16(whole)), false, nil
	case 4:
		return binary.BigEndian.AppendUint32(dst, uint32(whole)), false, nil
	}
	return binary.BigEndian.AppendUint64(dst, uint64(whole)), false, nil
}

type varintCodec struct{ *settings }

func (c varintCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	n, null, err := c.numericOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	if whole, ok := n.toInt64(); ok {
		return appendTwosComplement(dst, whole), false, nil
	}
	d, ok := n.toBig()
	if !ok {
		return dst, false, fmt.Errorf("%s was found, where a whole number of no more than 100,000 zeros at its end is allowed", n.text())
	}
	return d.AppendUnscaled(dst), false, nil
}

// appendTwosComplement appends a number as big-endian two's complement, as short
// as it goes and of one byte at least.
func appendTwosComplement(dst []byte, n int64) []byte {
	size := 8
	for size > 1 && n<<(72-8*size)>>(72-8*size) == n {
		size--
	}
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

type decimalCodec struct{ *settings }

func (c decimalCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	n, null, err := c.numericOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	if n.kind == data.KindInt64 {
		return appendTwosComplement(append(dst, 0, 0, 0, 0), n.int), false, nil
	}
	d, ok := n.toDecimal()
	if !ok {
		return dst, false, fmt.Errorf("%s was found, where a number that is finite is allowed", n.text())
	}
	return d.AppendUnscaled(binary.BigEndian.AppendUint32(dst, uint32(d.Scale()))), false, nil
}

type floatCodec struct{ *settings }

func (c floatCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	n, null, err := c.numericOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	f, ok := n.toFloat32()
	if !ok {
		return dst, false, fmt.Errorf("%s was found, which a float of 32 bits does not hold exactly", n.text())
	}
	bits := math.Float32bits(f)
	if f != f {
		bits = 0x7fc00000 // the NaN that Java writes
	}
	return binary.BigEndian.AppendUint32(dst, bits), false, nil
}

type doubleCodec struct{ *settings }

func (c doubleCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	n, null, err := c.numericOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	f, ok := n.toFloat64()
	if !ok {
		return dst, false, fmt.Errorf("%s was found, which a float of 64 bits does not hold exactly", n.text())
	}
	bits := math.Float64bits(f)
	if f != f {
		bits = 0x7ff8000000000000 // the NaN that Java writes
	}
	return binary.BigEndian.AppendUint64(dst, bits), false, nil
}

type inetCodec struct{}

func (inetCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	text, ok := v.Str()
	if v.IsNull() || ok && text == "" {
		return dst, true, nil
	}
	address, err := netip.ParseAddr(text)
	if !ok || err != nil || address.Zone() != "" {
		return dst, false, found(v, s, "the text of an IPv4 or IPv6 address without a zone")
	}
	return append(dst, address.Unmap().AsSlice()...), false, nil
}
