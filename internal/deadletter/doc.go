// Package deadletter has the form of dead letters: the headers by which Kafka
// Connect says where a record came from and what failed, written as Java writes
// them (DeadLetterQueueReporter, KIP-298), and read.
//
// It knows headers only. Key, value and the record's own headers are not its
// business: a dead letter has those of the record as it was consumed.
package deadletter
