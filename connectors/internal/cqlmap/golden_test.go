package cqlmap_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlmap"
)

// refused are mappings that DataStax' parser takes, for names without a name or
// with a blank in the middle that it drops.
var refused = map[string]bool{"a=value.b c": true, "a=value..b": true, "a=value.": true, "a=header.": true, `a="key."`: true}

// TestAsDataStax goes through what DataStax' parser was seen to do.
func TestAsDataStax(t *testing.T) {
	in, err := os.Open("testdata/mappings.jsonl")
	require.NoError(t, err)
	defer in.Close()
	count := 0
	for lines := bufio.NewScanner(in); lines.Scan(); count++ {
		var c struct {
			Text        string
			Fails       bool
			Assignments [][2]string
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		m, err := cqlmap.Parse(c.Text)
		if c.Fails || refused[c.Text] {
			require.Error(t, err, c.Text)
			require.True(t, c.Fails != refused[c.Text], c.Text)
			continue
		}
		require.NoError(t, err, c.Text)
		var got [][2]string
		for _, a := range m.Assignments {
			source := a.Source.Call
			if source == "" {
				source = a.Source.Part.String() + "." + a.Source.Field
				if strings.HasSuffix(source, ".") {
					source += "__self"
				}
			}
			got = append(got, [2]string{a.Column, source})
		}
		require.Equal(t, c.Assignments, got, c.Text)
	}
	require.Equal(t, 59, count)
}
