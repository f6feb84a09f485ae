// Package s3 writes records of Kafka as files to S3 and stores that speak its protocol: a sink in place of Confluent's S3 connector,
// with its keys and its layout of objects. docs/connectors/s3.md is its manual.
package s3
