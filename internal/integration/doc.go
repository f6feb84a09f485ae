// Package integration holds the tests of whole Runtimes against real servers:
// Apache Kafka, Java's Connect workers, and a Kafka client that shares no code
// with ours. It has nothing but tests, with the build tag integration:
//
//	go test -tags integration ./internal/integration/
//
// Java and Maven are needed; see package testenv.
//
// Each file is a question asked of the whole: does the foreign client read what
// we wrote and the other way round (interop), what becomes of records when
// brokers fail (faults) and when topics are compacted (compacted), can a connector
// move between a Java and a Go worker (takeover, sinkgroup), can a whole cluster
// (cluster_takeover), do Java's workers and ours live in one group
// (cluster_mixed), do they do what they ask of each other (cluster_forward,
// cluster_signed), are topics made and found as told (topics), is security what it
// claims to be (security), do schemas of a registry go with the records
// (registry). The suites of package connecttest run against the same broker in
// package kafka, and the recordings of Java's REST interface in package rest.
package integration
