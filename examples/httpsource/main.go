// Command httpsource reads orders from a REST interface, page by page, and hands each to a function: no Kafka is needed.
//
//	go run ./examples/httpsource
//
// The interface is in this process: it has pages of three orders, wants a key, and turns every fourth request away for a second. It is read in two
// runs; the second goes on in the middle of a page, behind the last order of the first.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	source "github.com/streamlane/connect/connectors/http"
	"github.com/streamlane/connect/offsets"
)

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("the program ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	s := &shop{}
	s.add("apples", "melon", "plums", "pears")
	server := httptest.NewServer(s)
	defer server.Close()
	store := offsets.Memory()
	if err := read(ctx, server.URL, store, 4, "run 1"); err != nil {
		return err
	}
	s.add("lemon", "grapes", "figs")
	return read(ctx, server.URL, store, 3, "run 2")
}

// read prints a number of orders.
func read(ctx context.Context, url string, store connect.OffsetStore, orders int, run string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	left := orders
	rt, err := connect.New(connect.Options{
		Plugins: source.Plugins(),
		Offsets: store,
		Receiver: connect.ReceiverFunc(func(_ context.Context, records []connect.SourceRecord) error {
			for _, r := range records {
				item, _ := r.Value.Value.Lookup("item")
				fmt.Printf("%s: order %s at %s: %s\n", run, r.Key.Value, r.Timestamp.UTC().Format(time.TimeOnly), item)
				if left--; left == 0 {
					cancel()
				}
			}
			return nil
		}),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return rt.Run(ctx) })
	g.Go(func() error {
		_, err := rt.PutConnector(ctx, "orders", config.Props{
			"connector.class":       "HttpSource",
			"http.url":              url,
			"topic":                 "orders",
			"path":                  "/orders?page=${page}",
			"pagination":            "page",
			"pagination.limit":      "3",
			"records.path":          "/orders",
			"record.key.path":       "/id",
			"record.timestamp.path": "/at",
			"value.form":            "schemaless",
			"auth.type":             "api_key",
			"auth.api.key":          "open sesame",
			"poll.interval.ms":      "100",
			"poll.max.records":      "1",
		})
		return err
	})
	return g.Wait()
}

// A shop is a REST interface.
type shop struct {
	mu       sync.Mutex
	orders   []order
	requests int
}

type order struct {
	ID   int       `json:"id"`
	At   time.Time `json:"at"`
	Item string    `json:"item"`
}

func (s *shop) add(items ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range items {
		n := len(s.orders) + 1
		s.orders = append(s.orders, order{n, time.Date(2026, 1, 31, 12, n, 0, 0, time.UTC), item})
	}
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests++; s.requests%4 == 0 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if r.Header.Get("X-API-Key") != "open sesame" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	page, err := strconv.Atoi(r.FormValue("page"))
	if err != nil || page < 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	from := min((page-1)*3, len(s.orders))
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(map[string]any{"orders": slices.Clone(s.orders[from:min(from+3, len(s.orders))])}); err != nil {
		slog.Warn("the answer was not read", "err", err)
	}
}
