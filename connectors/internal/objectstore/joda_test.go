package objectstore

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jodaVector is one use of Joda-Time, recorded by testdata/JodaVectors.java.
type jodaVector struct {
	Pattern  *string
	Accepted bool
	Error    string // of the pattern
	Zone     string
	Duration int64 // partition.duration.ms
	MS       int64
	Text     string
	Schedule int64 // rotate.schedule.interval.ms
	Next     int64
}

func jodaVectors(t testing.TB) (all []jodaVector) {
	in, err := os.Open("testdata/joda.jsonl")
	require.NoError(t, err)
	defer in.Close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var v jodaVector
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		all = append(all, v)
	}
	require.NoError(t, lines.Err())
	require.Greater(t, len(all), 1000)
	return all
}

// Patterns, folders and schedules are Joda-Time's, in zones with every kind of change of the clock: at midnight, by half an hour, by a day.
func TestJodaVectors(t *testing.T) {
	for _, v := range jodaVectors(t) {
		loc, err := location(v.Zone)
		require.NoError(t, err)
		at := time.UnixMilli(v.MS)
		if v.Pattern == nil {
			assert.Equal(t, v.Next, nextSchedule(at, time.Duration(v.Schedule)*time.Millisecond, loc).UnixMilli(), "%+v", v)
			continue
		}
		p, err := parsePattern(*v.Pattern)
		if v.Error != "" {
			assert.Error(t, err, "%+v", v)
			continue
		}
		if !assert.NoError(t, err, *v.Pattern) || v.Accepted {
			continue
		}
		assert.Equal(t, v.Text, p.format(cut(at.In(loc), time.Duration(v.Duration)*time.Millisecond)), "%q %+v", *v.Pattern, v)
	}
}
