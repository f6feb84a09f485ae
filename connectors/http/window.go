package http

import (
	"unsafe"

	"github.com/streamlane/connect/data"
)

// A window knows which records of a page were delivered with pages before. It keeps their digests in the order of delivery in one text, of which the
// offsets of the records are parts, so that they take no memory of their own.
//
// Without an id, records are known by all of their content, and each digest leaves out one record: two that are alike in all are two.
type window struct {
	size    int // 0: none
	ids     bool
	counts  map[string]int
	digests string // of the page, by the identity of its records
	text    []byte // seen of before, and room for the page's
}

// window makes the window for a page.
func (r *reader) window(contents string, b *body) *window {
	w := &window{size: r.e.window(), ids: len(r.paths.id) > 0, digests: contents}
	if w.size == 0 {
		return w
	}
	if w.ids {
		ids := make([]byte, 0, len(contents))
		for _, x := range b.records {
			ids = digest(ids, r.identity(x))
		}
		w.digests = string(ids)
	}
	seen := r.pos.seen
	w.counts = make(map[string]int, len(seen)/digestBytes)
	for i := 0; i+digestBytes <= len(seen); i += digestBytes {
		w.counts[seen[i:i+digestBytes]]++
	}
	w.text = append(make([]byte, 0, len(seen)+len(contents)), seen...)
	return w
}

// identity is what a record is known by: its ids and its timestamp.
func (r *reader) identity(x raw) []byte {
	var text []byte
	for _, s := range r.paths.id {
		v, ok, err := s.one(x.value)
		if x.err != nil || !ok || err != nil {
			return content(x)
		}
		text = append(appendJSON(text, v), ',')
	}
	if r.e.TimestampPath != "" {
		if v, ok, _ := r.paths.timestamp.one(x.value); ok {
			text = appendJSON(text, v)
		}
	}
	return text
}

func (w *window) at(i int) string { return w.digests[i*digestBytes : (i+1)*digestBytes] }

// known tells whether record i was delivered before.
func (w *window) known(i int) bool {
	if w.size == 0 || w.counts[w.at(i)] == 0 {
		return false
	}
	if !w.ids {
		w.counts[w.at(i)]--
	}
	return true
}

// add takes record i in, and returns the window behind it.
func (w *window) add(i int) string {
	if w.size == 0 {
		return ""
	}
	if w.ids {
		w.counts[w.at(i)]++
	}
	w.text = append(w.text, w.at(i)...)
	from := max(0, len(w.text)-w.size*digestBytes)
	// The bytes behind the text were given room ahead and are written once, so a string may share them.
	part := w.text[from:]
	return unsafe.String(unsafe.SliceData(part), len(part))
}

// keyMaker makes keys of records.
type keyMaker struct {
	paths  []selector
	shapes []shape
	fields int // how many more they may have
	schema *data.Schema
}
