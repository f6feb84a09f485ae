package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A route is one line of the table that the handler, its answers to OPTIONS and
// its OpenAPI document are made of.
type route struct {
	// method and path are a net/http pattern.
	method, path string
	// id names the operation in the OpenAPI document, summary says what it does.
	id, summary string
	// query are the parameters that it looks at.
	query []param
	// body is the schema of the request's body; empty: none is read.
	body string
	// answers are the schemas of successful answers by status; empty: no body.
	answers map[int]string
	// errors are the statuses of failures to expect, beside 500.
	errors []int
	// leader marks what another worker may have to do.
	leader bool
	// quick marks what does not need the worker, or limits its own time.
	quick bool
	// internal marks what only workers call.
	internal bool

	handle func(s *server, ctx context.Context, c *call) (answer, error)
}

// A param is a query parameter.
type param struct {
	name, schema, doc string
}

// A call is a request on its way through a route.
type call struct {
	*http.Request
	route *route
	// base is where the handler is, for Location headers.
	base  string
	query url.Values
	// body is as it came; nil if the route reads none.
	body []byte
}

// name returns the connector, plugin or logger in the path.
func (c *call) name() string { return c.PathValue("name") }

// task returns the number in the path. As in Java a text that is no number
// matches no resource.
func (c *call) task() (int, error) {
	n, err := strconv.ParseInt(c.PathValue("task"), 10, 32)
	if err != nil {
		return 0, plain(http.StatusNotFound)
	}
	return int(n), nil
}

// flag returns a boolean parameter: any text but true is false, none is absent.
func (c *call) flag(name string, absent bool) bool {
	text := c.query.Get(name)
	if text == "" {
		return absent
	}
	return strings.EqualFold(text, "true")
}

// An answer is what a route has to say: a status and what is written as JSON,
// nil for no body.
type answer struct {
	status   int
	body     any
	location string // of what was created
	// retryAfter says when asking again may help; zero: nothing is said.
	retryAfter time.Duration
}

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

// empty answers without a body, unless there is an error.
func empty(status int, err error) (answer, error) { return answer{status: status}, err }

// mux makes a handler of the table. Methods that a path does not have are
// answered by path alone: OPTIONS with the list, others with 405.
func (s *server) mux(table []route) http.Handler {
	mux := http.NewServeMux()
	methods := make(map[string][]string)
	for _, r := range table {
		methods[r.path] = append(methods[r.path], r.method)
		mux.HandleFunc(r.method+" "+pattern(r.path), func(w http.ResponseWriter, req *http.Request) {
			s.serve(&r, w.(*answerWriter), req)
		})
	}
	for path, have := range methods {
		mux.HandleFunc(pattern(path), s.otherMethod(have))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.refuse(w.(*answerWriter), plain(http.StatusNotFound))
	})
	return mux
}

// pattern returns the net/http pattern of a path, which for / is all below it.
func pattern(path string) string {
	if path == "/" {
		return "/{$}"
	}
	return path
}

// allowOrder is the order in which Java lists methods (that of a HashSet).
var allowOrder = [...]string{"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"}

// otherMethod answers for the methods that a path does not have.
func (s *server) otherMethod(have []string) http.HandlerFunc {
	have = append(slices.Clone(have), http.MethodOptions)
	if slices.Contains(have, http.MethodGet) {
		have = append(have, http.MethodHead)
	}
	list := slices.DeleteFunc(slices.Clone(allowOrder[:]), func(m string) bool { return !slices.Contains(have, m) })
	return func(w http.ResponseWriter, r *http.Request) {
		out := w.(*answerWriter)
		out.Header().Set("Allow", strings.Join(list, ","))
		if r.Method != http.MethodOptions {
			s.refuse(out, plain(http.StatusMethodNotAllowed))
			return
		}
		switch accepted(r.Header.Values("Accept"), "text/plain", "application/json") {
		case "text/plain":
			write(out, http.StatusOK, "text/plain", []byte(strings.Join(list, ", ")))
		case "application/json":
			write(out, http.StatusOK, "application/json", nil)
		default:
			s.refuse(out, plain(http.StatusNotAcceptable))
		}
	}
}

// serve answers a request that a route matches.
func (s *server) serve(r *route, w *answerWriter, req *http.Request) {
	c := &call{Request: req, route: r, base: s.baseURL(w.asked), query: req.URL.Query()}
	if err := s.read(c, w); err != nil {
		s.refuse(w, err)
		return
	}
	ctx := req.Context()
	if !r.quick {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.o.RequestTimeout)
		defer cancel()
	}
	a, err := r.handle(s, ctx, c)
	if to, elsewhere := target(err); elsewhere && r.leader {
		a, err = s.forward(ctx, c, to, err)
	}
	if err != nil {
		s.refuse(w, s.timedOut(err))
		return
	}
	s.answer(w, c, a)
}

// timedOut says of a request that took too long what the worker was doing. One
// that was never ready is starting.
func (s *server) timedOut(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) || statusOf(err).Message != messageTimeout {
		return err
	}
	message := messageTimeout
	if activity := s.rt.Activity(); activity != "" {
		message += ". " + activity
	}
	if !s.rt.Started() {
		return failure(http.StatusServiceUnavailable, err, "%s", message).later(startingPause)
	}
	return failure(http.StatusInternalServerError, err, "%s", message)
}

// read checks what the client sends and accepts, and reads the body.
func (s *server) read(c *call, w http.ResponseWriter) error {
	if accepted(c.Header.Values("Accept"), "application/json") == "" {
		return plain(http.StatusNotAcceptable)
	}
	if c.route.body == "" {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, c.Body, s.o.MaxBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return err
		}
		return failure(http.StatusBadRequest, err, "the body cannot be read: %v", err)
	}
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if len(body) > 0 && (err != nil || kind != "application/json") {
		return plain(http.StatusUnsupportedMediaType)
	}
	c.body = body
	return nil
}

// answer writes a successful answer.
func (s *server) answer(w *answerWriter, c *call, a answer) {
	if a.location != "" {
		w.Header().Set("Location", c.base+a.location)
	}
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", seconds(a.retryAfter))
	}
	if a.body == nil {
		write(w, a.status, "", nil)
		return
	}
	body, err := encode(a.body)
	if err != nil {
		s.refuse(w, fmt.Errorf("writing the answer: %w", err))
		return
	}
	write(w, a.status, "application/json", body)
}

// refuse writes the answer to a request that failed.
func (s *server) refuse(w *answerWriter, err error) {
	e := statusOf(err)
	w.err = err
	code := e.ErrorCode
	if code == 0 {
		code = e.Status
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(e.RetryAfter))
	}
	body, _ := encode(struct { // strings and numbers always encode
		ErrorCode int    `json:"error_code"`
		Message   string `json:"message"`
	}{code, e.Message})
	write(w, e.Status, "application/json", body)
}

// encode writes JSON as Jackson does: < and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// write writes a whole answer. That the client does not take it is its own
// business.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// millis returns a time as Java prints it; nil for none.
func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
