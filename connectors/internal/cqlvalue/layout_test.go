package cqlvalue

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLayoutsAsJava goes through what Java's DateTimeFormatter was seen to do.
func TestLayoutsAsJava(t *testing.T) {
	in, err := os.Open("testdata/datetimeformatter.jsonl")
	require.NoError(t, err)
	defer in.Close()
	paris, err := time.LoadLocation("Europe/Paris")
	require.NoError(t, err)
	count := 0
	for lines := bufio.NewScanner(in); lines.Scan(); count++ {
		var c struct {
			Pattern, Text      string
			Bad, Fails         bool
			Day, Nano, Seconds *int64
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		l, err := compileOption(c.Pattern, "", &zoneCache{})
		if c.Bad {
			require.Error(t, err, c.Pattern)
			continue
		}
		require.NoError(t, err, c.Pattern)
		m, err := l.parse(c.Text)
		if c.Fails || c.Day == nil && c.Nano == nil && c.Seconds == nil {
			require.Error(t, err, "%s: %s", c.Pattern, c.Text)
			continue
		}
		require.NoError(t, err, "%s: %s", c.Pattern, c.Text)
		if c.Pattern != "ISO_INSTANT" { // which has neither in Java
			require.Equal(t, c.Day != nil, m.hasDate, "%s: %s", c.Pattern, c.Text)
			require.Equal(t, c.Nano != nil, m.hasTime, "%s: %s", c.Pattern, c.Text)
		}
		if c.Day != nil {
			require.Equal(t, *c.Day, m.day, "%s: %s", c.Pattern, c.Text)
		}
		if c.Nano != nil {
			require.Equal(t, *c.Nano, m.nano, "%s: %s", c.Pattern, c.Text)
		}
		if c.Seconds != nil {
			seconds, _, err := m.instant(paris)
			require.NoError(t, err)
			require.Equal(t, *c.Seconds, seconds, "%s: %s", c.Pattern, c.Text)
		}
	}
	require.Greater(t, count, 200)
}

// Days and dates are each other's inverse, and those of package time.
func TestCalendar(t *testing.T) {
	for day := int64(-800_000); day < 800_000; day += 37 {
		y, m, d := civil(day)
		require.Equal(t, day, daysOf(y, m, d))
		want := time.Unix(day*secondsPerDay, 0).UTC()
		require.Equal(t, [3]int64{int64(want.Year()), int64(want.Month()), int64(want.Day())}, [3]int64{y, m, d})
		require.Equal(t, time.Date(want.Year(), want.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day(), daysIn(y, m))
	}
	require.Equal(t, int64(365_241_780_471), daysOf(maxYear, 12, 31)) // LocalDate.MAX
	require.Equal(t, int64(-365_243_219_162), daysOf(-maxYear, 1, 1))
}

// No pattern and no text makes a panic, and what is read is within its ranges.
func FuzzLayout(f *testing.F) {
	for _, pattern := range []string{"CQL_TIMESTAMP", "ISO_DATE_TIME", "yyyyMMddHHmmssSSS", "d/M/yyyy G hh:mm a z", "[yyyy][-MM][-dd]XXX", "'a''b'EEE VV O"} {
		f.Add(pattern, "2020-02-29T10:20:30.5+01:00")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		l, err := compileOption(pattern, "ISO_DATE", &zoneCache{})
		if err != nil || l == nil {
			return
		}
		m, err := l.parse(text)
		if err != nil {
			return
		}
		require.True(t, m.hasDate || m.hasTime)
		require.True(t, m.nano >= 0 && m.nano < nanosPerDay)
		if m.hasDate {
			_, nanos, err := m.instant(time.UTC)
			require.NoError(t, err)
			require.True(t, nanos >= 0 && nanos < nanosPerSecond)
		}
	})
}
