package objectstore

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/data"
)

// The names of the metadata of an object.
const (
	MetaTopic     = "connect-topic" // of Kafka, whatever transforms made of it
	MetaPartition = "connect-partition"
	MetaStart     = "connect-start-offset"
	MetaEnd       = "connect-end-offset" // of the last record
	MetaCount     = "connect-record-count"
	MetaConnector = "connect-name"
)

// An output is one object that is being made.
type output struct {
	key    string
	format format.Format
	spool  *spool
	writer format.Writer
}

func (o *output) footprint() int64 {
	const extentSize = 48
	n := o.spool.memory + int64(len(o.spool.extents))*extentSize
	if o.writer != nil {
		n += o.writer.Memory()
	}
	return n
}

// fileOverhead is what a file takes beside its contents: what is known of it, its names and, on its way to the store, a goroutine.
const fileOverhead = 4 << 10

// A file is what is stored of some records of one Kafka partition and folder: values, and perhaps keys and headers in objects of their own.
type file struct {
	part  *partition
	dir   string // folder, with the topic's
	topic string

	start, end int64 // offsets of the first and the last record
	count      int64
	schema     *data.Schema // of the values

	// outputs in the order in which they are stored. The last one is there only if all are.
	outputs              []*output
	value, keys, headers *output

	footprint int64 // bytes of memory, as they were counted last

	previous *file         // of the same folder, stored before
	probed   chan struct{} // closed when the look into the store is over
	done     chan struct{} // closed when it is stored, or will not be
	stored   bool          // valid after done
	clear    bool          // valid after probed: nothing of others stands in the way
}

// write adds a record's data.
func (f *file) write(r *connect.SinkRecord, value connect.Datum) error {
	for _, p := range []struct {
		out *output
		d   connect.Datum
	}{{f.keys, keyDatum(f.keys, r)}, {f.headers, headersDatum(f.headers, r)}, {f.value, value}} {
		if p.out == nil {
			continue
		}
		if err := p.out.write(p.d); err != nil {
			return err
		}
	}
	if f.count == 0 {
		f.start = r.Origin.Offset
	}
	f.end = r.Origin.Offset
	f.count++
	return nil
}

func (o *output) write(d connect.Datum) error {
	if o.writer == nil {
		w, err := o.format.NewWriter(o.spool, d)
		if err != nil {
			return err
		}
		o.writer = w
	}
	return o.writer.Write(d)
}

// finish ends all outputs.
func (f *file) finish() error {
	for _, o := range f.outputs {
		if o.writer == nil {
			continue
		}
		if err := o.writer.Close(); err != nil {
			return fmt.Errorf("end file %s: %w", o.key, err)
		}
		o.writer = nil
	}
	return nil
}

// release gives the memory up.
func (f *file) release() {
	for _, o := range f.outputs {
		o.spool.release()
		o.writer = nil
	}
}

// shed leaves of a file that is stored what is needed to remember it.
func (f *file) shed() {
	f.release()
	f.previous, f.outputs, f.value, f.keys, f.headers, f.schema = nil, nil, nil, nil, nil, nil
}

func (f *file) measure() int64 {
	n := int64(fileOverhead)
	for _, o := range f.outputs {
		n += o.footprint()
	}
	return n
}

// spill moves what it can to disk.
func (f *file) spill() error {
	for _, o := range f.outputs {
		if o.writer != nil && o.writer.Memory() > o.spool.memory {
			if err := o.writer.Flush(); err != nil {
				return fmt.Errorf("file %s: %w", o.key, err)
			}
		}
		if err := o.spool.spill(); err != nil {
			return fmt.Errorf("file %s: %w", o.key, err)
		}
	}
	return nil
}

// metadata is what is stored with each object of the file.
func (f *file) metadata(connector string) map[string]string {
	return map[string]string{
		MetaTopic:     f.part.tp.Topic,
		MetaPartition: strconv.Itoa(int(f.part.tp.Partition)),
		MetaStart:     strconv.FormatInt(f.start, 10),
		MetaEnd:       strconv.FormatInt(f.end, 10),
		MetaCount:     strconv.FormatInt(f.count, 10),
		MetaConnector: url.QueryEscape(connector),
	}
}

