// Package kafka is the connect.Broker for Kafka clusters, and the stores on
// Kafka topics. It is the only package that imports a Kafka client (franz-go).
//
// [New] makes a [Broker] from Java's worker keys. Its producers, consumers and
// administrative clients take Java's client keys as they are layered for each
// client; docs/kafka-clients.md, written from the table in this package, says of
// every key of Java's clients whether it is mapped, without meaning here, or
// refused.
//
// [Broker.Offsets], [Broker.Configs] and [Broker.Status] are the stores of a
// distributed worker, in the records and on the partitions of Java's worker, so
// that either can take over from the other.
//
// # What a client costs
//
// Opening a client connects to nothing and starts no goroutine: the connection,
// and the machinery beneath it, come with the first record sent, the first Poll
// or the first request, and go with Close. Measured, an open but idle client
// costs 12 to 20 goroutines and 110 to 150 KiB, most of it per broker connection.
// Producers, and administrative clients, of equal configuration share one.
//
// # Where callbacks run
//
// Acks are called by a goroutine of the client and must not block. Rebalance
// functions run inside Poll, on its caller's goroutine. Nothing else of this
// package calls back.
package kafka
