package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	startLimit = 4 * time.Minute // the slowest start seen, on a machine with load 20, took 82 s
	stopLimit  = time.Minute
	pollEvery  = 20 * time.Millisecond
	tailBytes  = 16 << 10 // of a server's log, shown with a failing test
)

// spec says how a server is run and how one knows that it serves.
type spec struct {
	name string // for messages
	dir  string // working folder; the log is dir/log
	argv []string
	// ready returns nil as soon as the server can be used. It is called again
	// and again, until then or until the process or the context ends.
	ready func(ctx context.Context, p *process) error
}

// process is a running server, or one that has ended.
type process struct {
	spec
	cmd     *exec.Cmd
	logFrom int64         // where this run's log begins in the file
	done    chan struct{} // closed when the process is gone
	err     error         // how it ended, never nil; valid when done is closed
}

// launch starts the process and returns at once; await waits until it is ready.
func launch(s spec) (*process, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	p := &process{spec: s, logFrom: info.Size(), done: make(chan struct{})}
	p.cmd = exec.Command(s.argv[0], s.argv[1:]...)
	p.cmd.Dir = s.dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = ownGroup()
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	return p, nil
}

// run starts the child and waits for it on one thread that does nothing else:
// Linux sends the parent-death signal when the starting thread ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	if p.err = p.cmd.Wait(); p.err == nil {
		p.err = errors.New("exit status 0")
	}
	close(p.done)
}

// start launches a server and waits until it is ready. One that does not get
// ready is ended.
func start(ctx context.Context, s spec) (*process, error) {
	p, err := launch(s)
	if err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

// await polls the server until it is ready. Its error shows the end of the log.
func (p *process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := p.ready(ctx, p)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready (%w); its log:\n%s", p.name, p.err, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (last check: %w); its log:\n%s", p.name, context.Cause(ctx), err, p.tail())
		case <-tick.C:
		}
	}
}

// stop asks the server to end and waits. One that does not within the limit is
// killed, and that is an error.
func (p *process) stop() error {
	if err := terminate(p.cmd.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("%s did not stop within %v; its log:\n%s", p.name, stopLimit, p.tail()), p.kill())
	}
}

// running says whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process and its children without warning, and waits until it is
// gone. Once it has ended, by itself or otherwise, kill does nothing.
func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	if err := killGroup(p.cmd.Process); err != nil {
		return err
	}
	<-p.done
	return nil
}

// log returns what the server has logged since the given place in its log.
func (p *process) log(from int64) string { return readLog(p.dir, from) }

// tail returns the end of this run's log.
func (p *process) tail() string { return tail(p.log(p.logFrom)) }

// readLog returns the log of the server in dir, from a place on. A log that
// cannot be read is empty but for the reason.
func readLog(dir string, from int64) string {
	f, err := os.Open(filepath.Join(dir, "log"))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// logSize returns the place at which the log of the server in dir ends now.
func logSize(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, "log"))
	if err != nil {
		return 0 // no log yet, so all of it is to come
	}
	return info.Size()
}

// tail cuts a log to its last lines.
func tail(log string) string {
	if len(log) <= tailBytes {
		return log
	}
	log = log[len(log)-tailBytes:]
	if _, after, ok := strings.Cut(log, "\n"); ok {
		log = after
	}
	return "...\n" + log
}

// logLine makes a readiness check of a text that this run of the server logs.
func logLine(text string) func(context.Context, *process) error {
	return func(_ context.Context, p *process) error {
		if !strings.Contains(p.log(p.logFrom), text) {
			return fmt.Errorf("%q is not in the log", text)
		}
		return nil
	}
}

// portOpen makes a readiness check of an address that accepts connections.
func portOpen(addr string) func(context.Context, *process) error {
	return func(ctx context.Context, _ *process) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// httpOK makes a readiness check of a URL that answers 200.
func httpOK(url string) func(context.Context, *process) error {
	client := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	return func(ctx context.Context, _ *process) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		return nil
	}
}
