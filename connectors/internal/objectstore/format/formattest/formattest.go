// Package formattest has what tests of formats share.
package formattest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

// File writes data into one file and returns it. After that its writer holds nothing.
func File(t testing.TB, f format.Format, all ...connect.Datum) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := f.NewWriter(&out, all[0])
	require.NoError(t, err)
	for _, d := range all {
		require.NoError(t, w.Write(d))
	}
	require.NoError(t, w.Close())
	assert.Zero(t, w.Buffered())
	return out.Bytes()
}
