// Package avro writes Avro's object container files, of the schemas that Confluent's AvroData makes: see converters/avro
// for what becomes of what. Data without a schema are records io.confluent.connect.avro.Anything.
//
// The codecs bzip2 and xz are refused: no maintained library writes the first, and few readers know the second.
package avro
