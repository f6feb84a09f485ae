// Command mountedrest is an HTTP service that has Kafka Connect's REST interface
// below a path of its own mux, beside the service's routes and behind the
// service's middleware. Its connectors hand their records to a function of the
// service; there is no Kafka.
//
//	go run ./examples/mountedrest                 asks itself, and ends
//	go run ./examples/mountedrest localhost:8080  serves until Ctrl-C
//
// The package is imported as kconnect here, as programs do that import
// connectrpc.com/connect, too.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	kconnect "github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors"
	"github.com/streamlane/connect/rest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		slog.Error("the service ends", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	address := "127.0.0.1:0"
	if len(args) > 0 {
		address = args[0]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s, err := newService("http://" + listener.Addr().String() + "/connect")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.runtime.Run(ctx) })
	g.Go(func() error { return serve(ctx, listener, s.handler()) })
	if len(args) == 0 {
		g.Go(func() error {
			defer cancel() // all was shown: runtime and server stop
			return demonstrate(ctx, "http://"+listener.Addr().String())
		})
	}
	return g.Wait()
}

// serve serves until ctx ends, and then lets requests finish.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(stopping)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// A service takes orders from connectors and shows them.
type service struct {
	runtime *kconnect.Runtime

	mu     sync.Mutex
	orders []string
}

func newService(url string) (*service, error) {
	s := &service{}
	var err error
	s.runtime, err = kconnect.New(kconnect.Options{
		Plugins:  connectors.All(),
		Receiver: kconnect.ReceiverFunc(s.take),
		URL:      url,
		Logger:   slog.Default(),
	})
	return s, err
}

// take is the service's end of the connectors.
func (s *service) take(_ context.Context, records []kconnect.SourceRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		order, _ := r.Value.Value.Str()
		s.orders = append(s.orders, order)
	}
	return nil
}

// handler is the service's mux. What is below /connect/ is Kafka Connect's; as
// everything else it is behind the service's middleware, and only who has the
// token may use it.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", s.showOrders)
	mux.Handle("/connect/", withToken("letmein", http.StripPrefix("/connect", rest.Handler(s.runtime, nil))))
	return named("orders", mux)
}

func (s *service) showOrders(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(w, "%d orders: %s", len(s.orders), strings.Join(s.orders, ", "))
}

// withToken lets requests pass that have the token.
func withToken(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// named says in each answer which service it is from.
func named(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Service", name)
		next.ServeHTTP(w, r)
	})
}

// demonstrate is a client: of the service, and of Kafka Connect within it.
func demonstrate(ctx context.Context, url string) error {
	dir, err := os.MkdirTemp("", "mountedrest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "orders.txt")
	if err := os.WriteFile(file, []byte("3 apples\n1 melon\n2 plums\n"), 0o600); err != nil {
		return err
	}
	c := &visitor{url: url, shown: strings.NewReplacer(strings.TrimPrefix(url, "http://"), "HOST", dir, "DIR")}
	c.ask(ctx, http.MethodGet, "/connect/connectors", "")
	c.token = "letmein"
	c.ask(ctx, http.MethodPut, "/connect/connectors/orders/config", fmt.Sprintf(`{"connector.class":"FileStreamSource","topic":"orders","file":%q}`, file))
	c.until(ctx, "/orders", func(text string) bool { return strings.HasPrefix(text, "3 ") })
	c.until(ctx, "/connect/connectors/orders/status", func(text string) bool { return strings.Count(text, "RUNNING") == 2 })
	c.ask(ctx, http.MethodGet, "/connect/-/connectors/orders/errors", "")
	c.ask(ctx, http.MethodDelete, "/connect/connectors/orders", "")
	c.ask(ctx, http.MethodGet, "/connect/connectors", "")
	return c.err
}

// A visitor asks and prints the answers. After an error it asks nothing more.
type visitor struct {
	url, token string
	shown      *strings.Replacer // what differs from one time to the next
	err        error
}

// ask sends a request and prints it with the answer.
func (v *visitor) ask(ctx context.Context, method, path, body string) {
	status, text := v.send(ctx, method, path, body)
	v.print(method, path, status, text)
}

// until asks again until the answer is as it should be, and prints the last one.
func (v *visitor) until(ctx context.Context, path string, good func(text string) bool) {
	for v.err == nil {
		status, text := v.send(ctx, http.MethodGet, path, "")
		if good(text) {
			v.print(http.MethodGet, path, status, text)
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			v.err = context.Cause(ctx)
		}
	}
}

func (v *visitor) print(method, path string, status int, text string) {
	if v.err == nil {
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%s %s: %d %s", method, path, status, v.shown.Replace(text))))
	}
}

func (v *visitor) send(ctx context.Context, method, path, body string) (status int, text string) {
	if v.err != nil {
		return 0, ""
	}
	req, err := http.NewRequestWithContext(ctx, method, v.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		v.err = err
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/json")
	if v.token != "" {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		v.err = err
		return 0, ""
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if v.err = err; err == nil && resp.Header.Get("X-Service") != "orders" {
		v.err = errors.New("an answer did not come by way of the service's middleware")
	}
	return resp.StatusCode, string(answer)
}
