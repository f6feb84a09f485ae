//go:build !synctests

package connecttest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClusterSaysHowToRun(t *testing.T) {
	assert.Equal(t, []string{"connecttest.Cluster needs a build tag: go test -tags synctests"}, failuresOf(t, needsTag))
}
