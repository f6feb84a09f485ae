// Command mqtt reads an MQTT server, and hands each message to a function of its
// own: no Kafka is needed for that.
//
//	go run ./examples/mqtt
//
// It runs twice. What is published between the runs waits on the server, in the
// session of the connector, for the second run.
//
// The server is in this process, listening on a loopback address, unless
// MQTT=mqtt://host:1883 names another, to which somebody else has to publish.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/mqtt"
	"github.com/streamlane/connect/offsets"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("the program ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, uri, err := serve()
	if err != nil {
		return err
	}
	defer server.Close()
	uri = cmp.Or(os.Getenv("MQTT"), uri)
	store := offsets.Memory()
	err = connector(ctx, uri, store, 3, func(ctx context.Context) error {
		if err := subscribed(ctx, server); err != nil {
			return err
		}
		return publish(server, "21.5", "21.7", "22.0")
	})
	if err != nil {
		return err
	}
	fmt.Println("--- away")
	if err := publish(server, "25.1"); err != nil {
		return err
	}
	return connector(ctx, uri, store, 1, func(context.Context) error { return nil })
}

// connector runs until n messages are delivered. meanwhile runs beside it.
func connector(ctx context.Context, uri string, store connect.OffsetStore, n int, meanwhile func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rt, err := connect.New(connect.Options{
		Plugins: mqtt.Plugins(), Offsets: store, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Receiver: connect.ReceiverFunc(func(_ context.Context, records []connect.SourceRecord) error {
			for _, r := range records {
				fmt.Printf("%s %s %s\n", r.Topic, r.Key.Value, r.Value.Value)
			}
			if n -= len(records); n <= 0 {
				stop()
			}
			return nil // from here on these messages are acknowledged
		}),
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		_, err := rt.PutConnector(ctx, "plant", config.Props{
			"connector.class": "MqttSource",
			"uris":            uri,
			"protocol":        "3.1.1",
			"topics":          "plant/+/temperature",
			"kafka.topic":     "${level.1}.${level.3}", // the receiver sees it as Record.Topic
			"record.key":      "${level.2}",
			"payload":         "string",
		})
		return err
	})
	g.Go(func() error { return meanwhile(ctx) })
	return g.Wait()
}

// serve starts an MQTT server on a loopback address.
func serve() (*mochi.Server, string, error) {
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	if err := s.AddListener(listeners.NewNet("tcp", l)); err != nil {
		return nil, "", err
	}
	return s, "mqtt://" + l.Addr().String(), s.Serve()
}

// subscribed waits for the connector: what was published before is not for it.
func subscribed(ctx context.Context, s *mochi.Server) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, ok := s.Clients.Get("connect-plant"); ok && c.State.Subscriptions.Len() > 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func publish(s *mochi.Server, readings ...string) error {
	for _, r := range readings {
		if err := s.Publish("plant/press/temperature", []byte(r), false, 1); err != nil {
			return err
		}
	}
	return nil
}
