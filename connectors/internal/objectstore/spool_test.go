package objectstore

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was written is read, whatever was spilled in between.
func TestSpoolReadsWhatWasWritten(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		area := newSpillArea(t.TempDir())
		var spools []*spool
		var want [][]byte
		for range 3 {
			spools, want = append(spools, newSpool(area)), append(want, nil)
		}
		for range 40 {
			i := r.IntN(3)
			p := make([]byte, r.IntN(1<<uint(r.IntN(16))))
			for j := range p {
				p[j] = byte(r.Uint32())
			}
			n, err := spools[i].Write(p)
			require.NoError(t, err)
			require.Equal(t, len(p), n)
			want[i] = append(want[i], p...)
			if r.IntN(5) == 0 {
				require.NoError(t, spools[i].spill())
				assert.Zero(t, spools[i].memory)
			}
		}
		for i, s := range spools {
			require.Equal(t, int64(len(want[i])), s.Size())
			got, err := bytesOf(s)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want[i], got))
			if len(got) > 0 {
				from := r.Int64N(s.Size())
				part, err := io.ReadAll(io.NewSectionReader(s, from, s.Size()))
				require.NoError(t, err)
				require.True(t, bytes.Equal(want[i][from:], part))
			}
			n, err := s.ReadAt(make([]byte, 1), s.Size())
			assert.Zero(t, n)
			assert.Equal(t, io.EOF, err)
			s.release()
		}
		assert.Empty(t, area.open, "the temporary files are closed when nothing in them is used")
		require.NoError(t, area.close())
	}
}

// Nothing is left in the folder while the files are in use, so kill -9 leaves nothing.
func TestSpillHasNoNames(t *testing.T) {
	dir := t.TempDir()
	area := newSpillArea(dir)
	s := newSpool(area)
	_, err := s.Write(make([]byte, 100_000))
	require.NoError(t, err)
	require.NoError(t, s.spill())
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, names)
	require.NoError(t, area.close())
	_, err = s.ReadAt(make([]byte, 10), 0)
	assert.ErrorIs(t, err, os.ErrClosed)
}
