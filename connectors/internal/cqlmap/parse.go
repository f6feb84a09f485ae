package cqlmap

import (
	"errors"
)

// An Error says where a mapping is wrong.
type Error struct {
	// Offset is the place in the text, in bytes from 0.
	Offset int
	// Message says what was found there and what is allowed.
	Message string
}

// Error returns the place, counted in characters from 1, and the message.
func (e *Error) Error() string { return e.Message }

// Parse reads a mapping. What is wrong with the text is an [*Error]; mistakes
// that do not keep the rest from being read (a column twice, a field of no part
// of a record, an unknown function) come all at once, joined.
func Parse(text string) (Mapping, error) {
	return Mapping{}, errors.New("not yet")
}

// String returns a text that Parse reads as the same mapping, each name quoted
// that has to be.
func (m Mapping) String() string { return "" }

// String returns the source as the right side of an assignment.
func (s Source) String() string { return "" }
