// Package data is Kafka Connect's data model: schemas, values, structs and logical types, with Connect's own rules for validation,
// projection, equality and for reading values from text and writing them as text.
//
//   - [Value] is one datum, [Struct] a row of them under a [Schema]; [Kind] tells what they are.
//   - [Builder] and the predefined schemas make schemas; [Reference] makes recursive ones.
//   - [Validate] checks a value against a schema, [Project] carries it over to a newer one, [Equal] and [Clone] go deep.
//   - [ToLogical] and [FromLogical] lie between decimals, dates, times and timestamps and their encodings.
//   - [Parse] infers a value and its schema from text, [Format] writes a value as such text, [Convert] goes from kind to kind.
//
// The package imports the standard library only. Building and reading records allocates for the rows alone, and the rows of a batch share
// their memory ([NewStructs]); nothing on that path uses reflection or Go maps.
package data
