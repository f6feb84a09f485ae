package libraries

import (
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/parquet"
)

// All has Avro and Parquet. It implements [objectstore.Libraries].
type All struct{}

// Classes returns their names.
func (All) Classes() []string { return []string{objectstore.AvroFormat, objectstore.ParquetFormat} }

// Make makes one of them, as the configuration has it.
func (All) Make(class string, c *objectstore.FormatConfig) (format.Format, error) {
	if class == objectstore.AvroFormat {
		return newAvro(c)
	}
	return newParquet(c)
}

func newAvro(c *objectstore.FormatConfig) (format.Format, error) {
	o := avro.Options{Codec: avro.Codec(c.AvroCodec)}
	o.Schema.Enhanced, o.Schema.MetaData, o.Schema.OptionalKeys = c.EnhancedAvro, c.ConnectMetaData, c.OptionalMapKeys
	return avro.New(o)
}

func newParquet(c *objectstore.FormatConfig) (format.Format, error) {
	o := parquet.Options{Codec: parquet.Codec(c.ParquetCodec)}
	o.Schema.Enhanced, o.Schema.MetaData, o.Schema.OptionalKeys = c.EnhancedAvro, c.ConnectMetaData, c.OptionalMapKeys
	return parquet.New(o)
}
