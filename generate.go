package connect

// The reference pages of all keys, docs/reference.
//go:generate go run ./internal/docgen docs/reference
