//go:build !(linux || darwin)

package offsets

import "testing"

func runAsNobody(t *testing.T) { missingRights(t, t.TempDir()) }
