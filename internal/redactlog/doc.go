// Package redactlog keeps secrets out of a log: a [slog.Handler] that has every text
// of a record looked at before it goes on.
package redactlog
