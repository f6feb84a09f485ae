package cqlvalue_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlvalue"
	"github.com/streamlane/connect/data"
)

func TestTimestamp(t *testing.T) {
	ms := func(n int64) string { return fmt.Sprintf("%016x", uint64(n)) }
	const allowed = "where a timestamp or date, a number of MILLISECONDS since 1970, or a text of one of these is allowed"
	run(t, typeOf("timestamp"), cqlvalue.Options{}, []valueCase{
		{v: data.DateMillis(-5), s: data.TimestampSchema, want: ms(-5)},
		{v: data.DateMillis(-5), want: ms(-5)},
		{v: data.DateMillis(86400_000), s: data.DateSchema, want: ms(86400_000)},
		{v: data.DateMillis(math.MinInt64), want: ms(math.MinInt64)},
		{v: data.DateMillis(math.MaxInt64), want: ms(math.MaxInt64)},
		{v: data.DateMillis(5), s: data.TimeSchema, want: "a value of org.apache.kafka.connect.data.Time was found, " + allowed},
		{v: data.Int64(1591006830123), want: ms(1591006830123)},
		{v: data.Int32(-1), want: ms(-1)},
		{v: decimal("1.5E12"), want: ms(1.5e12)},
		{v: data.Float64(1.5), want: "1.5 was found, where a whole number of MILLISECONDS is allowed"},
		{v: data.Boolean(true), want: "BOOLEAN true was found, " + allowed},
		{v: str("2020-06-01T10:20:30.1239Z"), want: ms(1591006830123)},
		{v: str(" 2020-06-01 "), want: ms(1590969600000)},
		{v: str("1591006830123"), want: ms(1591006830123)},
		{v: str("-1"), want: ms(-1)},
		{v: str(""), want: "null"},
		{v: str("yesterday"), want: `"yesterday" does not fit the pattern CQL_TIMESTAMP`},
		{v: str("2020-02-30"), want: `"2020-02-30", read by the pattern CQL_TIMESTAMP: the month has no day 30`},
	})
	run(t, typeOf("timestamp"), cqlvalue.Options{Unit: "MICROSECONDS", TimeZone: "Europe/Paris", Timestamp: "dd/MM/yyyy HH:mm"}, []valueCase{
		{v: data.Int64(1999), want: ms(1)},
		{v: data.Int64(-1), want: ms(-1)},
		{v: str("01/06/2020 02:00"), want: ms(1590969600000)},
		{v: str("1999"), want: ms(1)},
		{v: str("2020-06-01"), want: "does not fit the pattern dd/MM/yyyy HH:mm"},
	})
	run(t, typeOf("timestamp"), cqlvalue.Options{Unit: "DAYS", Timestamp: "UNITS_SINCE_EPOCH"}, []valueCase{
		{v: str("1,000"), want: ms(86400_000_000)},
		{v: str("1E1"), want: ms(864_000_000)},
		{v: data.Int8(1), want: ms(86400_000)},
		{v: str("0.5"), want: "0.5 was found, where a whole number of DAYS is allowed"},
		{v: str("2020-06-01"), want: "where a number such as"},
		{v: data.Int64(math.MaxInt64), want: "9223372036854775807 DAYS are beyond what instants may be"},
		{v: data.Int64(math.MaxInt64 / 86400), want: "has more milliseconds since 1970 than 64 bits hold"},
	})
	run(t, typeOf("timestamp"), cqlvalue.Options{Timestamp: "HH:mm"}, []valueCase{{v: str("10:20"), want: "there is no date in it"}})
}

func TestDate(t *testing.T) {
	day := func(n int64) string { return fmt.Sprintf("%08x", uint32(n+1<<31)) }
	const allowed = "where a date or timestamp, or a text of a date is allowed"
	run(t, typeOf("date"), cqlvalue.Options{}, []valueCase{
		{v: data.DateMillis(0), s: data.DateSchema, want: day(0)},
		{v: data.DateMillis(-86400_000), s: data.DateSchema, want: day(-1)},
		{v: data.DateMillis(-1), s: data.TimestampSchema, want: day(-1)},
		{v: data.DateMillis(86399_999), want: day(0)},
		{v: data.DateMillis(1), s: data.TimeSchema, want: allowed},
		{v: data.DateMillis(math.MaxInt64), s: data.DateSchema, want: "which is more than 2147483647 days from 1970"},
		{v: str("2020-02-29"), want: day(18321)},
		{v: str("2021-02-29"), want: day(18686)}, // the last of the month, as Java has it
		{v: str("-0001-01-01"), want: day(-719893)},
		{v: str(""), want: "null"},
		{v: str("2020-02-29T10:00"), want: "does not fit the pattern ISO_LOCAL_DATE"},
		{v: data.Int32(18321), want: "INT32 18321 was found, " + allowed},
		{v: data.Boolean(true), want: allowed},
	})
	run(t, typeOf("date"), cqlvalue.Options{TimeZone: "America/New_York", Date: "d.M.yyyy"}, []valueCase{
		{v: data.DateMillis(0), s: data.TimestampSchema, want: day(-1)},
		{v: data.DateMillis(0), s: data.DateSchema, want: day(0)},
		{v: str("1.1.1970"), want: day(0)},
	})
	run(t, typeOf("date"), cqlvalue.Options{Unit: "DAYS", Date: "UNITS_SINCE_EPOCH"}, []valueCase{
		{v: data.Int32(18321), want: day(18321)}, {v: str("18,321"), want: day(18321)}, {v: str(""), want: "null"}, {v: decimal("1.5"), want: "where a whole number of DAYS"},
	})
	run(t, typeOf("date"), cqlvalue.Options{Date: "HH:mm"}, []valueCase{{v: str("10:20"), want: "in which there is no date"}})
}

