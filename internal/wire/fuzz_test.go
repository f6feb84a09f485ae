package wire_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/internal/wire"
)

// FuzzParseMetadata: whatever a member sends, it is an error or has a meaning
// that survives being written.
func FuzzParseMetadata(f *testing.F) {
	recordings(f, func(r recorded) {
		for _, m := range r.Members {
			f.Add(m.Metadata)
		}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.ParseMetadata(b)
		if err != nil {
			assert.Zero(t, m)
			return
		}
		if m.Allocation != nil {
			assert.LessOrEqual(t, m.Allocation.Assigned.Size()+m.Allocation.Revoked.Size(), len(b)/4)
		}
		written, err := m.AppendBinary(nil)
		require.NoError(t, err)
		again, err := wire.ParseMetadata(written)
		require.NoError(t, err)
		rewritten, err := again.AppendBinary(nil)
		require.NoError(t, err)
		assert.Equal(t, written, rewritten)
	})
}

// FuzzParseAssignment is the same for assignments.
func FuzzParseAssignment(f *testing.F) {
	recordings(f, func(r recorded) {
		for _, m := range r.Members {
			f.Add(m.Assignment)
		}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := wire.ParseAssignment(b)
		if err != nil {
			assert.Zero(t, a)
			return
		}
		assert.LessOrEqual(t, a.Assigned.Size()+a.Revoked.Size(), len(b)/4)
		written, err := a.AppendBinary(nil)
		require.NoError(t, err)
		again, err := wire.ParseAssignment(written)
		require.NoError(t, err)
		rewritten, err := again.AppendBinary(nil)
		require.NoError(t, err)
		assert.Equal(t, written, rewritten)
	})
}
