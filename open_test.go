package connect

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// slowOpen is an offset store that opens when the worker ends.
type slowOpen struct{ *MemoryOffsets }

func (slowOpen) OpenStore(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
func (slowOpen) CloseStore(context.Context) error    { return nil }

// An end that comes while stores are being opened is a clean one.
func TestEndWhileOpening(t *testing.T) {
	rt, err := New(Options{Offsets: slowOpen{NewMemoryOffsets()}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- rt.Run(ctx) }()
	cancel()
	require.NoError(t, <-ended)
}
