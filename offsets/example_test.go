package offsets_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/offsets"
)

// A Runtime opens and closes its store itself; a tool does so as here.
func ExampleFile() {
	dir, err := os.MkdirTemp("", "offsets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	ctx := context.Background()
	store := offsets.File(filepath.Join(dir, "connect.offsets"))
	if err := store.OpenStore(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer store.CloseStore(ctx)
	key := []byte(`["orders",{"table":"a"}]`)
	if err := store.Set(ctx, []connect.KV{{Key: key, Value: []byte(`{"id":42}`)}}); err != nil {
		fmt.Println(err)
		return
	}
	for kv, err := range store.Scan(ctx, []byte(`["orders",`)) {
		fmt.Printf("%s %s %v\n", kv.Key, kv.Value, err)
	}
	// Output: ["orders",{"table":"a"}] {"id":42} <nil>
}
