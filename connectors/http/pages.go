package http

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/data"
)

// paths are the compiled selectors of an endpoint.
type paths struct {
	records, page, more, timestamp, offset selector
	key, id                                []selector
}

func (e *Endpoint) compile() (paths, error) {
	var p paths
	var errs []error
	one := func(text string) selector {
		s, err := compile(text)
		errs = append(errs, err)
		return s
	}
	p.records, p.page, p.more, p.timestamp, p.offset = one(e.RecordsPath), one(e.PagePath), one(e.MorePath), one(e.TimestampPath), one(e.OffsetPath)
	for _, t := range e.KeyPath {
		p.key = append(p.key, one(t))
	}
	for _, t := range e.IDPath {
		p.id = append(p.id, one(t))
	}
	return p, errors.Join(errs...)
}

// errTies is for pages that are full of one timestamp: nothing tells what lies behind them.
var errTies = errors.New("a whole page has one timestamp, so the next page cannot be asked for; pagination.limit must be greater than the number of records with one timestamp")

// advance returns where to go on when a page is done, and whether that is a page of this round. Positions keep high and seen.
func (r *reader) advance(p position, b *body, res *httpkit.Response) (next position, more bool, err error) {
	e := r.e
	count := len(b.records)
	full := count > 0 && (e.Limit == 0 || count >= e.Limit)
	next = position{cursor: p.cursor, n: p.n, since: p.since, until: p.until, high: p.high, seen: p.seen}
	switch e.Pagination {
	case Page:
		next.n, more = p.n+1, full
	case Offset:
		next.n, more = p.n+int64(max(min(1, count), count-e.Overlap)), full
	case Record:
		if next.cursor, err = r.lastOffset(b, p.cursor); err != nil {
			return p, false, err
		}
		more = count > 0 && next.cursor != p.cursor && full
	case Timestamp:
		if more = full && p.high > p.since; full && !more && e.Limit > 0 {
			return p, false, errTies
		}
		next.since = p.high
	case Cursor, NextURL, Link, GraphQL:
		if next.cursor, err = r.cursor(b, res); err != nil {
			return p, false, err
		}
		more = next.cursor != "" && next.cursor != p.cursor
	}
	if e.MorePath != "" && (more || e.Pagination == Page || e.Pagination == Offset) { // it decides, also about pages that are not full
		if more, err = r.says(b); err != nil {
			return p, false, err
		}
	}
	if !more {
		next = r.after(p, next, count, res)
	}
	return next, more, nil
}

// lastOffset is that of the last record that could be read; the one so far where there is none.
func (r *reader) lastOffset(b *body, cursor string) (string, error) {
	for _, x := range slices.Backward(b.records) {
		if x.err != nil {
			continue
		}
		v, _, err := r.paths.offset.one(x.value)
		if err != nil {
			return "", fmt.Errorf("record.offset.path: %w", err)
		}
		text, ok := scalar(v)
		if !ok {
			return "", errors.New("record.offset.path: nothing is there in the last record")
		}
		return text, nil
	}
	return cursor, nil
}

// says looks into the response for whether there are more pages.
func (r *reader) says(b *body) (bool, error) {
	v, _, err := r.paths.more.one(b.root)
	if err != nil {
		return false, fmt.Errorf("pagination.more.path: %w", err)
	}
	flag, ok := v.Bool()
	text, _ := scalar(v)
	return ok && flag || strings.EqualFold(text, "true"), nil
}

// cursor finds the cursor or URL of the next page; "" if there is none.
func (r *reader) cursor(b *body, res *httpkit.Response) (string, error) {
	e := r.e
	if e.Pagination == Link {
		return nextLink(res), nil
	}
	if e.PageHeader != "" {
		return res.Header.Get(e.PageHeader), nil
	}
	v, _, err := r.paths.page.one(b.root)
	if err != nil {
		return "", fmt.Errorf("pagination.path: %w", err)
	}
	if e.Pagination == GraphQL {
		if v.Kind() != data.KindMap {
			return "", fmt.Errorf("pagination.path: found %s, want pageInfo", v.Kind())
		}
		if more, _ := v.Lookup("hasNextPage"); more.Kind() == data.KindBoolean {
			if b, _ := more.Bool(); !b {
				return "", nil
			}
		}
		v, _ = v.Lookup("endCursor")
	}
	text, _ := scalar(v)
	if e.Pagination == NextURL && text != "" {
		u, err := res.URL.Parse(text) // relative to where the page came from
		if err != nil {
			return "", fmt.Errorf("pagination.path: %q is no URL", text)
		}
		text = u.String()
	}
	return text, nil
}

