package cqlvalue

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/streamlane/connect/data"
)

// instantOf returns the seconds and nanoseconds since 1970 that a value stands
// for: a timestamp or date itself, units since 1970 for a number, and a text by
// the pattern of timestamps, or of units where it has digits alone.
func (s *settings) instantOf(v data.Value, schema *data.Schema) (seconds, nanos int64, null bool, err error) {
	switch v.Kind() {
	case data.KindNull:
		return 0, 0, true, nil
	case data.KindDate:
		if schema.Name() == data.LogicalTime {
			break
		}
		ms, _ := v.Millis()
		seconds = floorDiv(ms, 1000)
		return seconds, (ms - seconds*1000) * 1_000_000, false, nil
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64, data.KindDecimal:
		n, _, err := s.numericOf(v, schema)
		if err != nil {
			return 0, 0, false, err
		}
		seconds, nanos, err = s.units(n)
		return seconds, nanos, false, err
	case data.KindString:
		text, _ := v.Str()
		if text == "" {
			return 0, 0, true, nil
		}
		seconds, nanos, err = s.readInstant(text)
		return seconds, nanos, false, err
	}
	return 0, 0, false, found(v, schema, "a timestamp or date, a number of "+s.unit.String()+" since 1970, or a text of one of these")
}

// units returns the instant of a number of units.
func (s *settings) units(n numeric) (seconds, nanos int64, err error) {
	whole, ok := n.toInt64()
	if !ok {
		return 0, 0, fmt.Errorf("%s was found, where a whole number of %s is allowed", n.text(), s.unit)
	}
	return s.unit.instant(whole)
}

func (s *settings) readInstant(text string) (seconds, nanos int64, err error) {
	trimmed := strings.TrimSpace(text)
	if s.timestamp == nil {
		n, err := s.readNumber(trimmed)
		if err != nil {
			return 0, 0, err
		}
		return s.units(n)
	}
	m, err := s.timestamp.parse(trimmed)
	if err == nil {
		if seconds, nanos, err = m.instant(s.zone); err == nil {
			return seconds, nanos, nil
		}
	}
	if n, intErr := strconv.ParseInt(trimmed, 10, 64); intErr == nil {
		return s.unit.instant(n)
	}
	return 0, 0, err
}

// timestampCodec is that of milliseconds since 1970. Finer parts are cut off, as
// the type has it.
type timestampCodec struct{ *settings }

func (c timestampCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	seconds, nanos, null, err := c.instantOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	ms, ok := Milliseconds.since(seconds, nanos)
	if !ok {
		return dst, false, fmt.Errorf("%s was found, which has more milliseconds since 1970 than 64 bits hold", describe(v, s))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(ms)), false, nil
}

// dateCodec is that of days since 1970, counted from -(1<<31).
type dateCodec struct{ *settings }

func (c dateCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	day, null, err := c.dayOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	if day < math.MinInt32 || day > math.MaxInt32 {
		return dst, false, fmt.Errorf("%s was found, which is more than %d days from 1970", describe(v, s), math.MaxInt32)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(day+1<<31)), false, nil
}

func (c dateCodec) dayOf(v data.Value, s *data.Schema) (day int64, null bool, err error) {
	switch {
	case v.Kind() == data.KindDate && s.Name() == data.LogicalDate:
		ms, _ := v.Millis()
		return floorDiv(ms, secondsPerDay*1000), false, nil
	case v.Kind() == data.KindString && c.date != nil:
		text, _ := v.Str()
		if text == "" {
			return 0, true, nil
		}
		m, err := c.date.parse(strings.TrimSpace(text))
		if err == nil && !m.hasDate {
			err = fmt.Errorf("%s was found, in which there is no date", describe(v, s))
		}
		return m.day, false, err
	}
	local, _, null, err := c.local(v, s, "a date or timestamp, or a text of a date", c.date)
	return floorDiv(local, secondsPerDay), null, err
}

