package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/data"
)

// A reader reads one endpoint, page by page.
type reader struct {
	e         *Endpoint
	base      *url.URL
	client    *httpkit.Client
	paths     paths
	partition connect.SourcePartition
	topic     string
	given     *data.Schema
	shape     shape
	fields    int // how many more the shape may have
	keys      keyMaker
	log       *slog.Logger
	count     *counters
	success   atomic.Int64 // time of the last response that could be read, in nanoseconds since 1970

	begin int64 // since of the first round
	pos   position
	due   time.Time
	tries httpkit.Backoff
	empty int // pages without records, one after the other

	// pending are the records of the page that were not handed over yet.
	pending []pendingRecord
	page    page
	// told is the position that was handed over last.
	told position
}

// A page is what the pending records have in common.
type page struct {
	// before is the position that the page was asked for at, next the one behind its last record.
	before, next position
	// contents are the digests of its records.
	contents string
	status   int
	url      string
}

// A pendingRecord is a record on its way. There may be millions, so it is small.
type pendingRecord struct {
	raw
	time time.Time
	at   int    // its place in the page, from 1 on; 0: it is the response; offsetOnly
	seen string // the window behind it
}

// offsetOnly is the place of what is no record, but moves the offset.
const offsetOnly = -1

// behind is the position behind a pending record.
func (r *reader) behind(x *pendingRecord, last bool) position {
	if last {
		return r.page.next
	}
	p := r.page.before
	p.etag, p.modified = "", ""
	p.index, p.last, p.seen = x.at, r.page.contents[(x.at-1)*digestBytes:x.at*digestBytes], x.seen
	return p
}

func newReader(e *Endpoint, base *url.URL, client *httpkit.Client) (*reader, error) {
	r := &reader{e: e, base: base, client: client, partition: partitionOf(e.name), topic: e.topic(), fields: maxFields}
	var err error
	if r.paths, err = e.compile(); err != nil {
		return nil, err
	}
	if e.Value == Given {
		if r.given, err = parseSchema(e.Schema); err != nil {
			return nil, fmt.Errorf("value.schema: %w", err)
		}
	}
	r.keys.paths, r.keys.fields = r.paths.key, maxFields
	return r, nil
}

// restore takes up the offset of an earlier run; nil: none.
func (r *reader) restore(o connect.SourceOffset) error {
	now := time.Now()
	r.pos = r.e.start(now)
	r.begin, r.told = r.pos.since, r.pos
	if o == nil {
		return nil
	}
	p, err := parsePosition(o)
	if err != nil {
		return err
	}
	r.pos, r.told = p, p
	if r.e.SinceInitial == "now" {
		r.begin = 0 // it was the time of another start
	}
	return nil
}

// longHold is what is worth a line in the log.
const longHold = 10 * time.Second

// fetch asks for the page at the position. It sets when it is due again, and the records in pending.
func (r *reader) fetch(ctx context.Context) error {
	if d := r.client.Held(r.base); d >= longHold {
		r.log.InfoContext(ctx, "the server's rate limit holds requests back", "endpoint", r.e.name, "for", d)
	}
	if r.pos.until == 0 {
		r.pos.until = time.Now().UnixNano()
	}
	res, b, err := r.ask(ctx)
	if err == nil {
		r.tries = httpkit.Backoff{}
		r.success.Store(time.Now().UnixNano())
		return r.read(res, b)
	}
	if ctx.Err() != nil {
		return err
	}
	if pause, again := r.client.Pause(&r.tries, err); again {
		r.log.WarnContext(ctx, "trying again", "endpoint", r.e.name, "in", pause, "err", err)
		r.due = time.Now().Add(pause)
		return nil
	}
	r.tries = httpkit.Backoff{}
	return r.settle(ctx, err)
}

// errMalformed marks responses that were none of the format.
var errMalformed = errors.New("the response cannot be read")

