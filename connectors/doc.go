// Package connectors lists the connectors of this module. Each lives in a package of its own; a program that wants but some of them
// imports these and leaves this one out, with all that it brings along.
package connectors
