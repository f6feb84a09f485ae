// Package acksource is the engine of sources that acknowledge: queues and brokers that keep a message until the reader says that it has it.
//
// A [Ledger] holds every message from its receipt until it may be acknowledged, which is when Kafka has all records made of it. A source
//
//   - waits for room ([Ledger.Reserve]), receives a message, enters it ([Ledger.Enter]);
//   - polls ([Ledger.Poll]), makes records of what it gets, each with its *Entry as Token;
//   - says which records Kafka has ([Ledger.Done], from CommitRecords);
//   - takes what may be acknowledged ([Ledger.Due]) whenever [Ledger.Ready] tells, in the order that the protocol requires.
//
// The number of messages and of their bytes in the ledger are bounded. When the connection is lost, [Ledger.Forget] drops what is owed to it;
// messages already on their way to Kafka stay, and one that comes again is owed anew ([Ledger.Owe]) in place of being sent twice. Messages with
// a lease (a visibility time-out, a lock) are listed by [Ledger.Leased] for its renewal. Those that were received and never reached Kafka are
// listed by [Ledger.Abandon], to be given back.
//
// The ledger does no I/O and starts no goroutine. The package acktest shows whether a source that uses it keeps the contract.
package acksource
