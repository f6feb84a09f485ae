// Package httpkittest shows whether a client that was built of a connector's keys keeps the contract of package httpkit: it is the suite that
// connectors over HTTP run. It also serves handlers on a network in memory, for testing/synctest bubbles.
package httpkittest
