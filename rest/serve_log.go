package rest

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// RequestLogger is the namespace of the request log, for levels. Its lines are at
// info level.
const RequestLogger = modulePath + "/rest/requests"

// logRequests writes a line for each request, in the form of Java's request log:
// NCSA's extended format, and milliseconds. users: they are known by name.
func logRequests(log *slog.Logger, users bool, next http.Handler) http.Handler {
	log = log.With(LoggerKey, RequestLogger)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelInfo) {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		counted := &countingWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() { log.InfoContext(r.Context(), requestLine(r, counted, users, began, time.Since(began))) }()
		next.ServeHTTP(counted, r)
	})
}

// requestLine is %{client}a - %u %t "%r" %s %O "%{Referer}i" "%{User-Agent}i" %{ms}T
// in the words of Jetty's CustomRequestLog.
func requestLine(r *http.Request, w *countingWriter, users bool, began time.Time, took time.Duration) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	user := "-"
	if name, _, given := r.BasicAuth(); given && users && w.status != http.StatusUnauthorized {
		user = quotedPart(name)
	}
	header := func(name string) string {
		if v := r.Header.Get(name); v != "" {
			return quotedPart(v)
		}
		return "-"
	}
	return fmt.Sprintf(`%s - %s [%s] "%s %s %s" %d %d "%s" "%s" %d`, client, user, began.Format("02/Jan/2006:15:04:05 -0700"),
		r.Method, quotedPart(r.RequestURI), r.Proto, w.status, w.bytes, header("Referer"), header("User-Agent"), took.Milliseconds())
}

// quotedPart keeps a client from writing lines or quotes of its own.
func quotedPart(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// A countingWriter notes the status and the size of an answer.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
