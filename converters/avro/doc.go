// Package avro is the converter of Kafka Connect data to Avro with schemas in a
// schema registry: the twin of io.confluent.connect.avro.AvroConverter. Records,
// subjects, schemas and keys are those of Confluent's, so either reads what the
// other wrote.
//
//	value.converter=io.confluent.connect.avro.AvroConverter
//	value.converter.schema.registry.url=http://localhost:8081
//
// # From Connect to Avro
//
//	Connect                          Avro
//	INT8, INT16                      int, with "connect.type":"int8" or "int16"
//	INT32 INT64 FLOAT32 FLOAT64      int long float double
//	BOOLEAN STRING BYTES             boolean string bytes; BYTES at the root are written without their length
//	STRING with an enum's parameters enum, with enhanced.avro.schema.support (parameters io.confluent.connect.avro.Enum, ...Enum.<symbol>)
//	BYTES with connect.fixed.size    fixed, by the schema's name
//	Decimal                          bytes (or fixed), "logicalType":"decimal", scale, precision (connect.decimal.precision, else 64)
//	Date, Time, Timestamp            int "date", int "time-millis", long "timestamp-millis"
//	ARRAY                            array
//	MAP with required STRING keys    map
//	MAP with other keys              array of records io.confluent.connect.avro.MapEntry{key, value}; a named map names the record
//	STRUCT                           record; io.confluent.connect.avro.ConnectDefault, ConnectDefault2, ... without a name
//	STRUCT io.confluent...Union      union of its fields' types
//	optional X                       ["null", X]; with a default [X, "null"]
//	no schema                        record io.confluent.connect.avro.Anything
//
// What Avro has no place for stands in properties: connect.name, connect.version,
// connect.doc, connect.parameters, connect.default, connect.type. So
//
//	{"type":"int8","optional":true,"name":"Level","default":3}       (in Connect's JSON form)
//
// becomes
//
//	[{"type":"int","connect.default":3,"connect.name":"Level","connect.type":"int8"},"null"]
//
// Recursive structs become records that name themselves. The text of a schema is
// that of Java's Schema.toString, so the same schema gets the same id from either.
// Two different schemas with one name have no Avro form.
//
// # From Avro to Connect
//
// The way back, by the properties; without them: int is INT32, a named type's name
// is the schema's, an enum is a STRING with its symbols as parameters, a union of
// null and another type is that type, optional; of other types it is a STRUCT
// named io.confluent.connect.avro.Union with an optional field for each, named after
// the type (for a named one by its short name, with enhanced.avro.schema.support by
// the full one). The default of a field is the schema's default, with the
// parameter io.confluent.connect.avro.field.default where it is not Connect's own;
// in a union with null it counts only as connect.default. The version is
// connect.version, else the registry's. timestamp-micros and other logical types
// are their base types. Records that hold themselves are late-bound schemas.
//
// Null, under an optional schema or none, is Kafka's null.
//
// # Evolution
//
// With use.latest.version data are read by the rules of Avro's schema resolution:
// fields by name or alias, defaults for missing ones, promotions of numbers, unions,
// enums with a default. Writing with a schema of the registry (use.latest.version,
// use.schema.id) goes by the names of fields, as reading does: further fields of the
// registry's need a default, further ones of the data are left out. Java's
// serializer goes by position there.
//
// # How it works
//
// Each pair of schemas is laid out once, as an encoder or decoder that records go
// through: encoding appends to the batch's buffer, decoding fills rows, and neither
// makes maps. linkedin/goavro is the witness in tests (docs/adr/0026).
package avro
