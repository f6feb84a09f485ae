// Package httpkit is the HTTP client that connectors share: authentication, TLS, proxies, retries within a budget, rate limits of our own and of the
// server, redirects that carry no credentials elsewhere, and a bound on what a response may take of memory.
//
//   - [Config] declares the keys; connectors embed it.
//   - [Client.Try] is one attempt, [Client.Do] tries again by a [Backoff]. Both wait for the rate limit.
//   - Errors are an [*Error] with a [Class], which says what to do about them.
//
// Nothing here starts a goroutine of its own or reads a clock other than package time's, so clients run in testing/synctest bubbles, given a dialer of
// connections in memory. Package httpkittest holds the conformance suite for connectors that build clients of their own keys.
package httpkit
