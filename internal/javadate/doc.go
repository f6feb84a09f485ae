// Package javadate formats and parses points in time by the patterns of java.text.SimpleDateFormat, as it is in Java 17 with an English locale:
// all letters, quotes, names and lenient parsing, with Java's calendar, which is Julian before 15 October 1582.
//
// Formats print in UTC. When parsing, the text may name another zone where the pattern has a letter for it. Names of zones are those that Java
// knows; what was their offset at the time in question is looked up in the time zone database that package time finds. Where it finds none,
// the present offset counts.
package javadate
