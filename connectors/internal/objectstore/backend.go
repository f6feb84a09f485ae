package objectstore

import (
	"context"
	"errors"
	"io"
)

// A Backend is a place for objects. Its methods may be called from several goroutines at once.
type Backend interface {
	// Capabilities tells what it can promise. It may ask the store.
	Capabilities(ctx context.Context) (Capabilities, error)
	// Put stores an object, whole or not at all; nothing shows under its key before. It wraps ErrExists where
	// IfAbsent was asked for and the key is taken. Whether a Put that failed otherwise took place is not known; Stat
	// tells. What it sent of a Put that failed it removes as well as it can.
	Put(ctx context.Context, key string, content Content, o PutOptions) error
	// Stat returns what is known of an object, or an error that wraps ErrNotFound.
	Stat(ctx context.Context, key string) (Object, error)
	// List returns the objects whose keys begin with prefix and come after the key after, in order of their bytes, at
	// most limit of them, without metadata.
	List(ctx context.Context, prefix, after string, limit int) ([]Object, error)
	// Delete removes an object; that there is none is no error.
	Delete(ctx context.Context, key string) error
	// Close releases what it holds.
	Close() error
}

// Content is the whole of a file that is ready, in memory or on disk. It may be read many times and in pieces at once, so
// that an upload can be retried and sent in parallel parts.
type Content interface {
	io.ReaderAt
	// Size is the number of bytes.
	Size() int64
}

// Capabilities are what a store can do.
type Capabilities struct {
	// ConditionalCreate: IfAbsent holds against every other writer.
	ConditionalCreate bool
	// Metadata travels with objects and comes back from Stat.
	Metadata bool
}

// PutOptions go with one object.
type PutOptions struct {
	ContentType string
	// Metadata is stored with the object: lower case names, printable ASCII values.
	Metadata map[string]string
	// IfAbsent refuses to replace an object that exists.
	IfAbsent bool
}

// Object is what a store knows of one object.
type Object struct {
	Key      string
	Size     int64
	Metadata map[string]string
}

var (
	// ErrExists is wrapped by what fails because there is an object of that key already.
	ErrExists = errors.New("the object exists")
	// ErrNotFound is wrapped by what fails because there is no such object.
	ErrNotFound = errors.New("no such object")
)
