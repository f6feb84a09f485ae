package data_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func TestErrorKeepsItsCause(t *testing.T) {
	cause := errors.New("cause")
	err := error(&data.Error{Reason: data.ReasonSchema, Message: "what", Err: cause})
	assert.Equal(t, "what: cause", err.Error())
	require.ErrorIs(t, err, cause)
	assert.Equal(t, "what", (&data.Error{Message: "what"}).Error())
}

func TestReasonText(t *testing.T) {
	assert.Equal(t, "DataException", data.ReasonData.String())
	assert.Equal(t, "SchemaBuilderException", data.ReasonSchema.String())
	assert.Equal(t, "SchemaProjectorException", data.ReasonProjection.String())
}

// TestErrorsCutLongText: errors repeat little of a long value, and cut between characters.
func TestErrorsCutLongText(t *testing.T) {
	for _, text := range []string{strings.Repeat("漢", 1000), "a" + strings.Repeat("漢", 1000), "ab" + strings.Repeat("😀", 1000)} {
		_, err := data.Convert(nil, data.String(text), data.Int8Schema)
		require.Error(t, err)
		assert.True(t, utf8.ValidString(err.Error()))
		assert.Less(t, len(err.Error()), 400)
		assert.Contains(t, err.Error(), "...")
	}
}

func TestEntry(t *testing.T) {
	e := data.E("position", data.Int64(5))
	assert.Equal(t, "position", e.Key)
	assertSame(t, data.Int64(5), e.Value)
}
