package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// An outputFormat is how results are shown.
type outputFormat string

// The formats. The zero outputFormat is a table.
const (
	outputTable outputFormat = "table"
	outputWide  outputFormat = "wide"
	outputJSON  outputFormat = "json"
)

// String returns the name of the format.
func (o *outputFormat) String() string {
	if *o == "" {
		return string(outputTable)
	}
	return string(*o)
}

// Set takes a name.
func (o *outputFormat) Set(text string) error {
	switch f := outputFormat(text); f {
	case outputTable, outputWide, outputJSON:
		*o = f
		return nil
	}
	return fmt.Errorf("want table, wide or json")
}

// A printer writes results in one format.
type printer struct {
	w      io.Writer
	format outputFormat
}

// isJSON tells that scripts read what is printed.
func (p printer) isJSON() bool { return p.format == outputJSON }

// json prints a value, indented.
func (p printer) json(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// A column of a table.
type column struct {
	head string
	wide bool // only in the wide format
}

// table prints rows below their heads, aligned. Of cells with several lines it
// shows the first.
func (p printer) table(columns []column, rows [][]string) error {
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	for _, row := range append([][]string{heads}, rows...) {
		var shown []string
		for i, cell := range row {
			if !columns[i].wide || p.format == outputWide {
				shown = append(shown, firstLine(cell))
			}
		}
		fmt.Fprintln(t, strings.Join(shown, "\t"))
	}
	return t.Flush()
}

// firstLine is a text fit for a cell; "-" for none.
func firstLine(text string) string {
	line, _, more := strings.Cut(strings.ReplaceAll(text, "\t", " "), "\n")
	switch {
	case text == "":
		return "-"
	case more:
		return strings.TrimRight(line, "\r ") + " ..."
	}
	return line
}

// shorten cuts a text after so many characters.
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-3]) + "..."
}

// instant shows a time of a worker, in UTC; "-" for none.
func instant(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return time.UnixMilli(*ms).UTC().Format("2006-01-02T15:04:05.000Z")
}
