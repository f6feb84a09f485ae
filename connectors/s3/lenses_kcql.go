package s3

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/kcql"
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

// A lensesRoute is what one statement says: where the records of a topic go, and how they are written.
type lensesRoute struct {
	topic  string // "*" for all that have no statement of their own
	config Config
	stored string // the format, in upper case
	headed bool   // CSV begins with the names of the columns
	codec  string
	level  int
	shape  shaper
	// enveloped: shape makes envelopes.
	enveloped bool
	parts     []string // of PARTITIONBY
	layout    lensesLayout
	props     map[string]string
}

// lensesLayout says how names look.
type lensesLayout int

const (
	lensesDefault lensesLayout = iota // topic/partition/offset
	lensesFlat                        // NOPARTITION: topic(partition_offset)
	lensesParts                       // parts/topic(partition_offset)
)

// routes reads the statements.
func (c *lensesConfig) routes() ([]lensesRoute, error) {
	wrong := func(err error) error { return keyError("connect.s3.kcql", c.kcql, "%w", err) }
	statements, err := kcql.Parse(c.kcql)
	if err != nil {
		return nil, wrong(err)
	}
	errs := []error{c.checkMode()}
	var routes []lensesRoute
	for _, s := range statements {
		r, err := c.route(s)
		if err != nil {
			errs = append(errs, wrong(err))
			continue
		}
		for _, other := range routes {
			if other.topic == r.topic {
				errs = append(errs, wrong(fmt.Errorf("the topic %q has two statements, which is not supported: use two connectors", r.topic)))
			}
		}
		errs = append(errs, c.checkFormat(&r), config.RenameErrors(r.config.Check(), lensesKeys, ""))
		routes = append(routes, r)
	}
	return routes, errors.Join(errs...)
}

func (c *lensesConfig) route(s kcql.Statement) (lensesRoute, error) {
	r := lensesRoute{topic: s.Source, config: c.base(), stored: "JSON", codec: c.codec, level: c.level, props: map[string]string{}}
	bucket, prefix, _ := strings.Cut(s.Target, ":")
	r.config.Bucket = bucket
	switch {
	case s.Mode != "INSERT":
		return r, errors.New("UPSERT is not supported, want INSERT")
	case len(s.Fields) != 1 || kcql.Unquote(s.Fields[0]) != "*":
		return r, fmt.Errorf("a selection of fields is not supported, want SELECT * (and transforms), found %s", strings.Join(s.Fields, ", "))
	case strings.Contains(prefix, ":"):
		return r, fmt.Errorf("INSERT INTO %s: want bucket:prefix", s.Target)
	case strings.Contains(prefix, "{{"):
		return r, fmt.Errorf("INSERT INTO %s: {{ is not supported in prefixes", s.Target)
	}
	for _, clause := range s.Clauses {
		if err := r.clause(clause); err != nil {
			return r, err
		}
	}
	if err := r.flush(c.noFlushCount); err != nil {
		return r, err
	}
	var err error
	if r.shape, err = r.envelope(); err != nil {
		return r, err
	}
	if r.config.FileTemplate, err = r.template(c, prefix); err != nil {
		return r, err
	}
	_, err = objectstore.TemplateVariables(r.config.FileTemplate)
	return r, err
}

func (r *lensesRoute) clause(c kcql.Clause) error {
	switch c.Name {
	case "NOPARTITION":
		if r.layout == lensesParts {
			return errors.New("NOPARTITION does not go with PARTITIONBY")
		}
		r.layout = lensesFlat
	case "PARTITIONBY":
		if r.layout == lensesFlat {
			return errors.New("NOPARTITION does not go with PARTITIONBY")
		}
		r.layout, r.parts = lensesParts, c.List
	case "STOREAS":
		r.stored = strings.ToUpper(c.Value)
		if name, option, ok := strings.Cut(r.stored, "_"); ok && name == "CSV" {
			if option != "WITHHEADERS" {
				return fmt.Errorf("STOREAS %s is not supported, want CSV or CSV_WITHHEADERS", c.Value)
			}
			r.stored, r.headed = name, true
		}
		if !slices.Contains([]string{"JSON", "AVRO", "PARQUET", "CSV", "TEXT", "BYTES"}, r.stored) {
			return fmt.Errorf("STOREAS %s is none of JSON, AVRO, PARQUET, CSV, CSV_WITHHEADERS, TEXT, BYTES", c.Value)
		}
	case "PROPERTIES":
		for _, p := range c.Properties {
			if !lensesProperty(p.Key) {
				return fmt.Errorf("the property %q is not supported", p.Key)
			}
			r.props[p.Key] = p.Value
		}
	case "WITH_FLUSH_COUNT", "WITH_FLUSH_SIZE", "WITH_FLUSH_INTERVAL":
		return fmt.Errorf("%s is not supported, want PROPERTIES('%s'=%s)", c.Name, strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(c.Name, "WITH_"), "_", ".")), c.Value)
	case "WITHPARTITIONER":
		return errors.New("WITHPARTITIONER is not supported, want PROPERTIES('partition.include.keys'=true) or false")
	default:
		return fmt.Errorf("the clause %s is not supported", c.Name)
	}
	return nil
}

