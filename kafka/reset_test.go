package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseReset(t *testing.T) {
	for text, want := range map[string]reset{
		"earliest": {kind: resetEarliest}, "Latest": {kind: resetLatest}, "NONE": {kind: resetNone},
		"by_duration:PT1H30M":     {resetAgo, 90 * time.Minute},
		"by_duration:P2DT3S":      {resetAgo, 48*time.Hour + 3*time.Second},
		"by_duration:pt0.25s":     {resetAgo, 250 * time.Millisecond},
		"by_duration:P106751D":    {resetAgo, 106751 * 24 * time.Hour},
		"by_duration:PT0S":        {kind: resetAgo},
		"by_duration:PT1.000001S": {resetAgo, time.Second + time.Microsecond},
	} {
		got, err := parseReset(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "first", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:P1DT", "by_duration:-PT1H", "by_duration:P106752D", "by_duration:1h", "by_duration:PT99999999999999999999S"} {
		_, err := parseReset(text)
		assert.Error(t, err, text)
	}
}

func FuzzParseReset(f *testing.F) {
	f.Add("by_duration:P1DT2H3M4.5S")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parseReset(text); err == nil && r.ago < 0 {
			t.Errorf("%q: %v", text, r.ago)
		}
	})
}
