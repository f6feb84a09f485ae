package config

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMissing is the Err of a KeyError for a required key that is absent.
var ErrMissing = errors.New("missing required configuration")

// A KeyError says what is wrong with one key. Value is its raw text, Hidden for
// secrets. Check methods return it (several of them by errors.Join) to say which
// key they mean; Key is then relative to the configuration, and Value may be
// left out.
type KeyError struct {
	Key   string
	Value string
	Err   error

	text string // the whole message in Kafka's words; "" where a Check made the error
}

// Error returns the message, in Kafka's words.
func (e *KeyError) Error() string {
	switch {
	case e.text != "":
		return e.text
	case e.Value == "":
		return fmt.Sprintf("configuration %s: %v", e.Key, e.Err)
	}
	return fmt.Sprintf("Invalid value %s for configuration %s: %v", e.Value, e.Key, e.Err)
}

// Unwrap returns Err.
func (e *KeyError) Unwrap() error { return e.Err }

// message is what stands beside the key in a REST answer.
func (e *KeyError) message() string {
	if e.text == "" && e.Value == "" {
		return e.Err.Error()
	}
	return e.Error()
}

// missing makes the error for a required key that is absent.
func missing(key string) *KeyError {
	return &KeyError{Key: key, Err: ErrMissing,
		text: fmt.Sprintf("Missing required configuration %q which has no default value.", key)}
}

// invalid makes the error for a value. name is the key as the message names it:
// plugins inside a connector's configuration speak of their own keys.
func invalid(key, name, value string, reason error) *KeyError {
	text := fmt.Sprintf("Invalid value %s for configuration %s", value, name)
	if reason != nil {
		text += ": " + reason.Error()
	}
	if whole := (*wholeMessage)(nil); errors.As(reason, &whole) {
		text = whole.text(name)
	}
	return &KeyError{Key: key, Value: value, Err: reason, text: text}
}

// wholeMessage is the reason of a check whose message Java writes without
// "Invalid value". Its format takes the key.
type wholeMessage struct{ format string }

func (w *wholeMessage) text(name string) string { return strings.ReplaceAll(w.format, "%s", name) }
func (w *wholeMessage) Error() string           { return w.text("") }

// Message makes the reason of a check that is all there is to say: neither the
// key nor the value are put before it. %s in the text stands for the key. It is
// for checks of plugins whose twins in Java word a message that way.
func Message(text string) error { return &wholeMessage{text} }

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range j.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// joined is errors.Join that keeps a single error as it is.
func joined(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
