// Package rest is Kafka Connect's REST interface over a connect.Runtime: an
// [http.Handler] that a host mounts where it likes.
//
//	mux.Handle("/connect/", http.StripPrefix("/connect", rest.Handler(rt, nil)))
//
// Who has no server to mount it in is given one by [Listen], which goes by Java's
// keys: listeners, TLS, client certificates, users and passwords, a request log.
//
// Endpoints, parameters, status codes, bodies and messages are those of Apache
// Kafka 4.3.1; the handler describes itself at /openapi.json. A worker that
// does not lead its cluster passes on what only the leader may do (see
// Options.Client), so clients may ask any worker.
//
// The files in the order of a request: handler.go (what surrounds every
// request: panics, headers, CORS), path.go (canonical paths), table.go (the
// routes), route.go (what all routes share), connectors.go, state.go, offsets.go,
// plugins.go, health.go, admin.go, internal.go (the endpoints), body.go (what
// they read), forward.go (to the leader), errors.go (from errors to status
// codes). additions.go, apply.go, history.go and errortail.go are what Java does not
// have, below /-/. loggers.go and levelhandler.go are the levels of /admin/loggers.
// serve.go and serve_*.go are the server: its life, its listeners and TLS, users
// and passwords, the request log.
//
// # Deviations
//
// Where a standalone and a distributed worker of Java differ, the handler does
// as the distributed one: what is unknown is 404 everywhere, and a connector that
// was just created usually has no tasks yet in the answer. Beyond that it differs
// from Java where Java fails its users. Wrong requests that Java answers with 500
// are 400:
//
//   - a body that is missing or JSON null (Java: the text of a
//     NullPointerException). Broken JSON, JSON of another shape and unknown
//     fields are 500 as in Java, in other words;
//   - a validation without connector.class, or with an unknown one;
//   - a negative partition or offset of a sink, or a topic or partition that the
//     broker does not know;
//   - an offset of a source without partition (Java: accepted without effect, or
//     500), or with a number beyond 64 bits;
//   - an empty log level;
//   - a client override of the wrong type, which is an error of its key in a
//     validation.
//
// Paths and headers:
//
//   - Names with a slash, a backslash, a percent sign or control characters are
//     reached by their escapes (%2F), which Java's server refuses. Location
//     headers escape the name completely.
//   - Every body with JSON says so; Java leaves out the Content-Type of 404, 405
//     and some 406 and 415, and answers empty path segments in HTML. 405 comes
//     with an Allow header.
//   - Origins that CORS allows are compared as text, with * for any part of it;
//     Java takes them for regular expressions, in which a dot is any character.
//
// Connectors and plugins:
//
//   - PATCH /connectors/{name}/config may not change the name: 400. Java stores
//     the new name inside of the configuration of the old one.
//   - What a message shows of a configuration is in alphabetical order, and
//     masked where it looks secret. What config providers gave is never shown: a
//     validation has the placeholder for the value.
//   - Plugins that stand in for Java classes are listed under the names of these;
//     their own names, which are short, choose them as well. Policies and config
//     providers are no plugins: 404.
//
// The worker:
//
//   - Bodies are limited: 413 beyond Options.MaxBody.
//   - Reading does not wait for rebalances (Java: 500 while one is due).
//   - 204 after a restart says that it has begun; Java waits for the start, and
//     answers 500 if it fails. A task of a connector that is stopped is not there:
//     404 (Java: 409).
//   - A worker that is shutting down, or is starting for longer than a request may
//     take, answers 503 (Java: 500, or nothing).
//   - Answers with 409 because of a rebalance, and with 503, have Retry-After.
//   - Without Options.Loggers the root logger alone is shown, and levels cannot
//     be changed: 501. Without Options.SetClusterLevel a level of scope cluster is
//     set on this worker, which is the cluster.
//   - GET /openapi.json describes the interface.
package rest
