package httpkit

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Options are what a Client takes from outside.
type Options struct {
	// Dial opens connections; nil: by the network. It is for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Client sends requests. It is safe for concurrent use, save for Close.
type Client struct {
	c         Config
	transport *http.Transport
	http      *http.Client
	auth      authorizer
	limit     *rate.Limiter
	gate      gate
	retry     codes
	skip      codes
	counters  counters
}

// A Request is what Client sends.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	// Home is where credentials and Header may go; a request to another origin, and what a redirect leads to there, has neither. Nil: URL is home.
	Home *url.URL
}

// A Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	// Body is decompressed.
	Body []byte
	// URL is where the answer came from, after redirects.
	URL *url.URL
}

// New makes a client. The configuration has been decoded, so its checks have passed; what is read from files (TLS) may still fail.
func New(c Config, o Options) (*Client, error) {
	tlsConfig, err := c.TLS.Client()
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext
	}
	t := &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     tlsConfig,
		TLSHandshakeTimeout: c.ConnectTimeout,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 4,
		DisableCompression:  true, // decompressed here, within the bound
		ForceAttemptHTTP2:   true,
		// A server may make headers long too.
		MaxResponseHeaderBytes: 1 << 20,
	}
	if t.Proxy, err = c.proxy(); err != nil {
		return nil, err
	}
	k := &Client{c: c, transport: t, limit: rate.NewLimiter(rate.Inf, 1)}
	if c.Rate > 0 {
		k.limit = rate.NewLimiter(rate.Limit(c.Rate), c.Burst)
	}
	if k.retry, err = parseCodes(c.Retry.Codes); err != nil {
		return nil, err
	}
	if k.skip, err = parseCodes(c.Retry.SkipCodes); err != nil {
		return nil, err
	}
	k.http = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	k.auth = newAuthorizer(c.Auth, k.http, c.RequestTimeout)
	k.Observe(nil)
	return k, nil
}

// Close lets go of idle connections. No request may be under way.
func (k *Client) Close() { k.transport.CloseIdleConnections() }

