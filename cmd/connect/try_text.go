package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/trial"
)

// maxShown is the longest text of one part of a record.
const maxShown = 200

// A part is one line about a record: its topic, its key, a field of its value.
type part struct{ name, text string }

// text writes what became of the samples for people: of each step what it changed.
func (r *trialReport) text(to io.Writer) error {
	w := bufio.NewWriter(to)
	counts := make(map[string]int)
	for i := range r.tried {
		t := &r.tried[i]
		before := r.heading(w, i)
		for n := range t.Steps {
			before = writeStep(w, &t.Steps[n], before)
		}
		counts[outcome(t)]++
		fmt.Fprintf(w, "  %s\n\n", r.ending(t))
	}
	fmt.Fprintf(w, "%s: %d samples", r.ask.Name, len(r.tried))
	for _, o := range []string{"put", "sent", "dropped", "failed"} {
		if counts[o] > 0 {
			fmt.Fprintf(w, ", %d %s", counts[o], o)
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// heading writes the sample itself, and returns its parts.
func (r *trialReport) heading(w io.Writer, i int) []part {
	m, rec := r.input(i)
	if m != nil {
		fmt.Fprintf(w, "sample %d: %s-%d@%d\n", i+1, m.Topic, m.Partition, m.Offset)
		parts := messageParts(m)[1:] // the topic has been said
		writeParts(w, "      ", parts)
		return parts
	}
	fmt.Fprintf(w, "sample %d", i+1)
	if !rec.SourcePartition.IsZero() {
		fmt.Fprintf(w, ": source partition %v, source offset %v", rec.SourcePartition, rec.SourceOffset)
	}
	fmt.Fprintln(w)
	parts := recordParts(&rec.Record)
	writeParts(w, "      ", parts)
	return parts
}

func writeParts(w io.Writer, sign string, parts []part) {
	for _, p := range parts {
		fmt.Fprintf(w, "%s%s\n", sign, p)
	}
}

// writeStep writes one step, with what it changed, and returns what it left.
func writeStep(w io.Writer, s *trial.Step, before []part) []part {
	title := string(s.Stage)
	if s.Alias != "" {
		title += " " + s.Alias
	}
	fmt.Fprintf(w, "  %s: %s%s\n", title, s.Plugin, verdict(s))
	switch {
	case s.Err != nil:
		cause := s.Err
		if e, ok := cause.(*connect.StageError); ok {
			cause = e.Err
		}
		fmt.Fprintf(w, "    ! %s\n", shortened(cause.Error()))
	case s.Message != nil:
		after := messageParts(s.Message)
		writeParts(w, "    + ", made(s.Stage, "bytes ", before, after))
		return after
	case s.Record != nil && s.Stage != connect.StageTransformation:
		after := recordParts(s.Record)
		writeParts(w, "    + ", made(s.Stage, "", before, after))
		return after
	case s.Record != nil:
		after := recordParts(s.Record)
		writeParts(w, "    - ", missing(before, after))
		writeParts(w, "    + ", missing(after, before))
		return after
	}
	return before
}

// made are the parts that a converter makes: those of its own, and headers that it
// adds.
func made(stage connect.Stage, prefix string, before, after []part) (parts []part) {
	own := map[connect.Stage]string{
		connect.StageKeyConverter: prefix + "key", connect.StageValueConverter: prefix + "value", connect.StageHeaderConverter: prefix + "header",
	}[stage]
	for _, p := range after {
		if strings.HasPrefix(p.name, own) {
			parts = append(parts, p)
		}
	}
	if stage != connect.StageHeaderConverter && prefix != "" {
		for _, p := range missing(after, before) {
			if strings.HasPrefix(p.name, prefix+"header ") {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// missing returns the parts that others do not have, as often as they lack them.
func missing(parts, others []part) (lacking []part) {
	n := make(map[part]int)
	for _, p := range others {
		n[p]++
	}
	for _, p := range parts {
		if n[p]--; n[p] < 0 {
			lacking = append(lacking, p)
		}
	}
	return lacking
}

// verdict says whether a transform applies, and why.
func verdict(s *trial.Step) string {
	p := s.Predicate
	if p == nil || s.Err != nil && !p.Holds {
		return ""
	}
	holds, applies := "holds", "applies"
	if !p.Holds {
		holds = "does not hold"
	}
	if !s.Applies() {
		applies = "does not apply"
	}
	if p.Negate {
		holds += ", negated"
	}
	return fmt.Sprintf(" %s: the predicate %s (%s) %s", applies, p.Alias, p.Plugin, holds)
}

// ending says what becomes of the record.
func (r *trialReport) ending(t *trial.Tried) string {
	switch outcome(t) {
	case "dropped":
		return "dropped"
	case "put":
		return "put"
	case "sent":
		if t.Message.Partition >= 0 {
			return fmt.Sprintf("sent to %s, partition %d", t.Message.Topic, t.Message.Partition)
		}
		return "sent to " + t.Message.Topic
	}
	var sink framework.SinkConnectorConfig
	var source framework.SourceConnectorConfig
	_ = config.Decode(r.ask.Props, &sink) // the trial has said what is wrong with it
	_ = config.Decode(r.ask.Props, &source)
	letters := ""
	if topic := sink.DeadLetterTopic; topic != "" && len(r.ask.Messages) > 0 {
		letters = " with a dead letter in " + topic
	}
	if topic := source.DeadLetters.Topic; topic != "" && len(r.ask.Records) > 0 {
		letters = " with a dead letter in " + topic
	}
	if sink.ErrorsTolerance == framework.TolerateAll {
		return "failed; errors.tolerance=all lets it go" + letters
	}
	return "failed; the task would fail" + letters
}

// String is the part as one line.
func (p part) String() string { return fmt.Sprintf("%-12s %s", p.name, shortened(p.text)) }

// shortened cuts long texts, and keeps the lines of one together.
func shortened(text string) string {
	text = strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n      ")
	if len(text) <= maxShown {
		return text
	}
	end := maxShown
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:end], len(text))
}

func messageParts(m *connect.Message) []part {
	parts := []part{{"topic", m.Topic}, {"bytes key", bytesText(m.Key)}, {"bytes value", bytesText(m.Value)}}
	for _, h := range m.Headers {
		parts = append(parts, part{"bytes header " + h.Key, bytesText(h.Value)})
	}
	return parts
}

// bytesText shows bytes: as quoted text, or in Base64.
func bytesText(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case utf8.Valid(b):
		return strconv.Quote(string(b))
	}
	return "Base64 " + data.Bytes(b).String()
}

func recordParts(r *connect.Record) []part {
	parts := []part{{"topic", r.Topic}}
	if p, ok := r.Partition.Get(); ok {
		parts = append(parts, part{"partition", fmt.Sprint(p)})
	}
	if !r.Timestamp.IsZero() {
		parts = append(parts, part{"timestamp", r.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z07:00")})
	}
	parts = appendParts(parts, "key", r.Key.Schema, r.Key.Value)
	parts = appendParts(parts, "value", r.Value.Schema, r.Value.Value)
	for _, h := range r.Headers {
		parts = appendParts(parts, "header "+h.Key, h.Datum.Schema, h.Datum.Value)
	}
	return parts
}

// appendParts takes structs, and maps whose keys are texts, apart.
func appendParts(parts []part, name string, s *data.Schema, v data.Value) []part {
	if x, ok := v.Struct(); ok && x != nil && len(x.Schema().Fields()) > 0 {
		for i, f := range x.Schema().Fields() {
			parts = appendParts(parts, name+"."+f.Name, f.Schema, x.At(i))
		}
		return parts
	}
	if pairs, ok := v.Map(); ok && len(pairs) > 0 && textKeys(pairs) {
		for _, p := range pairs {
			k, _ := p.Key.Str()
			parts = appendParts(parts, name+"."+k, nil, p.Value)
		}
		return parts
	}
	return append(parts, part{name, datumText(s, v)})
}

func textKeys(pairs []data.Pair) bool {
	for _, p := range pairs {
		if p.Key.Kind() != data.KindString {
			return false
		}
	}
	return true
}

// datumText is the type of a value and its text.
func datumText(s *data.Schema, v data.Value) string {
	kind := v.Kind().String()
	if s != nil {
		kind = s.Kind().String()
		if s.Name() != "" {
			kind = s.Name()
		}
	}
	switch v.Kind() {
	case data.KindNull:
		if s == nil {
			return "null"
		}
		return kind + " null"
	case data.KindString:
		return kind + " " + strconv.Quote(v.String())
	}
	return kind + " " + v.String()
}
