package javadate

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is one use of a pattern, recorded from java.text.SimpleDateFormat of Java 17, Locale.ENGLISH, in UTC.
type vector struct {
	Pattern     string
	Error       string // of the pattern
	MS          *int64 // formatted as Text
	Text        string
	Parsed      int64 // of Text
	Unparseable bool
}

// recorded is the now of the recording, for years of two digits.
var recorded = time.Date(2024, 6, 18, 0, 0, 0, 0, time.UTC)

func TestGolden(t *testing.T) {
	in, err := os.Open("testdata/java17.jsonl")
	require.NoError(t, err)
	defer in.Close()
	lines := bufio.NewScanner(in)
	n := 0
	for ; lines.Scan(); n++ {
		var v vector
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		f, err := Compile(v.Pattern, recorded)
		if v.Error != "" {
			if assert.Error(t, err, v.Pattern) {
				assert.Equal(t, v.Error, err.Error(), v.Pattern)
			}
			continue
		}
		if !assert.NoError(t, err, v.Pattern) {
			continue
		}
		if v.MS != nil {
			assert.Equal(t, v.Text, f.Format(*v.MS), "%d as %q", *v.MS, v.Pattern)
		}
		ms, err := f.Parse(v.Text)
		if v.Unparseable {
			assert.ErrorIs(t, err, ErrUnparseable, "%q as %q gives %d", v.Text, v.Pattern, ms)
			continue
		}
		if assert.NoError(t, err, "%q as %q: want %d", v.Text, v.Pattern, v.Parsed) {
			assert.Equal(t, v.Parsed, ms, "%q as %q: %v, want %v", v.Text, v.Pattern, time.UnixMilli(ms).UTC(), time.UnixMilli(v.Parsed).UTC())
		}
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, n)
}
