package http

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// endpointField names the endpoint in source partitions.
const endpointField = "endpoint"

func partitionOf(endpoint string) connect.SourcePartition {
	return connect.PartitionOf(data.E(endpointField, data.String(endpoint)))
}

// A position says which page to ask for, and how much of it is done.
type position struct {
	// cursor is a cursor, a next URL, or the offset of a record; n a page number or an offset.
	cursor string
	n      int64
	// Times in nanoseconds since 1970: since and until of this round, high the newest timestamp so far.
	since, until, high int64
	// index counts the records of the page that are done; last is the digest of the one before it.
	index int
	last  string
	// seen holds the digests of the window, the newest last.
	seen string
	// etag and modified are those of the page, if all of it is done.
	etag, modified string
	done           bool
}

// digestBytes of text are a digest in last and seen.
const digestBytes = 11

// digest appends the digest of a text.
func digest(dst, text []byte) []byte {
	sum := sha256.Sum256(text)
	return base64.RawStdEncoding.AppendEncode(dst, sum[:8])
}

// sourceOffset writes the position. An entry is there if it says something.
func (p *position) sourceOffset() connect.SourceOffset {
	o := make(connect.SourceOffset, 0, 6)
	text := func(name, v string) {
		if v != "" {
			o = append(o, data.E(name, data.String(v)))
		}
	}
	whole := func(name string, n int64) {
		if n != 0 {
			o = append(o, data.E(name, data.Int64(n)))
		}
	}
	text("cursor", p.cursor)
	o = append(o, data.E("n", data.Int64(p.n)))
	whole("since", p.since)
	whole("until", p.until)
	whole("high", p.high)
	whole("index", int64(p.index))
	text("last", p.last)
	text("seen", p.seen)
	text("etag", p.etag)
	text("modified", p.modified)
	if p.done {
		o = append(o, data.E("done", data.Boolean(true)))
	}
	return o
}

// parsePosition reads what sourceOffset wrote.
func parsePosition(o connect.SourceOffset) (position, error) {
	var p position
	texts := map[string]*string{"cursor": &p.cursor, "last": &p.last, "seen": &p.seen, "etag": &p.etag, "modified": &p.modified}
	index := int64(0)
	numbers := map[string]*int64{"n": &p.n, "since": &p.since, "until": &p.until, "high": &p.high, "index": &index}
	for _, entry := range o {
		ok := false
		switch {
		case texts[entry.Key] != nil:
			*texts[entry.Key], ok = entry.Value.Str()
		case numbers[entry.Key] != nil:
			*numbers[entry.Key], ok = entry.Value.Int()
		case entry.Key == "done":
			p.done, ok = entry.Value.Bool()
		}
		if !ok {
			return p, fmt.Errorf("source offset %s: the entry %q is none of this connector, or of another type", o, entry.Key)
		}
	}
	if index < 0 || index > 1<<31-1 || p.n < 0 || len(p.seen)%digestBytes != 0 || p.last != "" && len(p.last) != digestBytes {
		return p, fmt.Errorf("source offset %s: n and index want numbers from 0 on, last and seen digests of this connector", o)
	}
	p.index = int(index)
	return p, nil
}

// start is where an endpoint begins.
func (e *Endpoint) start(now time.Time) position {
	p := e.firstPage()
	since, err := e.initialTime(now)
	if err == nil && e.usesSince() {
		p.since, p.high = since.UnixNano(), since.UnixNano()
	}
	return p
}

func (e *Endpoint) firstPage() position {
	if e.Pagination == Page || e.Pagination == Offset {
		n, _ := e.startNumber() // checked with the configuration
		return position{n: n}
	}
	return position{cursor: e.Start}
}
