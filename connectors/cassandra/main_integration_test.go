//go:build integration

package cassandra

import (
	"os"
	"testing"

	"github.com/streamlane/connect/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
