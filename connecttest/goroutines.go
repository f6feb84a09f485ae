package connecttest

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// labelled runs f with a label that the goroutines which f starts inherit, and
// returns it.
func labelled(f func()) (label string) {
	label = unique("case")
	pprof.Do(context.Background(), pprof.Labels("connecttest", label), func(context.Context) { f() })
	return label
}

// assertNoneLeft waits for the goroutines with the label to end.
func assertNoneLeft(t testing.TB, label string) {
	t.Helper()
	ctx := bounded(t)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		left := stacksOf(label)
		if left == "" {
			return
		}
		if ctx.Err() != nil {
			assert.Fail(t, "a goroutine is left behind", "%s", left)
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

// stacksOf returns the stacks of the goroutines with the label; empty: there
// are none.
func stacksOf(label string) string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return ""
	}
	var mine strings.Builder
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, label) {
			mine.WriteString(stack + "\n\n")
		}
	}
	return mine.String()
}
