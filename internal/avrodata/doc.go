// Package avrodata maps Kafka Connect's schemas and values to Avro and back: the twin of Confluent's AvroData, and of
// Apache Avro's binary encoding and schema resolution. It is what the Avro converter and the sinks that write Avro and
// Parquet files have in common; the documentation of converters/avro says what becomes of what.
//
// Each pair of schemas is laid out once, as an [Encoder] or a [Decoder] that values go through: encoding appends to a
// buffer, decoding fills rows, and neither makes maps (docs/adr/0026).
package avrodata
