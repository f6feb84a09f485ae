package httpkit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Class says what to do about an error.
type Class uint8

// The classes of errors. The zero Class is Fail.
const (
	// Fail: another try would end the same way.
	Fail Class = iota
	// Retry: another try may help.
	Retry
	// Skip: the configuration says to let this response go.
	Skip
	// Auth: the server refused our credentials, also after they were renewed.
	Auth
)

// String returns the class as a word.
func (c Class) String() string {
	switch c {
	case Retry:
		return "retry"
	case Skip:
		return "skip"
	case Auth:
		return "auth"
	}
	return "fail"
}

// An Error is what went wrong with a request. Its text has no credentials: of the URL there are neither user nor query.
type Error struct {
	Class  Class
	Method string
	// URL of the request, without user, query and fragment.
	URL string
	// Status of the response; 0 if there was none.
	Status int
	// Body is the response's body; Error quotes its beginning.
	Body []byte
	// Skip says that the status is one of skip.codes: when no retry is left, the response is let go.
	Skip bool
	// After is the pause that the server asked for; 0: none.
	After time.Duration
	Err   error
}

func (e *Error) Error() string {
	text := e.Method + " " + e.URL
	if e.Status != 0 {
		text += fmt.Sprintf(": status %d", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if len(e.Body) > 0 {
		text += fmt.Sprintf(": %q", head(e.Body))
	}
	return text
}

// headBytes of a body are quoted in errors.
const headBytes = 200

func head(body []byte) []byte { return body[:min(len(body), headBytes)] }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrTooLarge is the cause where a response is longer than http.response.max.bytes, before or after decompression.
var ErrTooLarge = errors.New("the response is larger than http.response.max.bytes")

// ClassOf returns the class of an error of this package; Fail for others.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Fail
}

// PublicURL returns a URL as it may be shown: without user, query and fragment.
func PublicURL(u *url.URL) string {
	show := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return show.String()
}

// failure makes an Error of what kept a response from arriving.
func failure(method string, u *url.URL, err error) *Error {
	e := &Error{Class: Retry, Method: method, URL: PublicURL(u), Err: plain(err)}
	if permanent(err) {
		e.Class = Fail
	}
	return e
}

// plain takes the URL, whose query may hold a key, out of an error.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// permanent tells errors that stay: of certificates, of names that do not exist, of what was asked too much of.
func permanent(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return true // a server without TLS
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" {
		return true // the server's TLS refuses ours
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound && !dns.IsTemporary
	}
	return errors.Is(err, ErrTooLarge) || errors.Is(err, context.Canceled)
}
