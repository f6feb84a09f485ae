package config

import (
	"errors"
	"fmt"
)

// Decode fills into from p: parses what is given, takes defaults for the rest,
// runs the checks of the keys and, where into or a part of it is a Checker, its
// Check. All errors are joined; each is a *KeyError with Kafka's words. Text of
// secrets is never part of an error. Unknown keys are no error; see Unknown.
//
// Fields whose keys are in error get their zero values.
func Decode(p Props, into Describer) error { return DecodeResolved(p, p, into) }

// DecodeResolved decodes like Decode. Raw is the configuration before
// placeholders were resolved: Encode writes its text for secrets.
func DecodeResolved(resolved, raw Props, into Describer) error {
	s := run(resolved, raw, into)
	errs := s.wrong
	for i := range s.keys {
		errs = append(errs, s.outcomes[i].errs...)
	}
	s.settle()
	for _, e := range s.check() {
		errs = append(errs, e)
	}
	if len(errs) == 0 {
		return nil
	}
	return errors.Join(errs...)
}

// settle runs when no more text is printed from the variables.
func (s *state) settle() {
	for i, k := range s.keys {
		if f := k.base().settle; f != nil && len(s.outcomes) > i && len(s.outcomes[i].errs) == 0 {
			f()
		}
	}
}

// Encode writes the raw text of a configuration: the keys whose values differ
// from their defaults, the required ones always, and the entries of Maps.
// Secrets are written as the text that they were decoded from, so that what came
// as a placeholder goes out as one. Decode of the result gives an equal
// configuration.
//
// A list whose entry contains a comma or blanks at its ends cannot be written in
// Kafka's syntax and comes back in parts.
func Encode(from Describer) Props {
	s := declare(from)
	out := Props{}
	next := 0
	s.expand(func() {
		for ; next < len(s.keys); next++ {
			if text, differs := s.keys[next].encode(); differs {
				out[s.keys[next].base().name] = text
			}
		}
	})
	for _, m := range s.maps {
		for k, v := range *m.target {
			out[m.prefix+k] = v
		}
	}
	return out
}

// KeyErrors returns the key errors that err holds, in order, and the rest.
func KeyErrors(err error) (keys []*KeyError, rest []error) {
	for _, e := range flatten(err) {
		if ke := (*KeyError)(nil); errors.As(e, &ke) {
			keys = append(keys, ke)
			continue
		}
		rest = append(rest, e)
	}
	return keys, rest
}

// RenameErrors returns the errors of a configuration that a plugin has derived from the user's, as one does that
// takes the keys of another project's connector: under the keys that the user wrote. names maps derived keys to
// those; other keys are kept. What names no key is put on otherwise, or kept if that is empty.
func RenameErrors(err error, names map[string]string, otherwise string) error {
	keys, rest := KeyErrors(err)
	var all []error
	for _, k := range keys {
		if name, ok := names[k.Key]; ok && name != k.Key {
			cause := k.Err
			if cause == nil {
				cause = k
			}
			k = &KeyError{Key: name, Value: k.Value, Err: cause} // its message speaks of the key that it was
		}
		all = append(all, k)
	}
	for _, e := range rest {
		if otherwise != "" {
			e = &KeyError{Key: otherwise, Err: e}
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}

// Errorf makes a KeyError for a Check method; the error text may wrap with %w.
func Errorf(key, format string, args ...any) error {
	return &KeyError{Key: key, Err: fmt.Errorf(format, args...)}
}
