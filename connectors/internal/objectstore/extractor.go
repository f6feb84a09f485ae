package objectstore

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// Extractor says where the time of a record comes from (timestamp.extractor).
type Extractor string

// The extractors, by the names of Confluent's classes.
const (
	// Wallclock takes the time at which the task handles the record.
	Wallclock Extractor = "Wallclock"
	// RecordTime takes the record's own timestamp.
	RecordTime Extractor = "Record"
	// RecordField takes a field of the value, timestamp.field.
	RecordField Extractor = "RecordField"
)

// timeOf returns the time of a record.
func (e Extractor) timeOf(r *connect.SinkRecord, field string, now time.Time) (time.Time, error) {
	switch e {
	case RecordTime:
		if r.Timestamp.IsZero() {
			return time.Time{}, errors.New("the record has no timestamp, which timestamp.extractor=Record needs")
		}
		return r.Timestamp, nil
	case RecordField:
		v, err := fieldOf(r.Value, field)
		if err == nil {
			var t time.Time
			if t, err = timeFrom(v); err == nil {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("timestamp.field %q: %w", field, err)
	}
	return now, nil
}

// fieldOf finds a field of a struct or map: by its whole name, or by its path with dots.
func fieldOf(d connect.Datum, path string) (data.Value, error) {
	v, ok := member(d.Value, path)
	if ok {
		return v, nil
	}
	v = d.Value
	for name := range strings.SplitSeq(path, ".") {
		if v, ok = member(v, name); !ok {
			return data.Value{}, fmt.Errorf("the value has no field %q", path)
		}
	}
	return v, nil
}

func member(v data.Value, name string) (data.Value, bool) {
	if s, ok := v.Struct(); ok {
		return s.Get(name)
	}
	return v.Lookup(name)
}

// timeFrom reads a time: a Timestamp, milliseconds, or text in ISO 8601.
func timeFrom(v data.Value) (time.Time, error) {
	if v.IsNull() {
		return time.Time{}, errors.New("it is null")
	}
	if t, ok := v.Time(); ok {
		return t, nil
	}
	if n, ok := v.Int(); ok {
		return time.UnixMilli(n), nil
	}
	if f, ok := v.Float(); ok {
		if !(math.Abs(f) < math.MaxInt64) {
			return time.Time{}, fmt.Errorf("%v is no number of milliseconds", f)
		}
		return time.UnixMilli(int64(f)), nil
	}
	text, ok := v.Str()
	if !ok {
		return time.Time{}, fmt.Errorf("it is a %v: want a timestamp, a number of milliseconds, or text in ISO 8601", v.Kind())
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time in ISO 8601", text)
}