// local returns the local time, in the zone of the settings, of a timestamp; and
// of a number or its text if the layout is that of units.
func (s *settings) local(v data.Value, schema *data.Schema, allowed string, l *layout) (seconds, nanos int64, null bool, err error) {
	switch v.Kind() {
	case data.KindDate:
		if name := schema.Name(); name == data.LogicalDate || name == data.LogicalTime {
			return 0, 0, false, found(v, schema, allowed)
		}
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindFloat32, data.KindFloat64, data.KindDecimal:
		if l != nil {
			return 0, 0, false, found(v, schema, allowed)
		}
	case data.KindString:
		text, _ := v.Str()
		if text == "" {
			return 0, 0, true, nil
		}
		n, err := s.readNumber(text)
		if err != nil {
			return 0, 0, false, err
		}
		seconds, nanos, err = s.units(n)
		return seconds + offsetOf(s.zone, seconds), nanos, false, err
	case data.KindNull:
		return 0, 0, true, nil
	default:
		return 0, 0, false, found(v, schema, allowed)
	}
	seconds, nanos, null, err = s.instantOf(v, schema)
	return seconds + offsetOf(s.zone, seconds), nanos, null, err
}

// timeCodec is that of nanoseconds since midnight.
type timeCodec struct{ *settings }

func (c timeCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	nano, null, err := c.nanoOf(v, s)
	if err != nil || null {
		return dst, null, err
	}
	if nano < 0 || nano >= nanosPerDay {
		return dst, false, fmt.Errorf("%s was found, which is not within a day", describe(v, s))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(nano)), false, nil
}

func (c timeCodec) nanoOf(v data.Value, s *data.Schema) (nano int64, null bool, err error) {
	switch {
	case v.Kind() == data.KindDate && s.Name() == data.LogicalTime:
		ms, _ := v.Millis()
		if ms < 0 || ms > secondsPerDay*1000 {
			return -1, false, nil
		}
		return ms * 1_000_000, false, nil
	case v.Kind() == data.KindString && c.time != nil:
		text, _ := v.Str()
		if text == "" {
			return 0, true, nil
		}
		m, err := c.time.parse(strings.TrimSpace(text))
		if err == nil && !m.hasTime {
			err = fmt.Errorf("%s was found, in which there is no time", describe(v, s))
		}
		return m.nano, false, err
	}
	local, nanos, null, err := c.local(v, s, "a time or timestamp, or a text of a time", c.time)
	return floorMod(local, secondsPerDay)*nanosPerSecond + nanos, null, err
}

// uuidCodec is that of UUIDs. What stands for an instant becomes a UUID of version
// 1 of that instant, a new one each time.
type uuidCodec struct {
	*settings
	onlyTime bool
}

func (c uuidCodec) append(dst []byte, v data.Value, s *data.Schema) ([]byte, bool, error) {
	if text, ok := v.Str(); ok {
		if id, ok := parseUUID(text); ok {
			if c.onlyTime && id[6]>>4 != 1 {
				return dst, false, fmt.Errorf("%s was found, a UUID of version %d, where version 1 is allowed", describe(v, s), id[6]>>4)
			}
			return append(dst, id[:]...), false, nil
		}
	}
	seconds, nanos, null, err := c.instantOf(v, s)
	if err != nil {
		return dst, false, fmt.Errorf("%s was found, which is neither a UUID nor an instant: %w", describe(v, s), err)
	}
	if null {
		return dst, true, nil
	}
	if y, _, _ := civil(floorDiv(seconds, secondsPerDay)); y < 1583 || y > 5000 {
		return dst, false, fmt.Errorf("%s was found, an instant of year %d, which UUIDs do not hold", describe(v, s), y)
	}
	id := gocql.UUIDFromTime(time.Unix(seconds, nanos))
	return append(dst, id[:]...), false, nil
}

// parseUUID reads the canonical text of a UUID.
func parseUUID(text string) (id [16]byte, ok bool) {
	if len(text) != 36 {
		return id, false
	}
	at := 0
	for i := 0; i < len(text); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return id, false
			}
			continue
		}
		digit := strings.IndexByte("0123456789abcdef", text[i]|0x20) // digits have that bit
		if digit < 0 || text[i] < '0' {
			return id, false
		}
		id[at/2] = id[at/2]<<4 | byte(digit)
		at++
	}
	return id, true
}

// appendDate appends the text of a date, time or timestamp by ISO 8601; a timestamp
// in the zone of the settings.
func (s *settings) appendDate(dst []byte, v data.Value, schema *data.Schema) []byte {
	ms, _ := v.Millis()
	switch t := time.UnixMilli(ms).UTC(); schema.Name() {
	case data.LogicalDate:
		return t.AppendFormat(dst, "2006-01-02")
	case data.LogicalTime:
		return t.AppendFormat(dst, "15:04:05.000")
	default:
		return t.In(s.zone).AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	}
}
