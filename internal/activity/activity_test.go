package activity

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Now
		assert.Empty(t, n.String())
		time.Sleep(120 * time.Millisecond)
		n.Enter("resting for the %dnd time", 2)
		const text = "resting for the 2nd time, which began at 2000-01-01T00:00:00.120Z"
		assert.Equal(t, "The worker is currently "+text, n.String())
		time.Sleep(880 * time.Millisecond)
		n.Complete()
		assert.Equal(t, "The last operation the worker completed was "+text+" and completed at 2000-01-01T00:00:01Z", n.String())
		n.Enter("working")
		assert.Equal(t, "The worker is currently working, which began at 2000-01-01T00:00:01Z", n.String())
	})
}