func TestTime(t *testing.T) {
	nanos := func(n int64) string { return fmt.Sprintf("%016x", n) }
	const allowed = "where a time or timestamp, or a text of a time is allowed"
	run(t, typeOf("time"), cqlvalue.Options{}, []valueCase{
		{v: data.DateMillis(1), s: data.TimeSchema, want: nanos(1e6)},
		{v: data.DateMillis(86400_000), s: data.TimeSchema, want: "which is not within a day"},
		{v: data.DateMillis(-1), s: data.TimeSchema, want: "which is not within a day"},
		{v: data.DateMillis(-1), s: data.TimestampSchema, want: nanos(86399_999_000_000)},
		{v: data.DateMillis(0), s: data.DateSchema, want: allowed},
		{v: str("10:20:30.123456789"), want: nanos(37230_123_456_789)},
		{v: str("10:20"), want: nanos(37200_000_000_000)},
		{v: str(""), want: "null"},
		{v: str("25:00"), want: "the hour is 25, and may be 0 to 23"},
		{v: data.Int64(5), want: "INT64 5 was found, " + allowed},
	})
	run(t, typeOf("time"), cqlvalue.Options{TimeZone: "+01:30", Time: "h:mm a"}, []valueCase{
		{v: data.DateMillis(0), want: nanos(5400_000_000_000)}, {v: str("1:15 pm"), want: nanos(47700_000_000_000)},
	})
	run(t, typeOf("time"), cqlvalue.Options{Unit: "NANOSECONDS", Time: "UNITS_SINCE_EPOCH"}, []valueCase{
		{v: data.Int64(86400_000_000_005), want: nanos(5)}, {v: str("-1"), want: nanos(86399_999_999_999)},
	})
	run(t, typeOf("time"), cqlvalue.Options{Time: "yyyy-MM-dd"}, []valueCase{{v: str("2020-01-01"), want: "in which there is no time"}})
}

func TestDuration(t *testing.T) {
	e := encoder(t, typeOf("duration"), cqlvalue.Options{})
	for text, want := range map[string]gocql.Duration{
		"1y2mo3w4d5h6m7s8ms9us10ns": {Months: 14, Days: 25, Nanoseconds: 5*3600e9 + 6*60e9 + 7e9 + 8e6 + 9e3 + 10},
		"-1MO2D":                    {Months: -1, Days: -2},
		"1µs":                       {Nanoseconds: 1000},
		"0s":                        {},
		"P1Y2M3DT4H5M6S":            {Months: 14, Days: 3, Nanoseconds: 4*3600e9 + 5*60e9 + 6e9},
		"-P1M":                      {Months: -1},
		"PT1H":                      {Nanoseconds: 3600e9},
		"P4W":                       {Days: 28},
		"P0001-02-03T04:05:06":      {Months: 14, Days: 3, Nanoseconds: 4*3600e9 + 5*60e9 + 6e9},
		"2147483647mo":              {Months: math.MaxInt32},
		"9223372036854ms":           {Nanoseconds: 9223372036854e6},
	} {
		out, null, err := e.Append(nil, str(text), nil)
		require.NoError(t, err, text)
		require.False(t, null)
		var got gocql.Duration
		require.NoError(t, gocql.Unmarshal(typeOf("duration"), out, &got))
		require.Equal(t, want, got, text)
	}
	const allowed = "the text of a duration such as 1mo2d3h, P1M2DT3H, P4W or P0001-02-03T04:05:06 is allowed"
	run(t, typeOf("duration"), cqlvalue.Options{}, []valueCase{
		{v: str(""), want: "null"},
		{v: str("-"), want: allowed}, {v: str("P"), want: allowed}, {v: str("PT"), want: allowed}, {v: str("P1"), want: allowed},
		{v: str("1"), want: allowed}, {v: str("1x"), want: allowed}, {v: str("1h1d"), want: allowed}, {v: str("1d1d"), want: allowed},
		{v: str("P1W2D"), want: allowed}, {v: str("P1WT1H"), want: allowed}, {v: str("p1d"), want: allowed}, {v: str("P1Dx"), want: allowed},
		{v: str("PT1D"), want: allowed}, {v: str("1d "), want: allowed}, {v: str("P0001-02-03 04:05:06"), want: allowed},
		{v: str("9999999999999999999s"), want: allowed},
		{v: str("2147483648d"), want: "more than 2147483647 months or days are too many"},
		{v: str("99999999999s"), want: "99999999999s are too many"},
		{v: str("2562047h788015s"), want: "788015s are too many"},
		{v: data.Int64(5), want: "INT64 5 was found, where the text of a duration"},
	})
}

