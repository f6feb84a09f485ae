package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The exit codes of the commands that ask a worker, beside exitUsage. They are
// documented in docs/client.md, and scripts live by them.
const (
	exitOther       = 2 // a file that cannot be read, an answer that says none of what follows
	exitInvalid     = 3 // the worker, or the file itself, says that a configuration is wrong
	exitNotFound    = 4 // there is no such connector, task, plugin or revision
	exitConflict    = 5 // it is there already, or has changed, or workers rebalance: try again
	exitUnreachable = 6 // no answer
	exitFailed      = 7 // status --check, or --wait, found something FAILED
	exitWaited      = 8 // --wait did not see the state in time
	exitLacks       = 9 // the worker cannot do it; Java's cannot
)

// The environment that stands in for flags.
const (
	envURL      = "CONNECT_URL"
	envUser     = "CONNECT_USER"
	envPassword = "CONNECT_PASSWORD"
	defaultURL  = "http://localhost:8083"
)

// answerLimit bounds what a worker may answer, in bytes.
const answerLimit = 256 << 20

// retryPause is between two attempts while workers rebalance.
const retryPause = 500 * time.Millisecond

// clientFlags say which worker is asked, and how it is shown.
type clientFlags struct {
	url, user, ca, cert, key string
	insecure                 bool
	timeout                  time.Duration
	output                   outputFormat
}

func (c *clientFlags) declare(f *flag.FlagSet) {
	c.declareWorker(f)
	f.DurationVar(&c.timeout, "timeout", 30*time.Second, "give up after this `time`; rebalances are waited for so long, too")
	f.Var(&c.output, "o", "`format` of the output: table (the default), wide or json")
}

// declareOptional is declare for commands that ask no worker but the one of
// --url: what is in the environment does not change their meaning.
func (c *clientFlags) declareOptional(f *flag.FlagSet) {
	c.declare(f)
	f.Lookup("url").Usage = "ask the worker at this `URL`, and not this program"
}

// declareWorker declares what leads to the worker.
func (c *clientFlags) declareWorker(f *flag.FlagSet) {
	f.StringVar(&c.url, "url", "", "`URL` of a worker's REST interface (default $"+envURL+", else "+defaultURL+")")
	f.StringVar(&c.user, "user", "", "`NAME[:PASSWORD]` for basic authentication (default $"+envUser+"; the password, if left out, is $"+envPassword+")")
	f.StringVar(&c.ca, "ca", "", "trust the certificate authorities in this PEM `file`, and no others")
	f.StringVar(&c.cert, "cert", "", "show the certificate in this PEM `file`")
	f.StringVar(&c.key, "key", "", "PEM `file` with the key of the certificate")
	f.BoolVar(&c.insecure, "insecure", false, "trust any certificate: for tests alone")
}

// A client asks one worker.
type client struct {
	base           string // URL without a slash at its end
	http           *http.Client
	user, password string
	out            printer
	errors         io.Writer
	timeout        time.Duration
}

// connect makes the client. It sends nothing yet.
func (c *clientFlags) connect(p process) (*client, error) {
	base := firstOf(c.url, variable(p, envURL), defaultURL)
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError("--url: found %q, want http://HOST:PORT or https://HOST:PORT", base)
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	cl := &client{
		base: strings.TrimSuffix(base, "/"), http: &http.Client{Transport: transport},
		out: printer{p.stdout, c.output}, errors: p.stderr, timeout: c.timeout,
	}
	cl.user, cl.password, _ = strings.Cut(firstOf(c.user, variable(p, envUser)), ":")
	if cl.password == "" {
		cl.password = variable(p, envPassword)
	}
	return cl, nil
}

