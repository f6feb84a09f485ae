// Package converters holds the converters that come with Kafka Connect, as
// plugins for a Runtime and as types for direct use. Each reads and writes the
// bytes of its Java twin, both for keys and values and for headers.
//
//	Plugin        stands for (Java)                                          data it takes         Decode gives
//	JSON          org.apache.kafka.connect.json.JsonConverter                any                   the schema of the envelope, or schemaless data
//	String        org.apache.kafka.connect.storage.StringConverter           any, as its text      optional STRING
//	ByteArray     org.apache.kafka.connect.converters.ByteArrayConverter     BYTES                 optional BYTES
//	Boolean       org.apache.kafka.connect.converters.BooleanConverter       BOOLEAN, one byte     optional BOOLEAN
//	Short         org.apache.kafka.connect.converters.ShortConverter         INT16, 2 bytes        optional INT16
//	Integer       org.apache.kafka.connect.converters.IntegerConverter       INT32, 4 bytes        optional INT32
//	Long          org.apache.kafka.connect.converters.LongConverter          INT64, 8 bytes        optional INT64
//	Float         org.apache.kafka.connect.converters.FloatConverter         FLOAT32, 4 bytes      optional FLOAT32
//	Double        org.apache.kafka.connect.converters.DoubleConverter        FLOAT64, 8 bytes      optional FLOAT64
//	SimpleHeader  org.apache.kafka.connect.storage.SimpleHeaderConverter     any, headers only     what data.Parse infers from the text
//
// Numbers are big-endian. Null becomes Kafka's null, with one exception: JSON
// writes null under a schema as an envelope, or as the text null without
// envelopes, which is no tombstone.
//
// Avro, JSON Schema and Protobuf over a schema registry are packages below this one
// (avro, jsonschema, protobuf), so that a program without a registry links no HTTP
// client for it.
//
// Data that does not fit is a [github.com/streamlane/connect/data.Error], which
// stands for Java's DataException.
package converters
