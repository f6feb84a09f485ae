// Command connect runs connectors: a worker of a cluster by the file that Java's
// connect-distributed.sh reads, a standalone worker by the files of
// connect-standalone.sh, or a worker with a Kafka broker of its own for
// development. Each serves Kafka Connect's REST interface.
//
//	connect distributed worker.properties
//	connect standalone worker.properties connector.json ...
//	connect dev [--data DIR] connector.json ...
//	connect try --samples FILE | --topic NAME connector.json
//	connect plugins | config PLUGIN | version [-v] | help
//
// The other commands ask running workers over REST; docs/client.md has them, and
// their exit codes.
//
// The log goes to the standard error, so that file connectors without the key
// file have the standard input and output to themselves.
//
// The exit codes are those of Java's worker: 0 after a clean end, 1 for a wrong
// command line, 2 if the worker's configuration cannot be read or is wrong, or
// Kafka cannot be reached, 3 if the worker failed, or one of the connectors of
// the command line is wrong or did not start, and 4 if a sample of try fails.
//
// SIGINT and SIGTERM end the REST interface, stop the connectors, commit what
// they did, leave the cluster, and end the process; a second one ends it at once.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(runProcess(process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ}))
}

// runProcess carries out the command line of this process until a signal ends
// it, and returns the exit code.
func runProcess(p process) int {
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // it ends with the command
		select {
		case s := <-signals:
			// From now on a signal does again what it does by itself: it kills.
			signal.Stop(signals)
			end(fmt.Errorf("%v signal received", s))
		case <-ctx.Done():
		}
	}()
	return run(ctx, os.Args[1:], p)
}
