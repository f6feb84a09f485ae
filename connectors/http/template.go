package http

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/internal/javajson"
)

// variables of templates.
var variables = []string{"cursor", "page", "offset", "limit", "since", "until", "now", "endpoint", "topic"}

// checkTemplate finds what is no variable.
func checkTemplate(text string) error {
	_, err := expand(text, nil, func(name, _ string) string { return "" })
	return err
}

// expand replaces ${name} and ${name|format}.
func expand(text string, escape func(string) string, value func(name, format string) string) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("${ is not closed")
		}
		name, format, _ := strings.Cut(inner, "|")
		if !slices.Contains(variables, name) {
			return "", fmt.Errorf("there is no variable %q, want one of %s", name, strings.Join(variables, ", "))
		}
		v := value(name, format)
		if escape != nil {
			v = escape(v)
		}
		b.WriteString(v)
		text = after
	}
}

func formatTime(t time.Time, format string) string {
	switch format {
	case "rfc3339":
		return t.UTC().Format(time.RFC3339Nano)
	case "unix":
		return strconv.FormatInt(t.Unix(), 10)
	case "unix_ms":
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return t.UTC().Format(format)
}

// variable is the value of one at a position.
func (e *Endpoint) variable(p *position, now time.Time) func(name, format string) string {
	return func(name, format string) string {
		if format == "" {
			format = e.TimeFormat
		}
		switch name {
		case "cursor":
			return p.cursor
		case "page":
			return strconv.FormatInt(p.n, 10)
		case "offset":
			if e.Pagination == Offset || e.Pagination == Page {
				return strconv.FormatInt(max(0, p.n), 10)
			}
			return p.cursor
		case "limit":
			return strconv.Itoa(e.Limit)
		case "since":
			return formatTime(time.Unix(0, p.since), format)
		case "until":
			return formatTime(time.Unix(0, p.until), format)
		case "endpoint":
			return e.name
		case "topic":
			return e.topic()
		}
		return formatTime(now, format)
	}
}

// request makes the request for a position. home is where credentials may go.
func (e *Endpoint) request(base *url.URL, p *position) (httpkit.Request, error) {
	values := e.variable(p, time.Now())
	r := httpkit.Request{Method: e.Method, Home: base, Header: http.Header{}}
	var err error
	if (e.Pagination == NextURL || e.Pagination == Link) && p.cursor != "" {
		if r.URL, err = base.Parse(p.cursor); err != nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Host == "" {
			return r, fmt.Errorf("the next page's URL is none: %q", p.cursor)
		}
		r.URL.User, r.URL.RawQuery = nil, encoded(r.URL.RawQuery)
	} else if r.URL, err = e.url(base, p, values); err != nil {
		return r, err
	}
	headers := e.header()
	for name, template := range headers {
		v, err := expand(template, nil, values)
		if err != nil {
			return r, err
		}
		r.Header.Set(name, strings.Map(func(c rune) rune {
			if c < ' ' && c != '\t' || c == 0x7f {
				return -1
			}
			return c
		}, v))
	}
	if err := pairs(e.Sensitive.Reveal(), e.SensitiveSeparator, ":", r.Header.Set); err != nil {
		return r, errors.New("request.sensitive.headers: want Name: Value") // the error quotes them
	}
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", map[Format]string{JSON: "application/json", NDJSON: "application/x-ndjson, application/json", CSV: "text/csv", XML: "application/xml, text/xml", Text: "text/plain"}[e.Format]+", */*;q=0.1")
	}
	if p.etag != "" {
		r.Header.Set("If-None-Match", p.etag)
	}
	if p.modified != "" {
		r.Header.Set("If-Modified-Since", p.modified)
	}
	return r, e.setBody(&r, p, values)
}

// topic is the records', with the endpoint's name in it.
func (e *Endpoint) topic() string { return strings.ReplaceAll(e.Topic, "${endpoint}", e.name) }

// join puts the path and its query behind http.url, which may have a path and a query too.
func (e *Endpoint) join(base *url.URL, values func(name, format string) string) (*url.URL, error) {
	path, query, _ := strings.Cut(e.Path, "?")
	path, err := expand(path, url.PathEscape, values)
	if err != nil {
		return nil, err
	}
	path = encoded(path)
	if query, err = expand(query, url.QueryEscape, values); err != nil {
		return nil, err
	}
	own := *base
	own.RawQuery = ""
	text := own.String()
	if path != "" {
		text = strings.TrimSuffix(text, "/") + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	u.RawQuery = encoded(strings.Trim(base.RawQuery+"&"+query, "&"))
	return u, nil
}

// encoded encodes what may stand nowhere in a URL, such as blanks, and leaves the rest as it is.
func encoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c > ' ' && c < 0x7f && !strings.ContainsRune(`"<>\^`+"`{|}", rune(c)) {
			b.WriteByte(c)
		} else {
			_, _ = fmt.Fprintf(&b, "%%%02X", c) // to memory
		}
	}
	return b.String()
}

// url is http.url, the path, and the parameters.
func (e *Endpoint) url(base *url.URL, p *position, values func(name, format string) string) (*url.URL, error) {
	u, err := e.join(base, values)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	for name, template := range e.param() {
		v, err := expand(template, nil, values)
		if err != nil {
			return nil, err
		}
		q.Set(name, v)
	}
	if e.PageParam != "" {
		name := map[Pagination]string{Page: "page", Offset: "offset"}[e.Pagination]
		if v := values(cmpOr(name, "cursor"), ""); v != "" {
			q.Set(e.PageParam, v)
		}
	}
	if e.LimitParam != "" && e.Limit > 0 {
		q.Set(e.LimitParam, strconv.Itoa(e.Limit))
	}
	if e.SinceParam != "" {
		q.Set(e.SinceParam, values("since", ""))
	}
	if len(q) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += q.Encode()
	}
	return u, nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (e *Endpoint) setBody(r *httpkit.Request, p *position, values func(name, format string) string) error {
	if e.Query != "" {
		return e.setQuery(r, p, values)
	}
	trimmed := strings.TrimSpace(e.Body)
	if trimmed == "" {
		return nil
	}
	var escape func(string) string
	contentType := r.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(trimmed, "{"), strings.HasPrefix(trimmed, "["):
		escape = jsonEscape
		if contentType == "" {
			r.Header.Set("Content-Type", "application/json")
		}
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		escape = url.QueryEscape
	}
	text, err := expand(e.Body, escape, values)
	r.Body = []byte(text)
	return err
}

func jsonEscape(s string) string {
	b := javajson.AppendString(nil, s)
	return string(b[1 : len(b)-1])
}

// setQuery makes a GraphQL request.
func (e *Endpoint) setQuery(r *httpkit.Request, p *position, values func(name, format string) string) error {
	variables := "{}"
	if strings.TrimSpace(e.Variables) != "" {
		var err error
		if variables, err = expand(e.Variables, jsonEscape, values); err != nil {
			return err
		}
	}
	v, err := parseJSON([]byte(variables))
	if err != nil {
		return fmt.Errorf("graphql.variables: %w", err)
	}
	pairs, ok := v.Map()
	if !ok {
		return fmt.Errorf("graphql.variables: want a JSON object")
	}
	b := append([]byte(`{"query":`), javajson.AppendString(nil, e.Query)...)
	b = append(b, `,"variables":{`...)
	for _, pair := range pairs {
		if name, _ := pair.Key.Str(); name != e.CursorVariable {
			b = append(append(javajson.AppendString(b, name), ':'), appendJSON(nil, pair.Value)...)
			b = append(b, ',')
		}
	}
	b = append(javajson.AppendString(b, e.CursorVariable), ':')
	if p.cursor == "" {
		b = append(b, "null"...)
	} else {
		b = javajson.AppendString(b, p.cursor)
	}
	r.Body = append(b, "}}"...)
	r.Method = http.MethodPost
	r.Header.Set("Content-Type", "application/json")
	return nil
}
