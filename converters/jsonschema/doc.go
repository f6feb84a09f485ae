// Package jsonschema is the converter of Kafka Connect data to JSON with JSON
// Schemas in a schema registry: the twin of
// io.confluent.connect.json.JsonSchemaConverter. Records, subjects, schemas and
// keys are those of Confluent's, so either reads what the other wrote.
//
// # From Connect to JSON Schema
//
//	Connect                          JSON Schema
//	INT8 to INT64                    integer, "connect.type":"int8" to "int64"
//	FLOAT32, FLOAT64                 number, "connect.type":"float32", "float64"
//	BOOLEAN, STRING                  boolean, string
//	STRING with an enum's parameters enum (parameter io.confluent.connect.json.Enum; <NULL> stands for null)
//	BYTES                            string, "connect.type":"bytes": Base64
//	Decimal                          as BYTES; with decimal.format=NUMERIC number, "connect.type":"bytes"
//	Date, Time, Timestamp            integer: days, milliseconds
//	ARRAY                            array, items
//	MAP with required STRING keys    object, additionalProperties, "connect.type":"map"
//	MAP with other keys              array of {"key","value"} objects, "connect.type":"map"
//	STRUCT                           object, properties, each with "connect.index": its position
//	STRUCT io.confluent...OneOf      oneOf its fields' schemas
//	optional X                       oneOf null and X
//	no schema                        refused, unless schemas.infer is on
//
// The name is title, the doc description, the default default; version and
// parameters are connect.version and connect.parameters (without those that begin
// with io.confluent.connect.json). So
//
//	{"type":"int8","optional":true,"name":"Level","default":3}       (in Connect's JSON form)
//
// becomes
//
//	{"oneOf":[{"type":"null"},{"type":"integer","title":"Level","default":3,"connect.type":"int8"}]}
//
// A struct that holds itself has an $id, #id1 and so on, to which $ref refers. The
// members of a schema stand in the order in which Java writes them.
//
// # From JSON Schema to Connect
//
// The way back; without connect.type integer is INT64 and number FLOAT64. Null and
// another type, in oneOf, anyOf or type, are that type, optional; other oneOf and
// anyOf are a STRUCT named io.confluent.connect.json.OneOf with an optional field
// ...OneOf.field.<n> for each. The objects of an allOf are one STRUCT with all
// their properties; of other allOf the schema that says most counts. Enums and
// constants are STRINGs with their values as parameters. $ref finds parts of the
// schema, what it calls itself by $id, and the references that the registry has for
// it. {} and false have no Connect schema. All dialects are read alike.
//
// # Payloads
//
// JSON is read as leniently as JsonSchemaData does it: a text where a number is
// wanted is 0, further members are skipped, absent ones are null or their
// default. Data for a oneOf go to the first field of their simple type, else to the
// object with most properties in common. Null is a payload under an optional schema or one with
// a default, and Kafka's null otherwise. With json.fail.invalid.schema each payload is
// validated, by github.com/santhosh-tekuri/jsonschema.
//
// A schema of the registry that is written with (use.latest.version, use.schema.id)
// changes nothing about the payload; latest.compatibility.strict has it refused
// unless every payload of ours is valid by it.
package jsonschema