func TestOptions(t *testing.T) {
	require.NoError(t, cqlvalue.Options{}.Validate())
	require.NoError(t, cqlvalue.Options{Locale: "en_GB", TimeZone: "UTC+1", Unit: "HOURS", Timestamp: "UNITS_SINCE_EPOCH", Date: "BASIC_ISO_DATE", Time: "HH:mm"}.Validate())
	err := cqlvalue.Options{Locale: "de_DE", TimeZone: "Mars/Base", Unit: "seconds", Timestamp: "yyyy-QQ", Date: "'", Time: "[]"}.Validate()
	require.EqualError(t, err, `codec.locale: "de_DE" was found, and only English is supported, such as en_US or en
codec.timeZone: "Mars/Base" is no time zone; a name of the IANA database such as Europe/Paris, UTC, or an offset such as +01:00 is allowed
codec.unit: "seconds" is no unit of time; allowed are NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS
codec.timestamp: "yyyy-QQ" is neither a constant nor a pattern of Java's DateTimeFormatter: the letter Q is not supported; those that are: y u G M L d D E a H k K h m s S A n N V z X x Z O
codec.date: "'" is neither a constant nor a pattern of Java's DateTimeFormatter: the quote at 1 is not closed`)
	for _, zone := range []string{"Local", "../../etc/passwd", "UTC+25", "", "Z", "-18:00", "GMT-1:30"} {
		err := cqlvalue.Options{TimeZone: zone}.Validate()
		require.Equal(t, zone == "Local" || zone == "../../etc/passwd" || zone == "UTC+25", err != nil, zone)
	}
}

func TestUnits(t *testing.T) {
	for u := cqlvalue.Nanoseconds; u <= cqlvalue.Days; u++ {
		again, err := cqlvalue.ParseUnit(u.String())
		require.NoError(t, err)
		require.Equal(t, u, again)
	}
	_, err := cqlvalue.ParseUnit("WEEKS")
	require.ErrorContains(t, err, `"WEEKS" is no unit of time`)
	require.Equal(t, "Unit(9)", cqlvalue.Unit(9).String())
	require.EqualValues(t, 1, cqlvalue.Milliseconds.ToSeconds(1999))
	require.EqualValues(t, -1, cqlvalue.Milliseconds.ToSeconds(-1999))
	require.EqualValues(t, 172800, cqlvalue.Days.ToSeconds(2))
	require.EqualValues(t, 7, cqlvalue.Seconds.ToSeconds(7))
	require.EqualValues(t, math.MaxInt64, cqlvalue.Days.ToSeconds(math.MaxInt64))
	require.EqualValues(t, math.MinInt64, cqlvalue.Days.ToMicros(-math.MaxInt64))
	require.EqualValues(t, 1000, cqlvalue.Milliseconds.ToMicros(1))
	require.EqualValues(t, -1, cqlvalue.Nanoseconds.ToMicros(-1999))
}

// A local time that comes twice is the first of the two, one that does not come is
// later by the gap: as Java has it.
func TestZonesAtTransitions(t *testing.T) {
	for text, want := range map[string]string{
		"2020-03-29T01:59:59": "2020-03-29T00:59:59Z", "2020-03-29T02:30:00": "2020-03-29T01:30:00Z", "2020-03-29T03:00:00": "2020-03-29T01:00:00Z",
		"2020-10-25T01:59:59": "2020-10-24T23:59:59Z", "2020-10-25T02:30:00": "2020-10-25T00:30:00Z", "2020-10-25T03:00:00": "2020-10-25T02:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, want)
		require.NoError(t, err)
		e := encoder(t, typeOf("timestamp"), cqlvalue.Options{TimeZone: "Europe/Paris"})
		require.Equal(t, fmt.Sprintf("%016x", at.UnixMilli()), encode(e, str(text), nil), text)
	}
}

func TestTextOfZone(t *testing.T) {
	e := encoder(t, typeOf("text"), cqlvalue.Options{TimeZone: "Europe/Paris"})
	require.Equal(t, hex.EncodeToString([]byte("2020-06-01T02:00:00.000+02:00")), encode(e, data.DateMillis(1590969600000), data.TimestampSchema))
}