func lensesProperty(key string) bool {
	return strings.HasPrefix(key, "padding.length.") || slices.Contains([]string{
		"flush.size", "flush.count", "flush.interval", "padding.type", "padding.char", "partition.include.keys", "key.suffix",
		"store.envelope", "store.envelope.fields.key", "store.envelope.fields.value", "store.envelope.fields.headers", "store.envelope.fields.metadata",
	}, key)
}

// The limits of a file where a statement has none.
const (
	lensesFlushSize     = 500_000_000
	lensesFlushCount    = 50_000
	lensesFlushInterval = 3600
)

// flush sets when files end.
func (r *lensesRoute) flush(noCount bool) error {
	size, err1 := r.number("flush.size", lensesFlushSize)
	count, err2 := r.number("flush.count", lensesFlushCount)
	seconds, err3 := r.number("flush.interval", lensesFlushInterval)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if noCount {
		count = 0
	}
	if r.stored == "BYTES" && count != 1 {
		return errors.New("STOREAS BYTES needs PROPERTIES('flush.count'=1): nothing would tell records of one file apart")
	}
	if seconds > int64(math.MaxInt64/time.Second) || count > math.MaxInt32 {
		return errors.New("flush.count or flush.interval is too large")
	}
	r.config.FlushBytes, r.config.FileRecords, r.config.OpenInterval = size, int(count), time.Duration(seconds)*time.Second
	return nil
}

// number reads a property that is a positive number; what is not positive is as if it were not there.
func (r *lensesRoute) number(key string, otherwise int64) (int64, error) {
	text, ok := r.props[key]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the property %s=%s is no number", key, text)
	}
	if n <= 0 {
		return otherwise, nil
	}
	return n, nil
}

func (r *lensesRoute) flag(key string, otherwise bool) (bool, error) {
	text, ok := r.props[key]
	if !ok {
		return otherwise, nil
	}
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("the property %s=%s is neither true nor false", key, text)
}

