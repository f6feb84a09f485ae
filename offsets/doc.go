// Package offsets has the stores for source offsets that need no Kafka: Memory,
// for tests and for sources that start anew each time, and File, for a
// standalone worker.
//
// Both are safe for concurrent use and pass connecttest.TestOffsetStore. The
// store on a Kafka topic is in package kafka.
//
// # The file
//
// File keeps all offsets in one text file:
//
//	connect-offsets 1 2 5c0f...e1
//	{"key":"[\"orders\",{\"table\":\"a\"}]","value":"{\"id\":42}"}
//	{"key":"[\"orders\",{\"table\":\"b\"}]","value":"{\"id\":7}"}
//
// The header names the format, its version, the number of lines that follow and
// their SHA-256 in hexadecimal. Each line is one pair, in the order of the keys.
// A key or value that is not UTF-8 stands as Base64 in "key64" or "value64".
//
// Each write replaces the file as a whole: a temporary file beside it (its name
// with .tmp) is written and synced, then renamed over it, then the directory is
// synced. A process that is killed at any moment leaves the old content or the
// new one. A write thus costs time in proportion to all offsets, as in Java; who
// keeps offsets by the hundred thousand is better served by a Kafka topic.
//
// A file whose header, length or checksum is wrong is refused and left as it is,
// an empty one too: it was cut off by something else. A missing file is a store
// without offsets.
//
// While a store is open it holds a lock on the file's name with .lock, which
// stays behind, unlocked, when it is closed. On Unix and Windows the lock goes
// away with its process however that ends; on other systems the file itself is
// the lock, and is to be deleted by hand after a crash.
//
// # Files of Java's standalone worker
//
// A file that Java's FileOffsetBackingStore wrote (a serialised
// HashMap<byte[],byte[]>) is taken over when the store is opened: the keys and
// values are the same bytes. The original is kept beside it, with
// .java-backup added to its name, so that a Java worker can be given it back.
package offsets
