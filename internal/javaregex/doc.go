// Package javaregex runs regular expressions in the syntax and with the meaning of java.util.regex (Java 17), for configurations that were
// written for Kafka Connect.
//
// A pattern is read into a tree. What Go's engine understands in the same way is written in its syntax and run by it, in time linear to the text.
// All else, look-around, back references, possessive quantifiers and the like, is run by backtracking, as in Java, with a limit to the steps
// and to the depth: a match that exceeds it is an error, where Java would run on, or overflow its stack.
//
// Look-behind may be of any length, which Java allows in some cases only. Not supported, and refused, are \X, \b{g} and \N{name}. Letters, scripts and cases are those of Go's Unicode tables, which
// are newer than Java's.
package javaregex
