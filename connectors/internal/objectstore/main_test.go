package objectstore

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// crashAt names the environment variables by which a test has its own binary write an object and kill itself at a step.
const (
	crashAt  = "CONNECT_TEST_CRASH_AT"
	crashDir = "CONNECT_TEST_CRASH_DIR"
)

func TestMain(m *testing.M) {
	step := os.Getenv(crashAt)
	if step == "" {
		os.Exit(m.Run())
	}
	if err := putAndCrash(os.Getenv(crashDir), step); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1) // it was to be killed
}

func putAndCrash(dir, step string) error {
	b, err := OpenLocal(dir, LocalOptions{Owner: "c"})
	if err != nil {
		return err
	}
	if _, err := b.Capabilities(context.Background()); err != nil {
		return err
	}
	b.(*local).at = func(reached string) {
		if reached != step {
			return
		}
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {} // until the signal is there
	}
	return b.Put(context.Background(), crashKey, memory("first"), PutOptions{Metadata: map[string]string{"body": "first"}, IfAbsent: true})
}
