// Package jsonpath evaluates JSONPath on records, in the dialect of Jayway's library, which the transforms of Kafka Connect use: steps by name, in quotes or
// not, several at once; positions, from the end too, and ranges; * and ..; filters with @ and $, comparisons, && || !, regular expressions of Java's,
// in, nin, contains, anyof, noneof, subsetof, size and empty; the functions length() and size() at the end.
//
// It walks structs, maps and arrays as they are: nothing is converted, and nothing is built but the list of what was found.
package jsonpath
