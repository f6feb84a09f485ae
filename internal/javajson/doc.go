// Package javajson reads and writes JSON text by the rules of Jackson, the
// library behind Kafka Connect's JSON: what it escapes, which leniencies it has
// and where it stops (1000 levels, 1000 characters a number). It knows text
// only; what the text means is up to the callers.
//
// Nothing here allocates, save for strings with escapes.
package javajson
