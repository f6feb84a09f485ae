package rest_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/streamlane/connect/rest"
)

// A host that puts Loggers in front of its log handler lets /admin/loggers change
// its levels while it runs.
func ExampleLoggers() {
	text := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: rest.LevelTrace, // the lowest that may be wanted
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
	loggers := rest.NewLoggers(slog.LevelInfo)
	log := slog.New(loggers.Handler(text)).With(rest.LoggerKey, "orders.import")

	log.Debug("not seen")
	changed, err := loggers.Set("orders", "DEBUG") // as PUT /admin/loggers/orders does
	fmt.Println(changed, err)
	log.Debug("seen")
	// Output:
	// [orders orders.import] <nil>
	// level=DEBUG msg=seen logger=orders.import
}
