// Package parquet writes Parquet files of structs. Types, names and metadata are those that Confluent's ParquetFormat
// writes through Avro (AvroData and parquet-avro), so that files of either lie in one table:
//
//	Connect                      Parquet
//	INT8, INT16, INT32           INT32
//	INT64 FLOAT32 FLOAT64        INT64 FLOAT DOUBLE
//	BOOLEAN                      BOOLEAN
//	STRING                       BINARY (STRING); an enum's BINARY (ENUM)
//	BYTES                        BINARY; with connect.fixed.size FIXED_LEN_BYTE_ARRAY
//	Decimal                      BINARY (DECIMAL), precision by connect.decimal.precision, else 64
//	Date, Time, Timestamp        INT32 (DATE), INT32 (TIME, ms, UTC), INT64 (TIMESTAMP, ms, UTC)
//	ARRAY                        LIST of three levels
//	MAP with STRING keys         MAP
//	MAP with other keys          LIST of groups key, value
//	STRUCT                       group, fields in their order
//	STRUCT of a union            group with member0, member1, ...
//	optional                     optional
//
// A null field whose schema has a default becomes the default. The Avro schema, with all that Connect's has beside, stands in
// the file as parquet.avro.schema, where Java's readers look for it; a schema with names that Avro does not allow has none.
//
// Data without a schema, what is no struct, recursive schemas and structs without fields have no Parquet form.
package parquet