// nextLink reads RFC 8288's header.
func nextLink(res *httpkit.Response) string {
	for _, h := range res.Header.Values("Link") {
		for h != "" {
			_, rest, ok := strings.Cut(h, "<")
			if !ok {
				break
			}
			target, params, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			own, after := linkParams(params)
			h = after
			for _, rel := range strings.Fields(own["rel"]) {
				if strings.EqualFold(rel, "next") {
					if u, err := res.URL.Parse(target); err == nil {
						return u.String()
					}
				}
			}
		}
	}
	return ""
}

// linkParams reads ;name=value up to the comma that ends a link.
func linkParams(text string) (params map[string]string, rest string) {
	params = map[string]string{}
	quoted := false
	end := strings.IndexFunc(text, func(c rune) bool {
		if c == '"' {
			quoted = !quoted
		}
		return c == ',' && !quoted
	})
	if end < 0 {
		end = len(text)
	}
	for part := range strings.SplitSeq(text[:end], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		params[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return params, text[min(end+1, len(text)):]
}

// after is the position behind the last page of a round.
func (r *reader) after(p, next position, count int, res *httpkit.Response) position {
	e := r.e
	switch {
	case e.end() == endStop:
		next.done = true
		return next
	case e.usesSince():
		first := e.firstPage()
		first.high, first.seen = p.high, p.seen
		// Never behind the initial time, and never backwards by more than the overlap.
		first.since = max(p.high-e.SinceOverlap.Nanoseconds(), r.begin)
		return first
	case e.end() == endRestart:
		first := e.firstPage()
		first.seen = p.seen
		if first.cursor == p.cursor && first.n == p.n {
			r.tag(&first, res)
		}
		return first
	}
	switch {
	case e.Pagination == Offset:
		next.n = p.n + int64(max(0, count-e.Overlap))
		return next
	case e.Pagination == Record:
		return next
	}
	// The same page again, for what is new behind what is done.
	again := position{cursor: p.cursor, n: p.n, seen: p.seen, index: count}
	r.tag(&again, res)
	return again
}

// tag has the next request for the page be conditional. Where headers lead to the next page none is: a page may stay as it is and get a next one.
func (r *reader) tag(p *position, res *httpkit.Response) {
	if r.e.Pagination != Link && r.e.PageHeader == "" {
		p.etag, p.modified = res.Header.Get("ETag"), res.Header.Get("Last-Modified")
	}
}

// timeOf reads a timestamp: texts of the usual forms, and numbers, whose size tells their unit.
func timeOf(v data.Value) (time.Time, bool) {
	if text, ok := v.Str(); ok {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.RFC1123, time.RFC1123Z, time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, storable(t)
			}
		}
		n, err := parseJSON([]byte(text))
		if err != nil || n.Kind() == data.KindString {
			return time.Time{}, false
		}
		v = n
	}
	if n, ok := v.Int(); ok {
		t := time.Unix(0, n)
		switch size := max(n, -n); {
		case size < 0: // the least of all
		case size < 1e11:
			t = time.Unix(n, 0)
		case size < 1e14:
			t = time.UnixMilli(n)
		case size < 1e17:
			t = time.UnixMicro(n)
		}
		return t, storable(t)
	}
	if f, ok := v.Float(); ok && v.Kind() == data.KindFloat64 && f > -1e11 && f < 1e11 {
		whole := int64(f)
		t := time.Unix(whole, int64((f-float64(whole))*1e6)*1000)
		return t, storable(t)
	}
	return time.Time{}, false
}

// storable tells times that nanoseconds since 1970 can hold.
func storable(t time.Time) bool { return t.Year() > 1677 && t.Year() < 2262 }
