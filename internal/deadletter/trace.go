package deadletter

import (
	"errors"
	"strings"
)

// Trace is the text of an error in the form in which Java prints one: its class
// and message, where it happened, and what caused it. There are no frames: errors
// of Go have none.
func Trace(class, message, at string, err error) string {
	var b strings.Builder
	b.WriteString(class)
	if message != "" {
		b.WriteString(": " + message)
	}
	b.WriteString("\n\tat " + at + "\n")
	last := message
	for err != nil {
		if text := err.Error(); text != last {
			b.WriteString("Caused by: " + text + "\n")
			last = text
		}
		err = errors.Unwrap(err)
	}
	return b.String()
}
