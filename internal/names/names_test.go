package names_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/internal/names"
)

func TestScrub(t *testing.T) {
	noDigit := func(r rune) bool { return !names.Digit(r) }
	for name, want := range map[string]string{
		"name": "name", "na-me": "na_me", "1st": "x1st", "a b": "a_b", "é": "_C3_A9", "a.b": "a_b", "": "", "*": "_", "a/b": "a_2Fb",
	} {
		got := names.Scrub(name, noDigit)
		assert.Equal(t, want, got)
		assert.True(t, names.Valid(got))
	}
	assert.False(t, names.Valid("1a"))
	assert.False(t, names.Valid("a-b"))
	space, name := names.Split("a-b.c.D e", func(s string) string { return names.Scrub(s, noDigit) })
	assert.Equal(t, []string{"a_b.c", "D_e"}, []string{space, name})
}
