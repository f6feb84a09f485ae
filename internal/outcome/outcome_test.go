package outcome

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOutcome(t *testing.T) {
	bad := errors.New("bad")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(context.DeadlineExceeded)
	for name, err := range map[string]error{"success": nil, "error": bad} {
		t.Run(name, func(t *testing.T) {
			o := New()
			assert.False(t, o.Known())
			assert.NoError(t, o.Err())
			assert.ErrorIs(t, o.Wait(ended), context.DeadlineExceeded)
			var told []error
			o.Then(func(err error) { told = append(told, err) })
			assert.Empty(t, told)
			o.Settle(err)
			assert.Equal(t, []error{err}, told)
			assert.True(t, o.Known())
			for range 100 { // a select among ready cases would pick either
				assert.Equal(t, err, o.Wait(ended), "what is known wins")
			}
			assert.Equal(t, err, o.Err())
			o.Then(func(err error) { told = append(told, err) })
			assert.Equal(t, []error{err, err}, told, "then is now")
		})
	}
	none := (*Outcome)(nil)
	assert.True(t, none.Known())
	assert.NoError(t, none.Wait(ended))
	assert.NoError(t, none.Err())
}

func TestOutcomeIsAwaited(t *testing.T) {
	o := New()
	go o.Settle(errors.New("late"))
	assert.EqualError(t, o.Wait(t.Context()), "late")
}
