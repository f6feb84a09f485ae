package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
)

// offsetsBody is what workers tell of offsets, and take.
type offsetsBody struct {
	Offsets []offsetEntry `json:"offsets"`
}

type offsetEntry struct {
	Partition json.RawMessage `json:"partition"`
	Offset    json.RawMessage `json:"offset"`
}

// sinkPartition and sinkOffset are those of sinks.
type sinkPartition struct {
	Topic     *string `json:"kafka_topic"`
	Partition *int32  `json:"kafka_partition"`
}

type sinkOffset struct {
	Offset *int64 `json:"kafka_offset"`
}

func offsetsCommand() command {
	return command{
		name: "offsets", args: "[flags] get|set|reset NAME [TOPIC:PARTITION=OFFSET ...]",
		summary: "shows, changes or forgets offsets; a connector must be stopped for a change",
		style:   flagsAnywhere, words: []wordKind{wordOffsetsVerb, wordName, wordNothing},
		prepare: func(f *flag.FlagSet) func(context.Context, process, []string) error {
			var flags clientFlags
			flags.declare(f)
			file := f.String("file", "", "with set: take the offsets from this JSON `file`, of the form that get -o json prints; - is the standard input")
			return func(ctx context.Context, p process, args []string) error {
				if len(args) < 2 {
					return usageError("offsets takes get, set or reset, and the name of a connector")
				}
				run := flags.asking(func(ctx context.Context, cl *client, args []string) error {
					return cl.offsets(ctx, args[0], args[1], args[2:], *file, p.stdin)
				})
				return run(ctx, p, args)
			}
		},
	}
}

func (c *client) offsets(ctx context.Context, verb, name string, changes []string, file string, stdin io.Reader) error {
	path := connectorPath(name, "/offsets")
	if verb != "set" && (len(changes) > 0 || file != "") {
		return usageError("offsets %s takes one name and nothing more", verb)
	}
	switch verb {
	case "get":
		var found offsetsBody
		if err := c.call(ctx, http.MethodGet, path, nil, &found); err != nil {
			return err
		}
		return c.printOffsets(found)
	case "set":
		body, err := offsetChanges(changes, file, stdin)
		if err != nil {
			return err
		}
		return c.alterOffsets(ctx, http.MethodPatch, path, body)
	case "reset":
		return c.alterOffsets(ctx, http.MethodDelete, path, nil)
	}
	return usageError("offsets: found %q, want get, set or reset", verb)
}

// alterOffsets sends a change and prints what the worker says of it.
func (c *client) alterOffsets(ctx context.Context, method, path string, body any) error {
	var said struct {
		Message string `json:"message"`
	}
	if err := c.call(ctx, method, path, body, &said); err != nil {
		return err
	}
	if c.out.isJSON() {
		return c.out.json(said)
	}
	_, err := fmt.Fprintln(c.out.w, said.Message)
	return err
}

// offsetChanges are those of the command line or of a file.
func offsetChanges(changes []string, file string, stdin io.Reader) (any, error) {
	switch {
	case file != "" && len(changes) > 0:
		return nil, usageError("offsets set takes --file, or TOPIC:PARTITION=OFFSET, not both")
	case file != "":
		return readOffsets(file, stdin)
	case len(changes) == 0:
		return nil, usageError("offsets set takes --file, or TOPIC:PARTITION=OFFSET for a sink")
	}
	var body offsetsBody
	for _, text := range changes {
		e, err := parseOffsetChange(text)
		if err != nil {
			return nil, err
		}
		body.Offsets = append(body.Offsets, e)
	}
	return body, nil
}

// readOffsets reads a file and sends it on as it is.
func readOffsets(file string, stdin io.Reader) (any, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, exitWith(exitOther, fmt.Errorf("--file: %w", err))
	}
	var body offsetsBody
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&body); err != nil {
		return nil, exitWith(exitInvalid, fmt.Errorf(`--file %s: %w; want {"offsets":[{"partition":{...},"offset":{...}}]}`, file, err))
	}
	return body, nil
}

// parseOffsetChange reads TOPIC:PARTITION=OFFSET; the offset null forgets it.
func parseOffsetChange(text string) (offsetEntry, error) {
	at, offset, hasOffset := strings.Cut(text, "=")
	topic, partition, hasPartition := strings.Cut(at, ":")
	n, err := strconv.ParseInt(partition, 10, 32)
	if !hasOffset || !hasPartition || topic == "" || err != nil {
		return offsetEntry{}, usageError("found %q, want TOPIC:PARTITION=OFFSET", text)
	}
	number := int32(n)
	p, err := json.Marshal(sinkPartition{&topic, &number})
	if err != nil {
		return offsetEntry{}, err
	}
	if offset == "null" {
		return offsetEntry{p, json.RawMessage("null")}, nil
	}
	to, err := strconv.ParseInt(offset, 10, 64)
	if err != nil {
		return offsetEntry{}, usageError("found the offset %q in %q, want a number or null", offset, text)
	}
	o, err := json.Marshal(sinkOffset{&to})
	return offsetEntry{p, o}, err
}

// printOffsets prints those of a sink by topic and partition, those of a source as
// the connector has them.
func (c *client) printOffsets(found offsetsBody) error {
	if c.out.isJSON() {
		if found.Offsets == nil {
			found.Offsets = []offsetEntry{}
		}
		return c.out.json(found)
	}
	if rows := sinkRows(found.Offsets); len(rows) > 0 {
		return c.out.table([]column{{head: "TOPIC"}, {head: "PARTITION"}, {head: "OFFSET"}}, rows)
	}
	rows := make([][]string, len(found.Offsets))
	for i, o := range found.Offsets {
		rows[i] = []string{compactJSON(o.Partition), compactJSON(o.Offset)}
	}
	slices.SortFunc(rows, slices.Compare)
	return c.out.table([]column{{head: "PARTITION"}, {head: "OFFSET"}}, rows)
}

// sinkRows are the cells of a sink's offsets, in the order of topics and
// partitions; nil if they are a source's.
func sinkRows(offsets []offsetEntry) [][]string {
	type row struct {
		topic     string
		partition int32
		offset    int64
	}
	var all []row
	for _, e := range offsets {
		var p sinkPartition
		var o sinkOffset
		if json.Unmarshal(e.Partition, &p) != nil || json.Unmarshal(e.Offset, &o) != nil || p.Topic == nil || p.Partition == nil || o.Offset == nil {
			return nil
		}
		all = append(all, row{*p.Topic, *p.Partition, *o.Offset})
	}
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	cells := make([][]string, len(all))
	for i, r := range all {
		cells[i] = []string{r.topic, fmt.Sprint(r.partition), fmt.Sprint(r.offset)}
	}
	return cells
}

func compactJSON(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
