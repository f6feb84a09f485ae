package objectstore

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect"
)

// Any pattern is refused, or prints any time; what it prints is the same each time.
func FuzzPattern(f *testing.F) {
	for _, v := range jodaVectors(f) {
		if v.Pattern != nil {
			f.Add(*v.Pattern, v.MS, v.Duration)
		}
	}
	zone, err := location("America/Sao_Paulo")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, ms, duration int64) {
		p, err := parsePattern(text)
		if err != nil || len(text) > 200 {
			return
		}
		at := time.UnixMilli(ms).In(zone)
		cutAt := cut(at, time.Duration(duration%1e6)*time.Millisecond)
		assert.Equal(t, p.format(cutAt), p.format(cutAt))
		assert.NotEmpty(t, p.tokens)
	})
}

// Any path finds a field, or says that there is none.
func FuzzField(f *testing.F) {
	for _, path := range []string{"a", "a.b", ".", "", "a..b", "zero", "a.b.c.d"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		_, err := fieldOf(templated().Value, path)
		if err != nil {
			assert.Contains(t, err.Error(), "no field")
		}
	})
}

// Any metadata are a claim that makes sense, or the reason is told.
func FuzzClaim(f *testing.F) {
	f.Add("t", "0", "0", "4", "5", "c")
	f.Add("u", "-1", "9", "4", "x", "%zz")
	f.Fuzz(func(t *testing.T, topic, partition, start, end, count, name string) {
		x := &file{part: &partition0}
		c, reason := claimOf(Object{Metadata: map[string]string{
			MetaTopic: topic, MetaPartition: partition, MetaStart: start, MetaEnd: end, MetaCount: count, MetaConnector: name,
		}}, x)
		if reason == "" {
			assert.LessOrEqual(t, c.start, c.end)
			assert.Equal(t, "t", topic)
		}
	})
}

var partition0 = partition{tp: connect.TopicPartition{Topic: "t"}}

// No key leads out of a folder, or to hidden files.
func FuzzLocalKey(f *testing.F) {
	for _, key := range []string{"a/b", "../a", "a/../../b", "/a", "a//b", ".a/b", "a/.b", "a\x00"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if checkKey(key) != nil {
			return
		}
		for part := range strings.SplitSeq(key, "/") {
			assert.NotEmpty(t, part)
			assert.NotEqual(t, '.', rune(part[0]))
			assert.NotContains(t, part, "\x00")
		}
	})
}
