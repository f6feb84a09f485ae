package objectstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
)

// The formats, by the simple names of Confluent's classes; CSVFormat is ours.
const (
	ParquetFormat = "ParquetFormat"
	AvroFormat    = "AvroFormat"
	JSONFormat    = "JsonFormat"
	CSVFormat     = "CsvFormat"
	BytesFormat   = "ByteArrayFormat"
)

// Libraries are the formats that link a library.
type Libraries interface {
	// Classes are their names.
	Classes() []string
	// Make makes one of them, as the configuration has it.
	Make(class string, c *FormatConfig) (format.Format, error)
}

// A FormatConfig says how files are written.
type FormatConfig struct {
	// Default is the default of format.class; without one it is required. Libraries, if not nil, are the formats beyond JSON, CSV and bytes. Prefix
	// comes before the keys of compression. All three are set before Describe by the connector.
	Default   string
	Libraries Libraries
	Prefix    string

	Class, Keys, Headers string
	Compression          format.CompressionType
	Level                int
	DecimalFormat        string
	BytesExtension       string
	BytesSeparator       string
	BytesSeparatorGiven  bool
	CSVHeader            bool
	CSVDelimiter         string
	CSVNull              string
	ParquetCodec         string
	AvroCodec            string
	EnhancedAvro         bool
	ConnectMetaData      bool
	OptionalMapKeys      bool
}

// Classes are the names of the formats that there are.
func (c *FormatConfig) Classes() []string {
	names := []string{JSONFormat, CSVFormat, BytesFormat}
	if c.Libraries != nil {
		names = append(names, c.Libraries.Classes()...)
	}
	slices.Sort(names)
	return names
}

func (c *FormatConfig) has(class string) bool { return slices.Contains(c.Classes(), class) }

// find knows the names that format.class may have.
func (c *FormatConfig) find(name string) (string, bool) {
	simple := name
	if strings.HasPrefix(name, "io.confluent.connect.") {
		simple = name[strings.LastIndexByte(name, '.')+1:]
	}
	for _, n := range c.Classes() {
		if strings.EqualFold(simple, n) || strings.EqualFold(simple+"Format", n) {
			return n, true
		}
	}
	return "", false
}

// Describe declares the keys.
func (c *FormatConfig) Describe(d *config.Def) {
	class := config.ClassOf(d, &c.Class, "format.class", c.find).Importance(config.High).Recommend(c.Classes).
		Doc("Format of the files: " + strings.Join(c.Classes(), ", ") + ". The names of Confluent's classes are understood, too.")
	if c.Default != "" {
		class.Default(c.Default)
	}
	side := JSONFormat
	if c.has(AvroFormat) {
		side = AvroFormat
	}
	config.ClassOf(d, &c.Keys, "keys.format.class", c.find).Default(side).Recommend(c.Classes).
		Doc("Format of the files of keys, with store.kafka.keys.")
	config.ClassOf(d, &c.Headers, "headers.format.class", c.find).Default(side).Recommend(c.Classes).
		Doc("Format of the files of headers, with store.kafka.headers. Each record is {\"headers\":[{\"key\",\"value\"}]}, values as text.")
	config.EnumFold(d, &c.Compression, c.Prefix+"compression.type", format.CompressionTypes()...).Default(format.NoCompression).
		Doc("Compression of files of JSON, CSV and bytes.")
	config.Int(d, &c.Level, c.Prefix+"compression.level").Default(format.DefaultLevel).
		Doc("Level of the compression: 0 to 9 for gzip, 1 to 22 for zstd. -1: its default.")
	config.EnumFold(d, &c.DecimalFormat, "json.decimal.format", "BASE64", "NUMERIC").Default("BASE64").
		Doc("How JSON has decimals: BASE64 of their digits, or NUMERIC.")
	config.String(d, &c.BytesExtension, "format.bytearray.extension").Default(".bin").
		Doc("End of the names of files of bytes.")
	config.Text(d, &c.BytesSeparator, "format.bytearray.separator").Optional().Given(&c.BytesSeparatorGiven).
		Doc("Text behind each record in files of bytes. Without it, the end of a line.")
	config.Bool(d, &c.CSVHeader, "format.csv.header").Default(true).
		Doc("Whether files of CSV begin with the names of the columns.")
	config.Text(d, &c.CSVDelimiter, "format.csv.delimiter").Default(",").Check(config.CheckFunc("one character", func(s string) error {
		if len([]rune(s)) != 1 {
			return errors.New("is not one character")
		}
		return nil
	})).Doc("Character between the columns of CSV.")
	config.Text(d, &c.CSVNull, "format.csv.null").Default("").
		Doc("Text for null in CSV.")
	c.describeLibraries(d)
}

