// Package sessionkey has the secret by which the workers of a cluster know each
// other (KIP-507): how it is made and when it is renewed (Policy), its record in
// the config topic (Parse, Key.Record), and the signatures of the requests that
// workers send each other (Key.Sign, Key.Verify).
//
// Records and signatures are those of Java's workers (SessionKey and
// InternalRequestSignature of Kafka 4.3), which share a cluster with ours.
package sessionkey
