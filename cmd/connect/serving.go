package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/rest"
)

// serving runs f beside a REST server of the worker's keys, which answers from
// before f begins until f has returned or ctx ended. where names the keys in
// errors.
func (p process) serving(ctx context.Context, where string, keys config.Props, f func(context.Context, *rest.Server) error) error {
	server, err := rest.Listen(ctx, rest.ServerConfig{Worker: keys, Logger: p.log, Listen: p.listen})
	if err != nil {
		return exitWith(exitWorker, fmt.Errorf("%s: %w%s", where, err, hintInUse(err)))
	}
	p.log.Info("the REST interface is up", "url", server.URL(), "listeners", strings.Join(server.Addresses(), ","))
	working, stop := context.WithCancelCause(ctx)
	var owned sync.WaitGroup
	var failed error
	owned.Go(func() {
		failed = server.Serve(working)
		stop(failed)
	})
	err = f(working, server)
	stop(nil)
	owned.Wait()
	return errors.Join(err, exitWith(exitConnector, failed))
}

// hintInUse says what may be the matter with a port.
func hintInUse(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return " (does another worker run here? choose another port)"
	}
	return ""
}

// listenFunc opens listeners, as net.ListenConfig.Listen does.
type listenFunc = func(ctx context.Context, network, address string) (net.Listener, error)
