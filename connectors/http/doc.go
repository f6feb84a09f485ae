// Package http is the source connector HttpSource: it reads records from REST and GraphQL interfaces, page by page.
//
// Each endpoint is a source partition, read by one task. The offset of a record says which page to ask for and how many of its records are done, so a
// restart goes on in the middle of a page. Positions move with the records, never with the commits, so nothing is asked for twice while a commit is
// under way. A page that has changed meanwhile is found again by the digest of the last record.
//
// The classes of Confluent's HTTP source V2 and of castorm's kafka-connect-http are understood with their own keys; see [Plugins].
//
// Memory: a task holds one page for each of its endpoints at most, bounded by http.response.max.bytes.
package http
