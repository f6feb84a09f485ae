// Package cqlvalue turns Kafka Connect's data into the bytes of CQL values, by
// the rules of the codecs that the DataStax Kafka connector goes by.
//
//   - [Options] are the settings topic.TOPIC.codec.*.
//   - [NewEncoder] makes the [Encoder] of a column's type, once; [Encoder.Append]
//     turns a value into bytes, without allocating.
//   - [Value] binds such bytes to a statement of the driver, as they are.
//   - [TypeOf] goes the other way: from a schema to the CQL type of a new column.
//
// A value that its column can not hold exactly is an error, never another value.
package cqlvalue
