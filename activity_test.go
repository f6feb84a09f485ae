package connect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestActivity(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 120*1e6, time.FixedZone("", 3600))
	assert.Empty(t, Activity{}.String())
	assert.Equal(t, "The worker is currently resting, which began at 2026-03-01T11:00:00.120Z", Activity{Description: "resting", Began: at}.String())
	assert.Equal(t, "The last operation the worker completed was resting, which began at 2026-03-01T11:00:00.120Z and completed at 2026-03-01T11:00:01Z",
		Activity{Description: "resting", Began: at, Ended: at.Add(880 * time.Millisecond)}.String())
}
