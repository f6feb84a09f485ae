// Command connect runs connectors: a standalone worker by the files that Java's
// connect-standalone.sh reads, or a worker with a Kafka broker of its own for
// development.
//
//	connect standalone worker.properties connector.json ...
//	connect dev [--data DIR] connector.json ...
//	connect plugins | config PLUGIN | version [-v] | help
//
// The log goes to the standard error, so that file connectors without the key
// file have the standard input and output to themselves.
//
// The exit codes are those of Java's worker: 0 after a clean end, 1 for a wrong
// command line, 2 if the worker's configuration cannot be read or is wrong, or
// Kafka cannot be reached, 3 if the worker failed, or one of the connectors of
// the command line is wrong or did not start.
//
// SIGINT and SIGTERM stop the connectors, commit what they did, and end the
// process; a second one ends it at once.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From then on a signal does again what it does by itself: it kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ}))
}
