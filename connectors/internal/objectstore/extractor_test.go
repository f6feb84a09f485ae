package objectstore

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

func pair(name string, v data.Value) data.Pair { return data.Pair{Key: data.String(name), Value: v} }

// Every kind of value that may be a time, in a struct, a map, and below both.
func TestRecordField(t *testing.T) {
	noon := time.Date(2024, 2, 29, 12, 0, 0, 5_000_000, time.UTC)
	ms := noon.UnixMilli()
	for _, c := range []struct {
		v    data.Value
		want time.Time // zero: refused
	}{
		{data.Int64(ms), noon},
		{data.Int32(5000), time.UnixMilli(5000)},
		{data.Int16(500), time.UnixMilli(500)},
		{data.Int8(5), time.UnixMilli(5)},
		{data.Float64(float64(ms) + 0.7), noon},
		{data.Float32(1024), time.UnixMilli(1024)},
		{data.DateMillis(ms), noon},
		{data.Int64(-1), time.UnixMilli(-1)},
		{data.String("2024-02-29T12:00:00.005Z"), noon},
		{data.String("2024-02-29T13:00:00.005+01:00"), noon},
		{data.String("2024-02-29T13:00:00.005+0100"), noon},
		{data.String("2024-02-29T12:00:00.005"), noon},
		{data.String("2024-02-29T12:00"), noon.Truncate(time.Minute)},
		{data.String("2024-02-29T12:00Z"), noon.Truncate(time.Minute)},
		{data.String("2024-02-29"), noon.Truncate(24 * time.Hour)},
		{data.String("2024-02-30"), time.Time{}},
		{data.String("noon"), time.Time{}},
		{data.String(""), time.Time{}},
		{data.Value{}, time.Time{}},
		{data.Boolean(true), time.Time{}},
		{data.Bytes([]byte("2024-02-29")), time.Time{}},
		{data.ArrayOf(data.Int64(ms)), time.Time{}},
		{data.Float64(math.NaN()), time.Time{}},
		{data.Float64(math.Inf(1)), time.Time{}},
	} {
		inner := data.MapOf(pair("at", c.v), pair("dotted.at", c.v))
		for path, value := range map[string]data.Value{
			"at": inner, "in.at": data.MapOf(pair("in", inner)), "dotted.at": inner, "a.b.at": data.MapOf(pair("a", data.MapOf(pair("b", inner)))),
		} {
			r := connect.SinkRecord{Record: connect.Record{Value: connect.Datum{Value: value}}}
			got, err := RecordField.timeOf(&r, path, time.Now())
			if c.want.IsZero() {
				assert.ErrorContains(t, err, "timestamp.field \""+path+"\"", "%v", c.v)
				continue
			}
			if assert.NoError(t, err, "%v", c.v) {
				assert.True(t, c.want.Equal(got), "%v: %v", c.v, got)
			}
		}
	}
	for _, value := range []data.Value{data.MapOf(), data.String("x"), data.MapOf(pair("in", data.Int64(1))), {}} {
		r := connect.SinkRecord{Record: connect.Record{Value: connect.Datum{Value: value}}}
		_, err := RecordField.timeOf(&r, "in.at", time.Now())
		assert.ErrorContains(t, err, `no field "in.at"`)
	}
	s := data.StructBuilder().Field("ts", data.TimestampSchema).Field("in", data.StructBuilder().Field("ts", data.OptionalInt64Schema).MustBuild()).MustBuild()
	row := data.NewStructs(s, 1)
	row[0].Set(0, data.DateMillis(ms))
	in := data.NewStructs(s.Fields()[1].Schema, 1)
	in[0].Set(0, data.Int64(7))
	row[0].Set(1, data.StructOf(&in[0]))
	r := connect.SinkRecord{Record: connect.Record{Value: connect.Datum{Schema: s, Value: data.StructOf(&row[0])}}}
	for path, want := range map[string]time.Time{"ts": noon, "in.ts": time.UnixMilli(7)} {
		got, err := RecordField.timeOf(&r, path, time.Now())
		require.NoError(t, err)
		assert.True(t, want.Equal(got), path)
	}
}

func TestOtherExtractors(t *testing.T) {
	now, then := time.Now(), time.Now().Add(-time.Hour)
	r := connect.SinkRecord{Record: connect.Record{Timestamp: then}}
	got, err := Wallclock.timeOf(&r, "", now)
	require.NoError(t, err)
	assert.Equal(t, now, got)
	got, err = RecordTime.timeOf(&r, "", now)
	require.NoError(t, err)
	assert.Equal(t, then, got)
	_, err = RecordTime.timeOf(&connect.SinkRecord{}, "", now)
	assert.ErrorContains(t, err, "no timestamp")
}

// engineConfig has the engine's keys alone.
type engineConfig struct{ Config }

// Keys of times are checked together, and each error is at its key.
func TestTimeKeys(t *testing.T) {
	base := config.Props{"partitioner.class": "TimeBasedPartitioner", "partition.duration.ms": "3600000", "path.format": "YYYY"}
	for _, c := range []struct {
		props     config.Props
		key, want string
	}{
		{nil, "", ""},
		{config.Props{"partition.duration.ms": "0"}, "partition.duration.ms", "more than 0"},
		{config.Props{"path.format": ""}, "path.format", "is needed"},
		{config.Props{"path.format": "YYYY/b"}, "path.format", "no letter"},
		{config.Props{"timezone": "Mars/Olympus"}, "timezone", "not known"},
		{config.Props{"timezone": "Europe/Berlin", "locale": "de-DE"}, "", ""},
		{config.Props{"path.format": "MMMM", "locale": "de-DE"}, "locale", "English"},
		{config.Props{"path.format": "MMMM", "locale": "en-GB"}, "", ""},
		{config.Props{"timestamp.extractor": "RecordField", "timestamp.field": ""}, "timestamp.field", "is needed"},
		{config.Props{"timestamp.extractor": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$RecordTimestampExtractor"}, "", ""},
		{config.Props{"timestamp.extractor": "Sundial"}, "timestamp.extractor", ""},
		{config.Props{"partitioner.class": "io.confluent.connect.storage.partitioner.HourlyPartitioner", "path.format": "b", "partition.duration.ms": "0"}, "", ""},
	} {
		res := config.Validate(t.Context(), base.Merge(c.props), new(engineConfig))
		found := map[string]string{}
		for _, v := range res.Configs {
			for _, e := range v.Value.Errors {
				found[v.Value.Name] += e
			}
		}
		if c.key == "" {
			assert.Empty(t, found, "%v", c.props)
			continue
		}
		assert.Len(t, found, 1, "%v: %v", c.props, found)
		assert.Contains(t, found[c.key], c.want, "%v", c.props)
	}
}

// Zones have the names that Joda-Time and Java know.
func TestZones(t *testing.T) {
	at := time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]int{"": 0, "UTC": 0, "GMT": 0, "Z": 0, "Europe/Berlin": 7200, "+02:00": 7200, "-03:30": -12600, "GMT+05:45": 20700, "UTC-01:00": -3600, "EST": -18000} {
		loc, err := location(name)
		if assert.NoError(t, err, name) {
			_, offset := at.In(loc).Zone()
			assert.Equal(t, want, offset, name)
		}
	}
	for _, name := range []string{"Local", "Mars/Olympus", "+24:00", "+2:00", "+02:60", "02:00", "../etc/passwd", "europe/berlin/", "+-2:00"} {
		_, err := location(name)
		assert.Error(t, err, name)
	}
}
