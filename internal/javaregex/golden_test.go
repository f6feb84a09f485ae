package javaregex

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vector is one pattern on one text, recorded from java.util.regex of Java 17. Positions are in bytes of UTF-8.
type vector struct {
	Regex, Text, Replacement string
	Error                    string // of compiling
	Matches                  bool
	Whole, Find              []int
	First, All               *string
	ReplaceError             string
}

func vectors(t *testing.T, path string) []vector {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var all []vector
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var v vector
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		all = append(all, v)
	}
	require.NoError(t, lines.Err())
	return all
}

func TestGolden(t *testing.T) {
	all := vectors(t, "testdata/java17.jsonl")
	require.NotEmpty(t, all)
	for _, v := range all {
		p, err := Compile(v.Regex)
		if strings.HasPrefix(v.Error, "Look-behind group does not have an obvious maximum length") {
			continue // what Java does not look behind for, we do
		}
		if v.Error != "" {
			if assert.Error(t, err, "%q compiles, Java says %s", v.Regex, v.Error) {
				assert.Equal(t, v.Error, err.Error(), "%q", v.Regex)
			}
			continue
		}
		if !assert.NoError(t, err, "%q", v.Regex) {
			continue
		}
		check(t, p, v, "as compiled")
		if !p.Backtracks() {
			p.find, p.whole = nil, nil
			check(t, p, v, "by backtracking")
		}
	}
}

func check(t *testing.T, p *Pattern, v vector, how string) {
	t.Helper()
	matches, err := p.Matches(v.Text)
	require.NoError(t, err, "%q on %q, %s", v.Regex, v.Text, how)
	assert.Equal(t, v.Matches, matches, "%q matches %q, %s", v.Regex, v.Text, how)
	whole, err := p.FindWhole(v.Text)
	require.NoError(t, err)
	assert.Equal(t, v.Whole, whole, "%q groups of the whole %q, %s", v.Regex, v.Text, how)
	found, err := p.Find(v.Text)
	require.NoError(t, err)
	assert.Equal(t, v.Find, found, "%q found in %q, %s", v.Regex, v.Text, how)
	r := p.Replacement(v.Replacement)
	first, err := p.ReplaceFirst(v.Text, r)
	if v.ReplaceError != "" {
		assert.Error(t, err, "%q with %q on %q, %s", v.Regex, v.Replacement, v.Text, how)
		return
	}
	require.NoError(t, err, "%q with %q on %q, %s", v.Regex, v.Replacement, v.Text, how)
	assert.Equal(t, *v.First, first, "%q with %q on %q, %s", v.Regex, v.Replacement, v.Text, how)
	each, err := p.ReplaceAll(v.Text, r)
	require.NoError(t, err)
	if v.All == nil {
		return // Java goes on between the halves of a surrogate pair
	}
	assert.Equal(t, *v.All, each, "%q with %q all over %q, %s", v.Regex, v.Replacement, v.Text, how)
}
