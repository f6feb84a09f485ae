// Package transforms has the single message transforms and the predicates that ship with Kafka Connect, under the names and keys that they have
// there, and others that stand for transforms which users install beside them: Debezium's, Confluent's, Aiven's. Each has a page, with a record
// before and after, in docs/reference/transforms.
//
// Regular expressions have Java's syntax and meaning; patterns of dates are those of java.text.SimpleDateFormat, in UTC and English.
//
// Each transform works on one record at a time and keeps nothing of it but schemas: what a schema becomes is worked out once and kept for
// the sixteen schemas used last, as in Java, so that a record costs no more than its new value.
//
// Transforms named with $Key and $Value work on the record's key or on its value. A null there passes unchanged unless the transform
// says otherwise.
package transforms
