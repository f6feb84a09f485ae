// Package expression has transforms and a predicate whose conditions, topics and fields are expressions of CEL, the Common Expression Language
// (https://cel.dev): value.amount > 100.0 && value.country in ["CH", "DE"].
//
// An expression sees the record as variables:
//
//	key, value             what they are: null, a scalar, a list, or a map of fields. A field that a STRUCT does not have is an error, has(value.f)
//	                       tells whether it is there.
//	keySchema, valueSchema name of the schema; empty without schema, or where it has no name
//	topic                  text
//	partition, offset      numbers; partition is -1 where there is none yet, offset for a source record
//	timestamp              timestamp; null where there is none
//	headers                map from name to value: of several headers with one name the last
//
// INT8 to INT64 are int, FLOAT32 and FLOAT64 are double, and so are DECIMALs, which loses digits beyond 15. Date, Time and Timestamp are
// timestamps. All of CEL's standard functions are there, and lowerAscii, upperAscii, trim, replace, split, substring and indexOf on text.
//
// An expression is compiled, and its types are checked as far as they are known, before a connector starts. It can neither loop without end
// nor reach anything but the record; how much it may cost and how long it may take for one record are limited all the same.
//
// The package stands apart for its weight: it links cel-go, some 14 MB, into a program. Hand All to the plugins of a Runtime to have it; the
// command connect has it.
package expression
