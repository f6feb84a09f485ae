// Package objectstore is the engine of the sinks that write files: to S3 and its like, or into a directory.
//
// # From records to files
//
// A partitioner gives each record the folder that it belongs to, its encoded partition. Per partition of Kafka and folder
// one file is open. All open files of one Kafka partition end together, in a round, when one of the triggers of rotation
// asks for it; a round ends at an offset, its boundary. Files are kept in memory, and beyond the task's memory budget in
// a temporary file without a name, until they are complete; then they are stored in the background, each with one Put.
// The offset of a boundary is committed when all files up to it are stored.
//
// # Exactly once
//
// A file's key holds the offset of its first record, its metadata the offset of its last one; keys are created, never
// replaced. With that, whoever else writes at the same time (a task that has lost its partitions and does not know it
// yet) can not do harm:
//
//   - Per folder files are stored one after the other. So the files of a folder follow each other without gaps, and whoever
//     writes the next one uses the same key for it, that of the first record after them. One of them wins.
//   - Who finds a key taken learns from its metadata up to where records are stored. It goes back to the last boundary
//     and reads again, and leaves out what is stored.
//   - A boundary is never within a stored file: offsets are not committed up to there, nor do rounds end there.
//   - The first file of each folder after partitions were assigned is looked for in the store, so that what a crash
//     left there counts.
//
// That needs a partitioner that gives a record the same folder each time. The one of the wall clock does not: there,
// records that were stored before a crash, and not committed, are stored again in another folder.
//
// Where keys and headers are stored beside the values, the file of keys is created first and decides which records
// the others hold. The values come last: where they are, all are.
//
// Where a store has no conditional creation, files are looked for before they are written, and replaced: exactly once but for
// tasks that write at the same time.
package objectstore
