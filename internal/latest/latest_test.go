package latest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/internal/latest"
)

func TestValue(t *testing.T) {
	v := latest.Of(1)
	same := v
	assert.Equal(t, 1, v.Get())
	assert.Empty(t, v.Changed())

	now, next := v.Watch()
	_, too := same.Watch()
	assert.Equal(t, 1, now)
	same.Set(2)
	v.Update(func(n int) int { return n * 10 })
	<-next
	<-too
	assert.Equal(t, 20, v.Get())
	assert.Len(t, v.Changed(), 1, "one signal for two changes")
	<-v.Changed()
	assert.Empty(t, same.Changed())

	_, next = v.Watch()
	select {
	case <-next:
		t.Error("nothing has changed since")
	default:
	}
}
