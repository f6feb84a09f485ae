package s3

import (
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/parquet"
)

// libraries are the formats that link a library.
func libraries() map[string]objectstore.FormatMaker {
	return map[string]objectstore.FormatMaker{objectstore.AvroFormat: newAvro, objectstore.ParquetFormat: newParquet}
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
