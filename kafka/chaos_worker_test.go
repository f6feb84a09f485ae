//go:build synctests

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters"
	"github.com/streamlane/connect/kafka"
	"github.com/streamlane/connect/rest"
)

// A process is a worker from its start to its end. One that was killed has no
// effect any more on anything outside of it: its line is cut, what its plugins
// do does not count, and nobody reaches it.
type process struct {
	c       *chaos
	name    string // of its host; it may be that of an earlier process
	tag     string // of its clients' names, and of no other process
	line    *line
	rt      *connect.Runtime
	handler http.Handler
	end     context.CancelFunc
	died    chan struct{} // closed by kill
	diedAt  time.Time
	ran     chan error
}

var errKilled = errors.New("the process was killed")

func (p *process) dead() bool {
	select {
	case <-p.died:
		return true
	default:
		return false
	}
}

// url is where a worker says that its REST interface is.
func (p *process) url() string { return "http://" + p.host() + "/" }

// host is also the worker's id in statuses.
func (p *process) host() string { return p.name + ":8083" }

// start starts a worker on a host.
func (c *chaos) start(name string) *process {
	c.t.Helper()
	c.note("start %s", name)
	c.started++
	p := &process{c: c, name: name, tag: fmt.Sprintf("%s.%03d", name, c.started), line: newLine(c.dial), died: make(chan struct{}), ran: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: c.logLevel})).With("worker", name)
	settings := c.settings.Merge(config.Props{"client.id": p.tag, "consumer.client.id": p.tag})
	b, err := kafka.New(kafka.Options{Worker: settings, Dial: p.line.Dial, Logger: log})
	require.NoError(c.t, err)
	group, err := b.Group("")
	require.NoError(c.t, err)
	client := &http.Client{Transport: p}
	p.rt, err = connect.New(connect.Options{
		Plugins: append(p.plugins(), converters.All()...), URL: p.url(), Peers: rest.NewPeers(client),
		Coordinator: group, Worker: settings, Broker: b, Logger: log,
		Offsets: b.Offsets("offsets"), Configs: b.Configs("configs"), Status: b.Status("status"),
	})
	require.NoError(c.t, err)
	p.handler = rest.Handler(p.rt, &rest.Options{Internal: rest.NewInternal(p.rt), Client: client, Logger: log})
	ctx, cancel := context.WithCancel(c.t.Context())
	p.end = cancel
	go func() { p.ran <- p.rt.Run(ctx) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive = append(c.alive, p)
	return p
}

// stopLimit is longer than all that a worker may wait for at its end.
const stopLimit = 3 * time.Minute

// stop ends the process in good order.
func (p *process) stop() {
	p.c.t.Helper()
	p.c.note("stop %s", p.name)
	p.c.leave(p)
	p.line.thaw() // a process that stands still does not stop
	p.end()
	select {
	case err := <-p.ran:
		if !p.line.isCut() {
			require.NoError(p.c.t, err, "the end of worker %s", p.name)
			return
		}
		// It could not tell the group that it leaves.
		p.diedAt = time.Now()
		p.ran <- err // for the end of the round
		p.c.silent = append(p.c.silent, p)
	case <-time.After(stopLimit):
		require.Fail(p.c.t, "a worker does not stop", "%s", p.name)
	}
}

// kill ends the process without a word. Its goroutines unwind in the dark.
func (p *process) kill() {
	p.c.note("kill %s", p.name)
	p.c.leave(p)
	p.diedAt = time.Now()
	close(p.died)
	p.line.setCut(true)
	p.line.thaw()
	p.end()
	p.c.silent = append(p.c.silent, p)
}

// leave takes a process off the list of those that live.
func (c *chaos) leave(p *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive = slices.DeleteFunc(c.alive, func(o *process) bool { return o == p })
}

// RoundTrip carries requests of the process to others, in memory.
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.line.pass(r.Context()); err != nil {
		return nil, err
	}
	return p.c.send(r)
}

// send carries a request to the worker that it is for.
func (c *chaos) send(r *http.Request) (*http.Response, error) {
	alive := c.living()
	i := slices.IndexFunc(alive, func(p *process) bool { return p.host() == r.URL.Host })
	if i < 0 {
		return nil, fmt.Errorf("connection to %s refused", r.URL.Host)
	}
	p := alive[i]
	if err := p.line.pass(r.Context()); err != nil {
		return nil, err
	}
	answered := make(chan *http.Response, 1)
	go func() {
		answer := httptest.NewRecorder()
		p.handler.ServeHTTP(answer, r)
		_ = p.line.pass(r.Context())
		answered <- answer.Result()
	}()
	select {
	case resp := <-answered:
		return resp, nil
	case <-p.died:
		return nil, fmt.Errorf("connection to %s reset", r.URL.Host)
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// call sends a request of a user and returns the status of the answer; zero if
// there was none.
func (c *chaos) call(p *process, method, path, body string) (status int, text string) {
	ctx, cancel := context.WithTimeout(c.t.Context(), userPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.url()+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.send(r)
	if err != nil {
		return 0, err.Error()
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// userPatience is how long a user waits for an answer.
const userPatience = 20 * time.Second

// asked is a configuration as the body of a request.
func asked(props config.Props) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range props.Keys() {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%q", k, props[k])
	}
	return b.String() + "}"
}
