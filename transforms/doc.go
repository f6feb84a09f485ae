// Package transforms has the single message transforms that ship with Kafka Connect, under the names and keys that they have there.
//
// Each transform works on one record at a time and keeps nothing of it but schemas: what a schema becomes is worked out once and kept for
// the sixteen schemas used last, as in Java, so that a record costs no more than its new value.
//
// Transforms named with $Key and $Value work on the record's key or on its value. A null there passes unchanged unless the transform
// says otherwise.
package transforms
