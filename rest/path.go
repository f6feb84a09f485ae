package rest

import (
	"net/http"
	"net/url"
	"strings"
)

// canonicalPath returns the request with the path that routes are matched
// against: without a trailing slash and without matrix parameters, and with dot
// segments escaped, for they are names here. It is the request itself if its
// path is canonical.
func canonicalPath(r *http.Request) (*http.Request, error) {
	escaped := r.URL.EscapedPath()
	canonical, err := canonicalSegments(escaped)
	if err != nil || canonical == escaped {
		return r, err
	}
	path, err := url.PathUnescape(canonical)
	if err != nil {
		return nil, failure(http.StatusBadRequest, err, "Bad Request")
	}
	u := *r.URL
	u.Path, u.RawPath = path, canonical
	clone := *r
	clone.URL = &u
	return &clone, nil
}

func canonicalSegments(escaped string) (string, error) {
	if escaped == "" || escaped == "/" {
		return "/", nil
	}
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	for i, segment := range segments {
		segment, _, _ = strings.Cut(segment, ";")
		switch segment {
		case "":
			return "", badRequest("Ambiguous URI empty segment")
		case ".", "..":
			segment = strings.ReplaceAll(segment, ".", "%2E")
		}
		segments[i] = segment
	}
	return "/" + strings.Join(segments, "/"), nil
}

// baseURL returns the URL below which the client found the handler, without a
// slash at its end.
func (s *server) baseURL(r *http.Request) string {
	if s.o.BaseURL != "" {
		return strings.TrimSuffix(s.o.BaseURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + mountPrefix(r)
}

// mountPrefix returns the part of the request's path that muxes and
// http.StripPrefix have taken off.
func mountPrefix(r *http.Request) string {
	target, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return ""
	}
	prefix, ok := strings.CutSuffix(target.EscapedPath(), r.URL.EscapedPath())
	if !ok {
		return ""
	}
	return strings.TrimSuffix(prefix, "/")
}
