// Package wire has the bytes by which the workers of a group talk to each other
// through the broker: what a member says of itself when it joins (Metadata), and
// what the leader hands to each member (Assignment).
//
// The layouts are those of Java's ConnectProtocol (version 0, eager) and
// IncrementalCooperativeConnectProtocol (versions 1 and 2, KIP-415 and KIP-507),
// byte for byte, so that Java's workers and ours share a group. Integers are
// big-endian, a string is an int16 length and UTF-8, an array an int32 count and
// its elements.
//
// Decoding never panics and never allocates more than a small multiple of its
// input, for any program that may join the group can send anything.
package wire
