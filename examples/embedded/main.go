// Command embedded is a service with a source connector inside of it, and no
// Kafka: it follows a file and hands each line to a function of its own.
//
//	go run ./examples/embedded           a file that it writes itself; ends with its last line
//	go run ./examples/embedded app.log   a file of yours, until Ctrl-C
//
// Where it is in the file it keeps beside it, in app.log.offsets: started again,
// it goes on with the first line that it has not handled. It links neither a
// Kafka client nor an HTTP server.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/offsets"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 {
		err = follow(ctx, os.Args[1], func(line string) { fmt.Println(line) })
	} else {
		err = demonstrate(ctx)
	}
	if err != nil {
		slog.Error("the service ends", "err", err)
		os.Exit(1)
	}
}

// follow hands the lines of a file to a function, in order, until ctx ends. The
// function is called again for a line only if the process was killed between the
// call and the next commit.
func follow(ctx context.Context, path string, handle func(line string)) error {
	rt, err := connect.New(connect.Options{
		Plugins: connectors.All(),
		Offsets: offsets.File(path + ".offsets"),
		Receiver: connect.ReceiverFunc(func(_ context.Context, records []connect.SourceRecord) error {
			for _, r := range records {
				line, _ := r.Value.Value.Str()
				handle(line)
			}
			return nil // from here on these records count as delivered
		}),
		Logger: slog.Default(),
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		_, err := rt.PutConnector(ctx, "lines", config.Props{
			"connector.class": "FileStreamSource",
			"file":            path,
			"topic":           "lines", // the receiver sees it as Record.Topic
		})
		return err
	})
	return g.Wait()
}

// demonstrate follows a file of three lines, then the same file with two more.
func demonstrate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "embedded")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "orders.txt")
	for round, text := range []string{"3 apples\n1 melon\n2 plums\n", "5 pears\n1 lemon\n"} {
		if err := appendText(path, text); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		left := strings.Count(text, "\n")
		err := follow(ctx, path, func(line string) {
			fmt.Printf("run %d: %s\n", round+1, line)
			if left--; left == 0 {
				cancel()
			}
		})
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func appendText(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