func (c *clientFlags) transport() (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.insecure} //nolint:gosec // the flag's meaning
	if c.ca != "" {
		text, err := os.ReadFile(c.ca)
		if err != nil {
			return nil, exitWith(exitOther, fmt.Errorf("--ca: %w", err))
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, exitWith(exitOther, fmt.Errorf("--ca: %s: found no certificate in PEM", c.ca))
		}
	}
	if (c.cert == "") != (c.key == "") {
		return nil, usageError("--cert and --key go together")
	}
	if c.cert != "" {
		pair, err := tls.LoadX509KeyPair(c.cert, c.key)
		if err != nil {
			return nil, exitWith(exitOther, fmt.Errorf("--cert, --key: %w", err))
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// variable returns a variable of the process's environment.
func variable(p process, name string) string {
	if p.environ == nil {
		return ""
	}
	value := ""
	for _, v := range p.environ() {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			value = text
		}
	}
	return value
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// An answerError is an answer that says no.
type answerError struct {
	status  int
	message string
	// retryAfter is when the worker says to try again; zero: it says nothing.
	retryAfter time.Duration
}

func (e *answerError) Error() string { return e.message }

// code is the exit code that tells of it.
func (e *answerError) code() int {
	switch {
	case e.lacks():
		return exitLacks
	case e.status == http.StatusNotFound:
		return exitNotFound
	case e.status == http.StatusConflict:
		return exitConflict
	case e.status == http.StatusBadRequest:
		return exitInvalid
	}
	return exitOther
}

// lacks tells that the worker does not know the endpoint. Java's workers and
// ours have the same words for that, and others for what is not found below it.
func (e *answerError) lacks() bool {
	return e.status == http.StatusMethodNotAllowed || e.status == http.StatusNotFound && strings.HasPrefix(e.message, "HTTP 404")
}

// passes tells that the same request may succeed soon: workers rebalance, or one
// starts.
func (e *answerError) passes() bool {
	if e.retryAfter > 0 {
		return true
	}
	switch e.status {
	case http.StatusConflict:
		return strings.HasPrefix(e.message, "Cannot complete request")
	case http.StatusInternalServerError:
		return strings.Contains(e.message, "a rebalance is expected")
	}
	return false
}

// lacks tells of an error that the worker does not know what was asked for.
func lacks(err error) bool {
	e, ok := errors.AsType[*answerError](err)
	return ok && e.lacks()
}

// notFound tells of an error that something is not there.
func notFound(err error) bool {
	e, ok := errors.AsType[*answerError](err)
	return ok && e.status == http.StatusNotFound && !e.lacks()
}

// call sends a request, again while workers rebalance, and decodes the answer;
// nil: it is of no interest. Its error has an exit code.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return exitWith(exitOther, err)
		}
	}
	for {
		answer, err := c.send(ctx, method, path, sent)
		e, isAnswer := errors.AsType[*answerError](err)
		switch {
		case isAnswer && e.passes() && pause(ctx, max(retryPause, e.retryAfter)) == nil:
			continue
		case isAnswer:
			return exitWith(e.code(), err)
		case err != nil:
			return exitWith(exitUnreachable, err)
		case into == nil || len(answer) == 0:
			return nil
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return exitWith(exitOther, fmt.Errorf("%s %s: the answer is not what a worker of Kafka Connect answers: %w", method, c.base+path, err))
		}
		return nil
	}
}

// send sends one request and returns the body of the answer.
func (c *client) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.user != "" {
		req.SetBasicAuth(c.user, c.password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // nothing is lost: the body was read, or failed
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("%s %s: reading the answer: %w", method, c.base+path, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, refusal(resp, answer)
	}
	return answer, nil
}

// refusal is the error of an answer with another status than 2xx. Who answers
// without Kafka Connect's JSON may be no worker.
func refusal(resp *http.Response, answer []byte) error {
	var e struct {
		Message *string `json:"message"`
	}
	wait, _ := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16) // a date says nothing here
	after := time.Duration(wait) * time.Second
	if json.Unmarshal(answer, &e) == nil && e.Message != nil {
		return &answerError{resp.StatusCode, *e.Message, after}
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(answer)), "\n")
	text = strings.TrimSpace(fmt.Sprintf("%s %s answers %s %.200s", resp.Request.Method, resp.Request.URL.Redacted(), resp.Status, text))
	return &answerError{resp.StatusCode, text, after}
}

// pause waits; its error is that ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connectorPath is where a connector is, with the rest of a path.
func connectorPath(name, rest string) string { return "/connectors/" + url.PathEscape(name) + rest }

// asking makes a run function of one that asks a worker, within --timeout.
func (c *clientFlags) asking(do func(ctx context.Context, cl *client, args []string) error) func(context.Context, process, []string) error {
	return func(ctx context.Context, p process, args []string) error {
		cl, err := c.connect(p)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within --timeout %v", c.timeout))
		defer cancel()
		return do(limited, cl, args)
	}
}