// Do tries a request until it succeeds, fails for good, or the retries are used up.
func (k *Client) Do(ctx context.Context, r Request) (*Response, error) {
	var b Backoff
	for {
		res, err := k.Try(ctx, r)
		if err == nil {
			return res, nil
		}
		pause, again := k.Pause(&b, err)
		if !again {
			return nil, err
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// Pause is Backoff.Next with the client's settings.
func (k *Client) Pause(b *Backoff, err error) (pause time.Duration, again bool) {
	if pause, again = b.Next(k.c.Retry, err); again {
		k.counters.retries.Add(1)
		if e, ok := errors.AsType[*Error](err); ok && e.After > 0 {
			k.counters.waits.Add(1)
			k.counters.waited.Add(pause.Milliseconds())
		}
	}
	return pause, again
}

// Try makes one attempt: it waits for the rate limits, sends, follows redirects and reads the response. A 401 has the credentials renewed and the
// request sent once more. The error is an *Error, or the context's if that has ended.
func (k *Client) Try(ctx context.Context, r Request) (*Response, error) {
	if r.Home == nil {
		r.Home = r.URL
	}
	res, err := k.once(ctx, r)
	if err != nil || res.Status != http.StatusUnauthorized || !sameOrigin(r.Home, res.URL) {
		return k.judge(r, res, err)
	}
	again, err := k.auth.renew(ctx, res)
	if err != nil {
		return nil, k.authError(r, err)
	}
	if again {
		res, err = k.once(ctx, r)
	}
	return k.judge(r, res, err)
}

// judge makes errors of responses that are none of success.
func (k *Client) judge(r Request, res *Response, err error) (*Response, error) {
	if err != nil {
		return nil, err
	}
	if res.Status < 400 && !k.skip.has(res.Status) {
		return res, nil
	}
	e := &Error{Method: r.Method, URL: PublicURL(res.URL), Status: res.Status, Body: res.Body, After: k.gate.pause(origin(res.URL))}
	e.Skip = k.skip.has(res.Status)
	switch {
	case k.retry.has(res.Status), res.Status == http.StatusForbidden && e.After > 0 && !e.Skip:
		e.Class = Retry
	case e.Skip:
		e.Class = Skip
	case res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden:
		e.Class = Auth
	}
	return nil, e
}

// maxRedirects is what http.Client allows.
const maxRedirects = 10

// once sends a request and follows redirects.
func (k *Client) once(ctx context.Context, r Request) (*Response, error) {
	for range maxRedirects {
		res, err := k.send(ctx, r)
		if err != nil {
			return nil, err
		}
		to, redirected := location(res)
		if !redirected {
			return res, nil
		}
		if r, err = redirect(r, res, to); err != nil {
			return nil, &Error{Method: r.Method, URL: PublicURL(res.URL), Status: res.Status, Err: err}
		}
	}
	return nil, &Error{Method: r.Method, URL: PublicURL(r.URL), Err: fmt.Errorf("more than %d redirects", maxRedirects)}
}

var errSlow = errors.New("no whole response within http.request.timeout.ms")

// send makes one round trip.
func (k *Client) send(ctx context.Context, r Request) (*Response, error) {
	if err := k.await(ctx, r.URL); err != nil {
		return nil, err
	}
	attempt, cancel := context.WithTimeoutCause(ctx, k.c.RequestTimeout, errSlow)
	defer cancel()
	req, err := k.build(attempt, r)
	if err != nil {
		return nil, err
	}
	res, err := k.roundTrip(req)
	k.counters.count(res, err)
	if err == nil {
		res.URL = r.URL // not what was sent, which may have a key in its query
		k.gate.learn(origin(r.URL), res)
		return res, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if attempt.Err() != nil {
		err = context.Cause(attempt)
	}
	return nil, failure(r.Method, r.URL, err)
}

// Held is for how long yet the server keeps requests to a URL's origin back; 0: not at all.
func (k *Client) Held(u *url.URL) time.Duration { return k.gate.pause(origin(u)) }

// await waits until the rate limits let a request go.
func (k *Client) await(ctx context.Context, u *url.URL) error {
	defer k.counters.kept(time.Now())
	if err := k.gate.wait(ctx, origin(u)); err != nil {
		return err
	}
	return k.limit.Wait(ctx)
}

// build makes the request of net/http, with credentials if it goes home.
func (k *Client) build(ctx context.Context, r Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, &Error{Method: r.Method, URL: PublicURL(r.URL), Err: plain(err)}
	}
	if len(r.Body) == 0 {
		req.Body = http.NoBody
	}
	home := sameOrigin(r.Home, r.URL)
	for name, values := range r.Header {
		if home || harmless(name) {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if home {
		if err := k.auth.apply(ctx, req, r.Body); err != nil {
			return nil, k.authError(r, err)
		}
	}
	return req, nil
}

// authError makes an Error of a failure to get credentials.
func (k *Client) authError(r Request, err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{Class: Auth, Method: r.Method, URL: PublicURL(r.URL), Err: err}
}

// harmless headers go to any host.
func harmless(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "User-Agent", "If-None-Match", "If-Modified-Since":
		return true
	}
	return false
}

func (k *Client) roundTrip(req *http.Request) (*Response, error) {
	res, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end, or is of no use
	body, err := k.read(res)
	if err != nil {
		return nil, err
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// read reads a body within the bound, before and after decompression.
func (k *Client) read(res *http.Response) ([]byte, error) {
	if res.ContentLength > k.c.MaxBytes {
		return nil, ErrTooLarge
	}
	body := io.Reader(io.LimitReader(res.Body, k.c.MaxBytes+1))
	encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding")))
	switch encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		if res.ContentLength == 0 || res.Request.Method == http.MethodHead || res.StatusCode == http.StatusNotModified || res.StatusCode == http.StatusNoContent {
			return nil, nil
		}
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		body = io.LimitReader(z, k.c.MaxBytes+1)
	default:
		return nil, fmt.Errorf("body: content encoding %q, want gzip or none", encoding)
	}
	var b bytes.Buffer
	if res.ContentLength > 0 {
		b.Grow(int(res.ContentLength))
	}
	if _, err := b.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if int64(b.Len()) > k.c.MaxBytes {
		return nil, ErrTooLarge
	}
	return b.Bytes(), nil
}

// sleep waits in real or in a bubble's time.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
