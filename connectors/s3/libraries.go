package s3

import (
	"github.com/streamlane/connect/connectors/internal/objectstore"
	"github.com/streamlane/connect/connectors/internal/objectstore/format"
	"github.com/streamlane/connect/connectors/internal/objectstore/format/avro"
)

// libraries are the formats that link a library.
func libraries() map[string]objectstore.FormatMaker {
	return map[string]objectstore.FormatMaker{objectstore.AvroFormat: newAvro}
}

func newAvro(c *objectstore.FormatConfig) (format.Format, error) {
	o := avro.Options{Codec: avro.Codec(c.AvroCodec)}
	o.Schema.Enhanced, o.Schema.MetaData, o.Schema.OptionalKeys = c.EnhancedAvro, c.ConnectMetaData, c.OptionalMapKeys
	return avro.New(o)
}
