// Package libraries has the formats of storage sinks that link a library: Avro and Parquet. A connector that does without them stays small.
package libraries