func (c *FormatConfig) describeLibraries(d *config.Def) {
	if c.has(ParquetFormat) {
		config.Enum(d, &c.ParquetCodec, "parquet.codec", "none", "gzip", "snappy", "lz4", "brotli", "lz4_raw", "zstd", "lzo").Default("snappy").
			Doc("Compression within Parquet files. lzo is refused.")
	}
	if !c.has(AvroFormat) {
		return
	}
	config.Enum(d, &c.AvroCodec, "avro.codec", "null", "deflate", "snappy", "bzip2", "zstandard").Default("null").
		Doc("Compression within Avro files. bzip2 is refused.")
	config.Bool(d, &c.EnhancedAvro, "enhanced.avro.schema.support").Default(true).
		Doc("Whether Avro schemas, those in Parquet files too, keep names, enumerations and the like.")
	config.Bool(d, &c.ConnectMetaData, "connect.meta.data").Default(true).
		Doc("Whether Avro schemas, those in Parquet files too, hold what only Connect knows, such as connect.name.")
	config.Bool(d, &c.OptionalMapKeys, "allow.optional.map.keys").Default(false).
		Doc("Whether maps whose keys are optional text are Avro maps.")
}

// CheckFor checks what no single key can say; files tells which files there are.
func (c *FormatConfig) CheckFor(files *Config) error {
	if err := (format.Compression{Type: c.Compression, Level: c.Level}).Validate(); err != nil {
		return keyError(c.Prefix+"compression.level", fmt.Sprint(c.Level), "%w", err) // the formats would say it, too
	}
	var errs []error
	classes := map[string]string{"format.class": c.Class}
	if files.StoreKeys {
		classes["keys.format.class"] = c.Keys
	}
	if files.StoreHeaders {
		classes["headers.format.class"] = c.Headers
	}
	for key, class := range classes {
		if class == "" {
			continue // said already
		}
		if _, err := c.Make(class); err != nil {
			errs = append(errs, keyError(c.culprit(key, class), class, "%w", err))
		}
	}
	return errors.Join(errs...)
}

// culprit is the key that most likely makes a format fail.
func (c *FormatConfig) culprit(key, class string) string {
	switch class {
	case ParquetFormat:
		return "parquet.codec"
	case AvroFormat:
		return "avro.codec"
	}
	return key
}

// Make makes a format of the given name.
func (c *FormatConfig) Make(class string) (format.Format, error) {
	pressed := format.Compression{Type: c.Compression, Level: c.Level}
	switch class {
	case JSONFormat:
		o := format.JSONOptions{Compression: pressed}
		if c.DecimalFormat == "NUMERIC" {
			o.DecimalFormat = "NUMERIC"
		}
		return format.JSON(o)
	case CSVFormat:
		o := format.CSVOptions{Compression: pressed, NoHeader: !c.CSVHeader, Null: c.CSVNull}
		if r := []rune(c.CSVDelimiter); len(r) == 1 {
			o.Delimiter = r[0]
		}
		return format.CSV(o)
	case BytesFormat:
		o := format.BytesOptions{Compression: pressed, Extension: c.BytesExtension}
		if c.BytesSeparatorGiven {
			o.Separator = []byte(c.BytesSeparator)
		}
		return format.Bytes(o)
	}
	if c.has(class) {
		return c.Libraries.Make(class, c)
	}
	return nil, fmt.Errorf("format %q is none of %s", class, strings.Join(c.Classes(), ", "))
}

// Set makes the formats that a task needs.
func (c *FormatConfig) Set(o *Options) error {
	var errs [3]error
	o.Value, errs[0] = c.Make(c.Class)
	if o.Config.StoreKeys {
		o.Keys, errs[1] = c.Make(c.Keys)
	}
	if o.Config.StoreHeaders {
		o.Headers, errs[2] = c.Make(c.Headers)
	}
	return errors.Join(errs[:]...)
}
