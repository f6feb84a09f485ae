// Package cqlmap reads the language in which DataStax' Kafka sink maps records
// to tables of Cassandra, and finds in a record what a mapping asks for.
//
//   - [ParseKey] takes the name of a setting apart:
//     topic.TOPIC.KEYSPACE.TABLE.mapping and the like.
//   - [Parse] reads a mapping: id=key.id, "Name"=value.name, seen=now().
//   - [View] is a record as mappings see it; [View.Lookup] finds a [Source] in it.
//
// The language is that of the DataStax connector 1.5, plus a way into nested
// fields, which it does not have: where a record has no field a.b, the field b of
// its field a is meant.
package cqlmap
