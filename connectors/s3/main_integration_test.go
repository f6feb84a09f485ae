//go:build integration

package s3

import (
	"os"
	"testing"

	"github.com/streamlane/connect/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
