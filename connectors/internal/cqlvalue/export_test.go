package cqlvalue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

// JSONValue returns the value that a JSON text is read as.
func JSONValue(t *testing.T, text string) data.Value {
	v, err := readJSON(text)
	require.NoError(t, err)
	return v
}
