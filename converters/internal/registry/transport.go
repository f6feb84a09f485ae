package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
)

const (
	mediaType = "application/vnd.schemaregistry.v1+json"
	// maxAnswer bounds what is read of an answer; a schema beyond it is no schema.
	maxAnswer = 64 << 20
)

// transport sends requests to the first registry that answers.
type transport struct {
	client  *http.Client
	urls    []*url.URL
	headers http.Header
	sign    func(ctx context.Context, r *http.Request) error // credentials; nil: none
	retries int
	// firstWait doubles with each try, up to maxWait.
	firstWait, maxWait time.Duration
	limit              time.Duration // of one request, its answer included; 0: none
	preferred          atomic.Int32  // the URL that answered last
}

// A call is one request, whichever URL takes it.
type call struct {
	method string
	path   string // escaped, below the base URL
	query  url.Values
	body   []byte
}

// do sends a call until a registry answers, then reads the answer.
func (t *transport) do(ctx context.Context, c call) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		answer, wait, err := t.everywhere(ctx, c)
		if err == nil || wait < 0 {
			return answer, err
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		pause := max(t.pause(attempt), wait)
		if attempt >= t.retries || wait > t.maxWait {
			return nil, connect.Retriable(err, wait)
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// everywhere offers a call to each URL in turn, starting with the one that
// answered last. A negative wait says that another try is no use.
func (t *transport) everywhere(ctx context.Context, c call) (answer []byte, wait time.Duration, err error) {
	first := int(t.preferred.Load())
	var errs []error
	var longest time.Duration
	for i := range t.urls {
		at := (first + i) % len(t.urls)
		answer, wait, err := t.once(ctx, t.urls[at], c)
		if err == nil || wait < 0 {
			t.preferred.Store(int32(at))
			return answer, -1, err
		}
		errs = append(errs, err)
		longest = max(longest, wait)
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 1 {
		return nil, longest, errs[0]
	}
	return nil, longest, errors.Join(errs...)
}

// once sends a call to one URL.
func (t *transport) once(ctx context.Context, base *url.URL, c call) (answer []byte, wait time.Duration, err error) {
	if t.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.limit, fmt.Errorf("no answer within %v", t.limit))
		defer cancel()
	}
	r, err := t.request(ctx, base, c)
	if err != nil {
		return nil, -1, err
	}
	shown := c.method + " " + r.URL.Redacted()
	resp, err := t.client.Do(r)
	if err != nil {
		return nil, waitAfter(err), fmt.Errorf("schema registry: %s: %w", shown, plain(ctx, err))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("schema registry: %s: %w", shown, plain(ctx, err))
	case len(text) > maxAnswer:
		return nil, -1, fmt.Errorf("schema registry: %s: the answer is longer than %d bytes", shown, maxAnswer)
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		if !json.Valid(text) {
			return nil, -1, fmt.Errorf("schema registry: %s: the answer is no JSON (is the URL a registry's?): %.100q", shown, text)
		}
		return text, -1, nil
	}
	e := errorOf(resp.StatusCode, shown, text)
	if temporary(resp.StatusCode) {
		return nil, retryAfter(resp.Header, time.Now()), e
	}
	return nil, -1, e
}

// waitAfter says what to do about an error of the HTTP client: a certificate that
// is not trusted will not be later.
func waitAfter(err error) time.Duration {
	if untrusted(err) {
		return -1
	}
	return 0
}

// plain takes the client's wrapping off: the request is named already. What ended
// with its context says why.
func plain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func (t *transport) request(ctx context.Context, base *url.URL, c call) (*http.Request, error) {
	u := *base
	u.User = nil
	raw := strings.TrimRight(u.EscapedPath(), "/") + c.path
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, fmt.Errorf("schema registry: path %q: %w", raw, err)
	}
	u.Path, u.RawPath, u.RawQuery = path, raw, c.query.Encode()
	r, err := http.NewRequestWithContext(ctx, c.method, u.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	for name, values := range t.headers {
		r.Header[name] = slices.Clone(values)
	}
	r.Header.Set("Accept", mediaType+", application/json; q=0.5")
	if len(c.body) > 0 {
		r.Header.Set("Content-Type", mediaType)
	}
	if user := base.User; user != nil {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	if t.sign != nil {
		if err := t.sign(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// errorOf reads what a registry says of a failure; proxies say it in HTML.
func errorOf(status int, request string, text []byte) *Error {
	var said struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &said) != nil || said.Message == "" {
		said.Message = fmt.Sprintf("%.300s", text)
		if said.Message == "" {
			said.Message = http.StatusText(status)
		}
	}
	return &Error{Status: status, Code: said.Code, Message: said.Message, Request: request}
}

// retryAfter reads a pause in seconds, or until a date: by the clock of the registry,
// where it says what that shows.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(n, 0), 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
			now = theirs
		}
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}

// pause is how long to wait after a failed attempt: half of it by chance, so that
// tasks that failed together do not come back together.
func (t *transport) pause(attempt int) time.Duration {
	p := min(t.firstWait<<min(attempt, 20), t.maxWait)
	if p <= 1 {
		return p
	}
	return p/2 + rand.N(p/2+1)
}

// sleep waits; its error is why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
