package rest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
)

// newIdle returns a worker that does not run: it is starting for ever.
func newIdle(t *testing.T) *connect.Runtime {
	t.Helper()
	rt, err := connect.New(connect.Options{Plugins: plugins()})
	require.NoError(t, err)
	return rt
}
