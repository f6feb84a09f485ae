// Package cluster holds what workers agree on: which connectors and tasks
// there are, what they are configured to do, and in which state they are.
//
// Everything in it is a value or a pure function; nothing does I/O. The state
// of a Kafka Connect cluster is a fold over its config topic (Apply) and one
// over its status topic (ApplyStatus), so that tools can follow a cluster
// without being a member of it. The records are those of Java's workers
// (KafkaConfigBackingStore and KafkaStatusBackingStore of Kafka 4.3).
package cluster
