package javadate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNamesAndQuotes(t *testing.T) {
	const ms = 1709214301250 // 2024-02-29T13:45:01.250Z
	for pattern, want := range map[string]string{
		"yyyy-MM-dd'T'HH:mm:ss.SSSXXX": "2024-02-29T13:45:01.250Z",
		"EEEE d MMMM y, h:mm a":        "Thursday 29 February 2024, 1:45 PM",
		"'it''s' G":                    "it's AD",
		"''":                           "'",
		"yy D u w W F k K z zzzz Z":    "24 60 4 9 5 5 13 1 UTC Coordinated Universal Time +0000",
		"SSSSSS":                       "000250",
		"":                             "",
		"'ä' dd ü":                     "ä 29 ü",
	} {
		f, err := Compile(pattern, recorded)
		require.NoError(t, err, pattern)
		assert.Equal(t, want, f.Format(ms), pattern)
		assert.Equal(t, pattern, f.String())
	}
	for pattern, want := range map[string]string{"b": "Illegal pattern character 'b'", "yyyy'": "Unterminated quote", "XXXX": "invalid ISO 8601 format: length=4"} {
		_, err := Compile(pattern, recorded)
		assert.EqualError(t, err, want, pattern)
	}
}

// Where there is no time zone database the present offset counts.
func TestZones(t *testing.T) {
	require.Len(t, zones(), 612)
	for text, want := range map[string]string{
		"2024-07-01 12:00 PST":                          "2024-07-01T20:00:00Z",
		"2024-07-01 12:00 PDT":                          "2024-07-01T19:00:00Z",
		"2024-01-01 12:00 Central European Time":        "2024-01-01T11:00:00Z",
		"2024-01-01 12:00 Central European Summer Time": "2024-01-01T10:00:00Z",
		"1935-01-01 12:00 SGT":                          "1935-01-01T05:00:00Z", // was UTC+7 then
		"2024-01-01 12:00 GMT+2:30":                     "2024-01-01T09:30:00Z",
	} {
		f, err := Compile("yyyy-MM-dd HH:mm z", recorded)
		require.NoError(t, err)
		ms, err := f.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, time.UnixMilli(ms).UTC().Format(time.RFC3339), text)
	}
	z := *zones()[3]
	z.location = func() *time.Location { return nil }
	standard, saving := z.offsets(0)
	assert.Equal(t, []int64{-8 * 3_600_000, 0}, []int64{standard, saving})
}

func TestTwoDigitYears(t *testing.T) {
	now := time.Date(2030, 3, 1, 0, 0, 0, 0, time.UTC)
	f, err := Compile("yy-MM-dd", now)
	require.NoError(t, err)
	for text, want := range map[string]int{"49-12-31": 2049, "50-02-28": 2050, "50-03-01": 1950, "51-01-01": 1951, "30-01-01": 2030, "1999-01-01": 1999} {
		ms, err := f.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, time.UnixMilli(ms).UTC().Year(), text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2024-02-29T13:45:01.250Z", int64(0))
	f.Add("EEE, d MMM yy h:mm a z", "Thu, 29 Feb 24 1:45 pm PST", int64(-62135769600000))
	f.Add("YYYY-'W'ww-u", "2024-W09-4", int64(1<<40))
	f.Fuzz(func(t *testing.T, pattern, text string, ms int64) {
		p, err := Compile(pattern, recorded)
		if err != nil {
			return
		}
		if _, err := p.Parse(text); err != nil {
			assert.ErrorIs(t, err, ErrUnparseable)
		}
		p.Format(ms)
	})
}

// What one prints, one reads, where the pattern says all of it.
func FuzzRoundTrip(f *testing.F) {
	f.Add(int64(1709214301250))
	f.Add(int64(-12219292800001))
	f.Fuzz(func(t *testing.T, ms int64) {
		p, err := Compile("G yyyy-MM-dd HH:mm:ss.SSS", recorded)
		require.NoError(t, err)
		ms %= 1 << 50
		back, err := p.Parse(p.Format(ms))
		require.NoError(t, err, p.Format(ms))
		assert.Equal(t, ms, back, p.Format(ms))
	})
}

func BenchmarkFormat(b *testing.B) {
	f, err := Compile("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", recorded)
	require.NoError(b, err)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = f.Append(out[:0], 1709214301250)
	}
}

func BenchmarkParse(b *testing.B) {
	f, err := Compile("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", recorded)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Parse("2024-02-29T13:45:01.250Z"); err != nil {
			b.Fatal(err)
		}
	}
}