// template returns the template of the names of objects, with their ends.
func (r *lensesRoute) template(c *lensesConfig, prefix string) (string, error) {
	pads, err := r.paddings(c)
	if err != nil {
		return "", err
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	partition, offset := "{{partition"+pads["partition"]+"}}", "{{start_offset"+pads["offset"]+"}}"
	suffix := r.props["key.suffix"]
	if strings.Contains(suffix, "{{") {
		return "", fmt.Errorf("key.suffix=%s: {{ is not supported", suffix)
	}
	end := suffix + "." + r.extension()
	if r.layout == lensesDefault {
		return prefix + "{{topic}}/" + partition + "/" + offset + end, nil
	}
	folders, err := r.folders(partition)
	return prefix + folders + "{{topic}}(" + partition + "_" + offset + ")" + end, err
}

func (r *lensesRoute) extension() string {
	if r.stored == "JSON" && r.codec == "GZIP" {
		return "gz"
	}
	return strings.ToLower(r.stored)
}

// paddings returns the parameters of the variables, by Lenses' names of what is padded.
func (r *lensesRoute) paddings(c *lensesConfig) (map[string]string, error) {
	kind, char, lengths := "leftpad", "0", map[string]int64{"offset": 12}
	given := map[string]int64{}
	padded := false
	for key, text := range r.props {
		if !strings.HasPrefix(key, "padding.") {
			continue
		}
		padded = true
		field, ok := strings.CutPrefix(key, "padding.length.")
		if !ok {
			continue
		}
		n, err := r.number(key, 0)
		if err != nil {
			return nil, err
		}
		if field != "offset" && field != "partition" || n > 255 {
			return nil, fmt.Errorf("the property %s=%s is not supported, want padding.length.offset or padding.length.partition up to 255", key, text)
		}
		given[field] = n
	}
	if len(given) > 0 {
		lengths = given
	}
	switch {
	case padded && c.padding != "":
		return nil, errors.New("padding is in KCQL and in connect.s3.padding.strategy, want one of them")
	case c.padding != "":
		kind = strings.ToLower(c.padding)
		if c.paddingLength >= 0 {
			lengths["offset"] = int64(c.paddingLength)
		}
	case r.props["padding.type"] != "":
		kind = strings.ToLower(r.props["padding.type"])
	}
	if text, ok := r.props["padding.char"]; ok {
		if char = text; len([]rune(char)) != 1 || strings.ContainsAny(char, "{}") {
			return nil, fmt.Errorf("the property padding.char=%s is not one character", text)
		}
	}
	side, ok := map[string]string{"leftpad": "left", "rightpad": "right", "noop": ""}[kind]
	if !ok {
		return nil, fmt.Errorf("padding %s is none of LeftPad, RightPad, NoOp", kind)
	}
	pads := map[string]string{}
	for field, n := range lengths {
		if side != "" {
			pads[field] = fmt.Sprintf(":pad=%s,%d,%s", side, n, char)
		}
	}
	return pads, nil
}

// folders returns the template of the folders of PARTITIONBY.
func (r *lensesRoute) folders(partition string) (string, error) {
	named, err := r.flag("partition.include.keys", r.layout == lensesParts)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, word := range r.parts {
		name, variable, err := lensesPart(word, partition)
		if err != nil {
			return "", fmt.Errorf("PARTITIONBY %s: %w", word, err)
		}
		if named {
			b.WriteString(name + "=")
		}
		b.WriteString(variable + "/")
	}
	return b.String(), nil
}

// lensesPart returns the name and the variable of one part of PARTITIONBY.
func lensesPart(word, partition string) (name, variable string, err error) {
	path := kcql.Path(word)
	if len(path) == 0 {
		return "", "", errors.New("is empty")
	}
	kind, rest := path[0], path[1:]
	if !slices.Contains([]string{"_key", "_topic", "_partition", "_header", "_value", "_date"}, kind) {
		kind, rest = "_value", path
	}
	name = strings.Join(rest, ".")
	if strings.Contains(name, "{{") || strings.Contains(name, "}}") || strings.Contains(name, "/") && kind != "_date" {
		return "", "", errors.New("names with {{, }} or / are not supported")
	}
	switch {
	case kind == "_topic" && len(rest) == 0:
		return "topic", "{{topic}}", nil
	case kind == "_partition" && len(rest) == 0:
		return "partition", partition, nil
	case kind == "_key" && len(rest) == 0:
		return "key", "{{key}}", nil
	case kind == "_topic" || kind == "_partition":
		return "", "", fmt.Errorf("%s has no fields", kind)
	case len(rest) == 0:
		return "", "", fmt.Errorf("%s needs a name, as in %s.name", kind, kind)
	case kind == "_date" && len(rest) > 1:
		return "", "", errors.New("want one pattern, in backticks if it has dots")
	case kind == "_date":
		return "date", "{{timestamp:" + javaPattern(rest[0]) + "}}", nil
	}
	return name, "{{" + kind[1:] + ":" + name + "}}", nil
}

// javaPattern writes a pattern of Java's DateTimeFormatter as one of Joda-Time, where they differ in letters alone.
func javaPattern(text string) string {
	var b strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '\'':
			quoted = !quoted
		case !quoted && r == 'u':
			r = 'y'
		case !quoted && r == 'L':
			r = 'M'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// checkFormat refuses compressions that a format does not have.
func (c *lensesConfig) checkFormat(r *lensesRoute) error {
	allowed := map[string][]string{
		"JSON": {"GZIP"}, "AVRO": {"DEFLATE", "SNAPPY", "ZSTD"}, "PARQUET": {"SNAPPY", "GZIP", "BROTLI", "ZSTD"},
	}[r.stored]
	if r.codec != "UNCOMPRESSED" && !slices.Contains(allowed, r.codec) {
		return keyError("connect.s3.compression.codec", r.codec, "is not supported for STOREAS %s, want one of %s", r.stored, strings.Join(append([]string{"UNCOMPRESSED"}, allowed...), ", "))
	}
	if r.stored != "JSON" {
		return nil
	}
	if err := (format.Compression{Type: r.pressed(), Level: r.level}).Validate(); err != nil {
		return keyError("connect.s3.compression.level", strconv.Itoa(r.level), "%w", err)
	}
	return nil
}

func (r *lensesRoute) pressed() format.CompressionType {
	if r.codec == "GZIP" {
		return format.Gzip
	}
	return format.NoCompression
}

// format returns the format of files, which have no ends of their own: the template has them.
func (r *lensesRoute) format() (format.Format, error) {
	var f format.Format
	var err error
	o := &r.config.Formats
	switch r.stored {
	case "AVRO":
		o.AvroCodec = map[string]string{"DEFLATE": "deflate", "SNAPPY": "snappy", "ZSTD": "zstandard"}[r.codec]
		o.AvroCodec = firstOf(o.AvroCodec, "null")
		f, err = o.Make(objectstore.AvroFormat)
	case "PARQUET":
		o.ParquetCodec = map[string]string{"SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd"}[r.codec]
		o.ParquetCodec = firstOf(o.ParquetCodec, "none")
		f, err = o.Make(objectstore.ParquetFormat)
	case "CSV":
		f, err = format.CSV(format.CSVOptions{NoHeader: !r.headed})
	case "TEXT":
		f, err = format.Bytes(format.BytesOptions{})
	case "BYTES":
		f, err = format.Bytes(format.BytesOptions{Separator: []byte{}})
	default:
		pressed := format.Compression{Type: r.pressed(), Level: r.level}
		if r.enveloped {
			f, err = format.Bytes(format.BytesOptions{Compression: pressed})
		} else {
			f, err = format.JSON(format.JSONOptions{Compression: pressed})
		}
	}
	if err != nil {
		return nil, err
	}
	return format.Named(f, ""), nil
}
