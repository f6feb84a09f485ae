// Package archtest holds the project's architecture as tests: which package may
// import which, how long files and functions may be, where goroutines start, and
// the habits that a reader of any file may count on. It has no code of its own.
//
// Every message says how to mend what it found. The lists of exceptions are in
// the tests, each entry with its reason; an entry that nothing needs any more is
// an error too.
package archtest
