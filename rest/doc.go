// Package rest is Kafka Connect's REST interface over a connect.Runtime: an
// [http.Handler] that a host mounts where it likes.
//
//	mux.Handle("/connect/", http.StripPrefix("/connect", rest.Handler(rt, nil)))
//
// Endpoints, parameters, status codes, bodies and messages are those of Apache
// Kafka 4.3.1; the handler describes itself at /openapi.json. A worker that
// does not lead its cluster passes on what only the leader may do (see
// Options.Client), so clients may ask any worker.
//
// The files in the order of a request: handler.go (what surrounds every
// request: panics, headers, CORS), path.go (canonical paths), table.go (the
// routes), route.go (what all routes share), connectors.go, restart.go,
// offsets.go, plugins.go, admin.go, internal.go (the endpoints), forward.go (to
// the leader), errors.go (from errors to status codes).
//
// # Deviations
//
// Where a standalone and a distributed worker of Java differ, the handler does
// as the distributed one: unknown connectors are 404 everywhere, and a created
// connector usually has no tasks yet in the answer. Beyond that it differs from
// Java where Java fails its users:
//
//   - A body that is missing or JSON null is 400 and says what is expected; Java
//     answers 500 with the text of a NullPointerException. Broken JSON, JSON of
//     another shape and unknown fields are 500 as in Java, in other words.
//   - PUT /connector-plugins/{plugin}/config/validate without connector.class, or
//     with an unknown one, is 400 (Java: 500).
//   - PATCH /connectors/{name}/config may not change the name: 400. Java stores
//     the new name inside of the configuration of the old one.
//   - Names with a slash, a backslash, a percent sign or control characters are
//     reached by their escapes (%2F); Java's server refuses the path. Location
//     headers escape the name completely.
//   - An empty path segment is 400 with a JSON body (Java: HTML).
//   - Every body with JSON says so: Java leaves out the Content-Type of 404, 405
//     and some 406 and 415. 405 comes with an Allow header.
//   - A negative partition or offset of a sink is 400 (Java: 500).
//   - Settings in messages about a missing connector.class are masked where they
//     look secret, and in alphabetical order.
//   - Plugins that stand in for Java classes are listed under the names of these;
//     their own names, which are short, choose them as well.
//   - Bodies are limited (413 beyond Options.MaxBody).
//   - A worker that is shutting down answers 503 (Java: 500 or no answer).
//   - Origins that CORS allows are compared as text, with * for any part of it;
//     Java takes them for regular expressions, in which a dot is any character.
//   - Without Loggers installed only the root logger is shown, and levels cannot
//     be changed: 501.
//   - Without Options.SetClusterLevel a level of scope cluster is set on this
//     worker alone: it is the cluster.
package rest
