// Package registry is what the converters over a schema registry share: the
// client, its caches, the framing of records, and the way of a record from
// Connect data to bytes and back. A format (Avro, JSON Schema, Protobuf) adds
// what it makes of schemas and values; see [Format].
//
//	Converter   one for each task and use; keeps compiled plans, asks Registry for what it lacks
//	Registry    shared by the converters of a plugin that have the same connection; caches, one request at a time for each question
//	Client      the seam: what is asked of a registry; [Dial] makes the one over riferrei/srclient
//	transport   HTTP: several URLs, retries, credentials, TLS
//
// # Requests
//
// Writing costs one request for each schema and subject: the registration (or
// the look-up, with auto.register.schemas=false). Reading costs one for each
// schema id, one for its version under the subject, and one for each schema
// that it refers to. Answers are kept for good, save those about the latest
// version of a subject, which latest.cache.ttl.sec bounds, and refusals, which
// are kept for 5 seconds so that a topic full of bad records is no flood of
// requests. Records cost none. Converters that ask the same question at the same
// time share one request; it ends when the last of them has given up.
//
// # Errors
//
// What may be better later (no connection, HTTP 408, 429 and 5xx) is tried again,
// at max.retries other times, with every URL; then it is [connect.Retriable],
// with the pause that the registry asks for. What the registry refuses about
// a schema (404, 409, 422) is a data error with the registry's own words, which
// errors.tolerance applies to. Other answers (401, 403, rubbish) are plain errors.
package registry
