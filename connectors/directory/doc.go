// Package directory writes records of Kafka as files into a folder: JSON lines, CSV or bytes (and with its package full Avro and Parquet), by
// partition, field or time, each record in exactly one file. It is the sink of connectors/s3 for the local disk, with the same keys.
//
// A file appears under its name when it is complete, and never changes. Beside it lies a hidden file with its metadata,
// the offsets of its records among them; who removes a file may remove that too. With several workers the folder has to be
// one that all of them share.
package directory