// ask sends the request and reads the response. A response that cannot be read may be a gateway's, so it is worth another try.
func (r *reader) ask(ctx context.Context) (*httpkit.Response, *body, error) {
	req, err := r.e.request(r.base, &r.pos)
	if err != nil {
		return nil, nil, fmt.Errorf("endpoint %q: %w", r.e.name, err)
	}
	res, err := r.client.Try(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	if res.Status == http.StatusNotModified {
		return res, nil, nil
	}
	b, err := r.e.decode(res.Body, r.paths.records)
	if failed := r.graphErrors(&b); failed != nil {
		return nil, nil, failed
	}
	if err != nil {
		return nil, nil, &httpkit.Error{Class: httpkit.Retry, Method: req.Method, URL: httpkit.PublicURL(res.URL), Status: res.Status, Body: res.Body,
			Err: fmt.Errorf("%w as %s, its content type is %q: %w", errMalformed, r.e.Format, res.Header.Get("Content-Type"), err)}
	}
	return res, &b, nil
}

// maxLetter bounds what a dead letter has of a response.
const maxLetter = 1 << 20

// graphErrors makes an error of the errors of a GraphQL response, whose status is 200.
func (r *reader) graphErrors(b *body) error {
	if r.e.Query == "" && r.e.Pagination != GraphQL {
		return nil
	}
	list, _ := b.root.Lookup("errors")
	elems, _ := list.Array()
	if len(elems) == 0 {
		return nil
	}
	e := &httpkit.Error{Method: http.MethodPost, URL: httpkit.PublicURL(r.base), Status: http.StatusOK}
	var texts []string
	for _, v := range elems {
		message, _ := v.Lookup("message")
		text, _ := message.Str()
		extensions, _ := v.Lookup("extensions")
		code, _ := extensions.Lookup("code")
		c, _ := code.Str()
		switch strings.ToUpper(c) {
		case "THROTTLED", "RATE_LIMITED", "RATELIMITED", "TOO_MANY_REQUESTS", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT":
			e.Class = httpkit.Retry
		case "UNAUTHENTICATED", "FORBIDDEN":
			e.Class = httpkit.Auth
		}
		texts = append(texts, strings.TrimSpace(c+" "+text))
	}
	e.Err = fmt.Errorf("GraphQL errors: %s", strings.Join(texts, "; "))
	return e
}

// settle deals with a request that has failed for good.
func (r *reader) settle(ctx context.Context, err error) error {
	failed, _ := errors.AsType[*httpkit.Error](err)
	malformed := errors.Is(err, errMalformed)
	switch {
	case failed != nil && failed.Skip: // as if it had no records; the page may have some at the next interval
		r.due, r.pos.until = time.Now().Add(r.e.Interval), 0
		if r.e.ErrorsMode == modeLetter {
			r.letter(failed, r.pos)
			return nil
		}
		r.count.responses.Add(1)
		r.log.WarnContext(ctx, "response skipped", "endpoint", r.e.name, "err", err)
		return nil
	case malformed && r.e.ErrorsMode == modeSkip:
		r.count.responses.Add(1)
		r.log.WarnContext(ctx, "response skipped", "endpoint", r.e.name, "err", err)
		r.due, r.pos = time.Now().Add(r.e.Interval), r.behindSkipped()
		return nil
	case malformed && r.e.ErrorsMode != modeFail:
		after := r.behindSkipped()
		r.due = time.Now().Add(r.e.Interval)
		r.letter(failed, after)
		return nil
	}
	return fmt.Errorf("endpoint %q: %w", r.e.name, err)
}

// letter has a response handed over as a dead letter.
func (r *reader) letter(failed *httpkit.Error, after position) {
	r.pending = []pendingRecord{{raw: raw{text: failed.Body[:min(len(failed.Body), maxLetter)], err: failed}}}
	r.page = page{next: after, status: failed.Status, url: failed.URL}
	r.pos = after
}

// behindSkipped is where to go on behind a page that was let go. Where pages are numbered it is the next one, else the same at the next interval.
func (r *reader) behindSkipped() position {
	p := r.pos
	p.etag, p.modified, p.until = "", "", 0
	switch r.e.Pagination {
	case Page:
		p.n, p.index, p.last = p.n+1, 0, ""
	case Offset:
		if r.e.Limit > 0 {
			p.n, p.index, p.last = p.n+int64(r.e.Limit-r.e.Overlap), 0, ""
		}
	}
	return p
}

// read makes pending records of a page, and moves on.
func (r *reader) read(res *httpkit.Response, b *body) error {
	now := time.Now()
	r.count.pages.Add(1)
	if b == nil { // 304: what was done still is
		r.count.notModified.Add(1)
		r.due, r.pos.until = now.Add(r.e.Interval), 0
		return nil
	}
	if r.e.Value == Inferred { // of the whole page, so that a restart in the middle finds the same schema
		for _, x := range b.records {
			r.shape.see(x.value, &r.fields)
		}
	}
	contents := contentsOf(b)
	fresh := r.fresh(b, contents)
	high := r.pos.high
	for i := range fresh {
		if fresh[i].err == nil && !fresh[i].time.IsZero() {
			high = max(high, fresh[i].time.UnixNano())
		}
	}
	done := r.pos
	done.high = high
	if len(fresh) > 0 {
		done.seen = fresh[len(fresh)-1].seen
	}
	next, more, err := r.advance(done, b, res)
	if err != nil {
		return fmt.Errorf("endpoint %q: %w", r.e.name, err)
	}
	if next.index > 0 && len(b.records) > 0 {
		next.last = strings.Clone(contents[len(contents)-digestBytes:]) // the others may go
	}
	r.page = page{before: r.pos, next: next, contents: contents, status: res.Status, url: httpkit.PublicURL(res.URL)}
	// A restart goes on from there. Within rounds that begin anew each time, where they are matters not.
	if settled := !more || r.e.end() == endContinue && !r.e.usesSince(); len(fresh) == 0 && settled && next != r.told {
		fresh = []pendingRecord{{at: offsetOnly}}
	}
	r.pending, r.pos = fresh, next
	if r.empty++; len(b.records) > 0 {
		r.empty = 0
	}
	r.due = now.Add(r.e.Interval)
	if more && r.empty <= maxEmpty {
		r.due = now.Add(r.e.CatchUp)
	}
	return nil
}

// maxEmpty pages without records may follow each other at the pace of pages. Some interfaces have a next page always, which is for later.
const maxEmpty = 3

// content is what a record is known by where nothing else is said.
func content(x raw) []byte {
	if x.err != nil {
		return x.text
	}
	return appendJSON(nil, x.value)
}

// contentsOf are the digests of a page's records.
func contentsOf(b *body) string {
	digests := make([]byte, 0, len(b.records)*digestBytes)
	for _, x := range b.records {
		digests = digest(digests, content(x))
	}
	return string(digests)
}

// fresh returns the records of a page that were not delivered before.
func (r *reader) fresh(b *body, contents string) []pendingRecord {
	skip := r.skip(contents)
	w := r.window(contents, b)
	var fresh []pendingRecord
	for i := range b.records {
		if known := w.known(i); known || i < skip { // what is skipped was taken into the window
			r.count.known.Add(1)
			continue
		}
		x := pendingRecord{raw: b.records[i], at: i + 1}
		if x.err == nil {
			x.time, x.err = r.timestamp(x.value)
		}
		x.seen = w.add(i)
		fresh = append(fresh, x)
	}
	return fresh
}

// skip returns how many records of the page are done. A page that has changed is searched for the last of them; where it is gone, the page
// is delivered once more: duplicates rather than losses.
func (r *reader) skip(digests string) int {
	n, last := r.pos.index, r.pos.last
	if n == 0 || r.e.window() > 0 && r.e.Pagination == Timestamp {
		return 0
	}
	count := len(digests) / digestBytes
	at := func(i int) string { return digests[i*digestBytes : (i+1)*digestBytes] }
	if last == "" || n <= count && at(n-1) == last {
		return min(n, count)
	}
	for i := count - 1; i >= 0; i-- {
		if at(i) == last {
			return i + 1
		}
	}
	if count > 0 {
		r.log.Warn("a page has changed and lacks the last record that was delivered of it; it is delivered once more", "endpoint", r.e.name)
	}
	return 0
}

func (r *reader) timestamp(v data.Value) (time.Time, error) {
	if r.e.TimestampPath == "" {
		return time.Time{}, nil
	}
	found, ok, err := r.paths.timestamp.one(v)
	if err != nil {
		return time.Time{}, fmt.Errorf("record.timestamp.path: %w", err)
	}
	if !ok || found.IsNull() {
		return time.Time{}, fmt.Errorf("record.timestamp.path: nothing is at %s", r.e.TimestampPath)
	}
	t, ok := timeOf(found)
	if !ok {
		return t, fmt.Errorf("record.timestamp.path: found %s, want a time", found)
	}
	return t, nil
}
