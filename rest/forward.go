package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
)

// target returns the URL of the worker that may do what this one may not; empty
// if it is not known.
func target(err error) (url string, elsewhere bool) {
	if e, ok := errors.AsType[*connect.NotLeaderError](err); ok {
		return e.URL, true
	}
	if e, ok := errors.AsType[*connect.NotAssignedError](err); ok {
		return e.URL, true
	}
	return "", false
}

// forward passes a request on to the worker that may do it, and its answer back
// (Java's HerderRequestHandler and RestClient). A request makes two hops at
// most: from any worker to the leader, and from there to the owner.
func (s *server) forward(ctx context.Context, c *call, to string, why error) (answer, error) {
	if to == "" {
		return answer{}, failure(http.StatusConflict, why, messageNoLeader).later(rebalancePause)
	}
	if c.query.Has("forward") && !c.flag("forward", false) {
		return answer{}, failure(http.StatusConflict, why, messageConflict).later(rebalancePause)
	}
	s.log.DebugContext(ctx, "forwarding a request", "method", c.Method, "path", c.URL.Path, "to", to)
	req, err := forwarded(ctx, c, to)
	if err != nil {
		return answer{}, err
	}
	resp, err := s.o.Client.Do(req)
	if err != nil {
		return answer{}, ioError(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing is lost: the body was read, or failed
	body, err := io.ReadAll(io.LimitReader(resp.Body, s.o.MaxBody+1))
	if err == nil && int64(len(body)) > s.o.MaxBody {
		err = fmt.Errorf("the answer is larger than %d bytes", s.o.MaxBody)
	}
	if err != nil {
		return answer{}, ioError(err)
	}
	return passBack(c, resp, body)
}

func ioError(err error) error {
	return failure(http.StatusInternalServerError, err, "IO Error trying to forward REST request: %v", err)
}

// forwarded returns the request to send to a worker. Of the headers only Authorization goes
// along, of the body its JSON.
func forwarded(ctx context.Context, c *call, to string) (*http.Request, error) {
	var body io.Reader
	if len(c.body) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, c.body); err != nil {
			return nil, ioError(err)
		}
		body = &compact
	}
	query := url.Values{}
	for _, p := range c.route.query {
		if c.query.Has(p.name) {
			query.Set(p.name, c.query.Get(p.name))
		}
	}
	// The first hop may be followed by one more, that by none.
	query.Set("forward", fmt.Sprint(!c.query.Has("forward")))
	target := strings.TrimSuffix(to, "/") + c.URL.EscapedPath() + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, c.Method, target, body)
	if err != nil {
		return nil, ioError(err)
	}
	asWorker(req, c)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// asWorker sets the headers of a request that another one led to: who asked
// there, asks here.
func asWorker(req *http.Request, c *call) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "kafka-connect")
	if authorization := c.Header.Values("Authorization"); len(authorization) > 0 {
		req.Header["Authorization"] = authorization
	}
}

// passBack makes the other worker's answer this one's. What was created is
// found below the worker that was asked.
func passBack(c *call, resp *http.Response, body []byte) (answer, error) {
	status := resp.StatusCode
	switch {
	case status == http.StatusNoContent:
		return answer{status: status}, nil
	case status == http.StatusUnauthorized: // which has no JSON
		return answer{}, failure(status, nil, messageUnauthorized)
	case status >= http.StatusBadRequest:
		var e struct {
			ErrorCode int    `json:"error_code"`
			Message   string `json:"message"`
		}
		if err := json.Unmarshal(body, &e); err != nil {
			return answer{}, ioError(fmt.Errorf("the answer has status %d and no JSON: %w", status, err))
		}
		return answer{}, &StatusError{Status: status, ErrorCode: e.ErrorCode, Message: e.Message, RetryAfter: retryAfter(resp.Header)}
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		return answer{}, failure(http.StatusInternalServerError, nil, "Unexpected status code when handling forwarded request: %d", status)
	}
	a := answer{status: status}
	if len(bytes.TrimSpace(body)) > 0 {
		if !json.Valid(body) {
			return answer{}, ioError(fmt.Errorf("the answer has status %d and no JSON", status))
		}
		a.body = json.RawMessage(body)
	}
	if status == http.StatusCreated {
		a.location = createdAt(c, body)
	}
	return a, nil
}

// retryAfter is the pause that another worker asks for, in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// createdAt returns the path of a connector that another worker has created.
func createdAt(c *call, body []byte) string {
	name := c.name()
	if name == "" {
		var info struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(body, &info) != nil {
			return ""
		}
		name = info.Name
	}
	return connectorPath(name)
}