// A claim is what the metadata of a stored object says.
type claim struct {
	connector  string
	start, end int64
	count      int64
}

// claimOf reads the metadata of an object at the place of f. It returns the reason if that is not one of this topic and partition.
func claimOf(o Object, f *file) (claim, string) {
	if o.Metadata[MetaEnd] == "" {
		return claim{}, "it has no metadata of this sink"
	}
	if t, p := o.Metadata[MetaTopic], o.Metadata[MetaPartition]; t != f.part.tp.Topic || p != strconv.Itoa(int(f.part.tp.Partition)) {
		return claim{}, fmt.Sprintf("it holds records of %s-%s: two topics are routed to one, whose files have the same names", t, p)
	}
	var c claim
	var errs [3]error
	c.start, errs[0] = strconv.ParseInt(o.Metadata[MetaStart], 10, 64)
	c.end, errs[1] = strconv.ParseInt(o.Metadata[MetaEnd], 10, 64)
	c.count, errs[2] = strconv.ParseInt(o.Metadata[MetaCount], 10, 64)
	if errs[0] != nil || errs[1] != nil || errs[2] != nil || c.end < c.start {
		return claim{}, fmt.Sprintf("its metadata are damaged: %v", o.Metadata)
	}
	c.connector, _ = url.QueryUnescape(o.Metadata[MetaConnector])
	return c, ""
}

// keyDatum is a record's key, for a file of keys.
func keyDatum(o *output, r *connect.SinkRecord) connect.Datum {
	if o == nil || !needsStruct(o) || r.Key.Schema != nil && r.Key.Schema.Kind() == data.KindStruct {
		return r.Key
	}
	return enveloped(r.Key)
}

// needsStruct tells whether a format writes nothing but structs: Parquet.
func needsStruct(o *output) bool { return strings.HasSuffix(o.format.Extension(), ".parquet") }

// enveloped puts a datum into a struct of one field, as Confluent's connector does where a format needs one.
func enveloped(d connect.Datum) connect.Datum {
	schema := d.Schema
	if schema == nil {
		schema = data.InferSchema(d.Value)
		if schema == nil {
			schema = data.OptionalStringSchema
		}
	}
	s, err := data.StructBuilder().Field("key", schema).Build()
	if err != nil {
		return d
	}
	x, err := data.NewStruct(s)
	if err != nil {
		return d
	}
	x.Set(0, d.Value)
	return connect.Datum{Schema: s, Value: data.StructOf(x)}
}

// headerSchemas are those of one header, and of all of a record.
type headerSchemas struct{ one, all *data.Schema }

func newHeaderSchemas() headerSchemas {
	one := data.StructBuilder().Field("key", data.StringSchema).Field("value", data.OptionalStringSchema).MustBuild()
	return headerSchemas{one, data.StructBuilder().Field("headers", data.ArrayBuilder(one).MustBuild()).MustBuild()}
}

// headersDatum is a record's headers, their values as text, for a file of headers.
func headersDatum(o *output, r *connect.SinkRecord) connect.Datum {
	if o == nil {
		return connect.Datum{}
	}
	schemas := newHeaderSchemas()
	elems := make([]data.Value, len(r.Headers))
	one := data.NewStructs(schemas.one, len(r.Headers))
	for i, h := range r.Headers {
		one[i].Set(0, data.String(h.Key))
		if !h.Datum.Value.IsNull() {
			one[i].Set(1, data.String(data.Format(h.Datum.Value)))
		}
		elems[i] = data.StructOf(&one[i])
	}
	all := data.NewStructs(schemas.all, 1)
	all[0].Set(0, data.ArrayOf(elems...))
	return connect.Datum{Schema: schemas.all, Value: data.StructOf(&all[0])}
}
