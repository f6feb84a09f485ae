package cqlmap_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlmap"
)

// anyName returns a name, plain or not.
func anyName(r *rand.Rand) string {
	letters := []rune(`abAB01__..""'' ,=()` + "\n\té😀-")
	name := make([]rune, 1+r.IntN(6))
	for i := range name {
		name[i] = letters[r.IntN(len(letters))]
	}
	return string(name)
}

// Each mapping that there may be is read from its own text.
func TestMappingsAreReadFromTheirText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		var m cqlmap.Mapping
		seen := map[string]bool{}
		for range 1 + r.IntN(4) {
			a := cqlmap.Assignment{Column: anyName(r)}
			switch r.IntN(8) {
			case 0:
				a.Column = "__ttl"
			case 1:
				a.Column, a.TTL = cqlmap.TTLVariable, true
			case 2:
				a.Column, a.Timestamp = cqlmap.TimestampVariable, true
			}
			switch part := cqlmap.Part(1 + r.IntN(4)); {
			case part == cqlmap.Function:
				a.Source = cqlmap.Now()
			case part != cqlmap.Header && r.IntN(4) == 0:
				a.Source = cqlmap.Source{Part: part}
			default:
				a.Source = cqlmap.Source{Part: part, Field: anyName(r)}
			}
			if !seen[a.Column] {
				m.Assignments = append(m.Assignments, a)
			}
			seen[a.Column] = true
		}
		again, err := cqlmap.Parse(m.String())
		require.NoError(t, err, m.String())
		require.Equal(t, m, again)
	}
}
