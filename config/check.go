package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A Check tests a decoded value. Those of this package speak Kafka's words; make
// others with CheckFunc.
type Check[T any] struct {
	// test returns why the value is refused, or nil; text prints a value as the
	// key would.
	test func(v T, text func(T) string) error
	// null is what a Java validator says of null; nil where it lets it pass.
	null func(text func(T) string) error
	// describe says what is allowed, for documentation.
	describe func(text func(T) string) string
}

// CheckFunc makes a check of a function. It returns what is wrong (without key
// and value, which are put before it) or nil; doc says in documentation what is
// allowed, "" says nothing.
func CheckFunc[T any](doc string, test func(T) error) Check[T] {
	c := Check[T]{test: func(v T, _ func(T) string) error { return test(v) }}
	if doc != "" {
		c.describe = func(func(T) string) string { return doc }
	}
	return c
}

// OnNull makes the check say err where Java's validators get null: a key that is
// required and missing, or whose text cannot be parsed, shows it as a second
// error.
func (c Check[T]) OnNull(err error) Check[T] {
	c.null = func(func(T) string) error { return err }
	return c
}

var errNonNull = errors.New("Value must be non-null")

func nonNull[T any](func(T) string) error { return errNonNull }

// reason makes an error in Kafka's words, which begin with a capital letter.
func reason(format string, args ...any) error { return fmt.Errorf(format, args...) }

// AtLeast allows low and more.
func AtLeast[T cmp.Ordered](low T) Check[T] {
	return Check[T]{
		test: func(v T, text func(T) string) error {
			if v >= low {
				return nil
			}
			return reason("Value must be at least %s", text(low))
		},
		null:     nonNull[T],
		describe: func(text func(T) string) string { return "[" + text(low) + ",...]" },
	}
}

// AtMost allows high and less.
func AtMost[T cmp.Ordered](high T) Check[T] {
	return Check[T]{
		test: func(v T, text func(T) string) error {
			if v <= high {
				return nil
			}
			return reason("Value must be no more than %s", text(high))
		},
		null:     nonNull[T],
		describe: func(text func(T) string) string { return "[...," + text(high) + "]" },
	}
}

// Between allows low to high, both included.
func Between[T cmp.Ordered](low, high T) Check[T] {
	atLeast, atMost := AtLeast(low), AtMost(high)
	return Check[T]{
		test: func(v T, text func(T) string) error {
			return cmp.Or(atLeast.test(v, text), atMost.test(v, text))
		},
		null:     nonNull[T],
		describe: func(text func(T) string) string { return "[" + text(low) + ",...," + text(high) + "]" },
	}
}

// OneOf allows the given words.
func OneOf[T ~string](words ...T) Check[T] {
	complain := reason("String must be one of: %s", joinWords(words))
	return Check[T]{
		test: func(v T, _ func(T) string) error {
			if slices.Contains(words, v) {
				return nil
			}
			return complain
		},
		null:     func(func(T) string) error { return complain },
		describe: func(func(T) string) string { return "[" + joinWords(words) + "]" },
	}
}

// Supported is for keys of other projects' connectors of whose words, in any case, these are carried out here. Others are refused with these
// words named, rather than done in another way.
func Supported(words ...string) Check[string] {
	return CheckFunc("only "+strings.Join(words, ", "), func(text string) error {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, text) }) {
			return nil
		}
		return reason("is not supported; want %s", strings.Join(words, " or "))
	})
}

// OneOfFold allows the given words in any case.
func OneOfFold[T ~string](words ...T) Check[T] {
	upper := make([]string, len(words))
	for i, w := range words {
		upper[i] = strings.ToUpper(string(w))
	}
	list := strings.Join(upper, ", ")
	complain := reason("String must be one of (case insensitive): %s", list)
	return Check[T]{
		test: func(v T, _ func(T) string) error {
			if slices.ContainsFunc(words, func(w T) bool { return strings.EqualFold(string(w), string(v)) }) {
				return nil
			}
			return complain
		},
		null:     func(func(T) string) error { return complain },
		describe: func(func(T) string) string { return "(case insensitive) [" + list + "]" },
	}
}

func joinWords[T ~string](words []T) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = string(w)
	}
	return strings.Join(parts, ", ")
}

// NonEmpty refuses empty text. Blanks do not count, for String takes them off.
func NonEmpty() Check[string] {
	return CheckFunc("non-empty string", func(v string) error {
		if v == "" {
			return reason("String must be non-empty")
		}
		return nil
	})
}

// NonBlank refuses text of blanks alone.
func NonBlank() Check[string] {
	return CheckFunc("non-blank string", func(v string) error {
		if strings.TrimSpace(v) == "" {
			return reason("String must be non-blank")
		}
		return nil
	})
}

// NonEmptyWithoutControls refuses empty text and control characters: Kafka
// Connect's rule for connector names.
func NonEmptyWithoutControls() Check[string] {
	return CheckFunc("non-empty string without ISO control characters", func(v string) error {
		if v == "" {
			return reason("String may not be empty")
		}
		var found []string
		for _, r := range v {
			if unicode.IsControl(r) {
				found = append(found, fmt.Sprint(int(r)))
			}
		}
		if found == nil {
			return nil
		}
		return reason("String may not contain control sequences but had the following ASCII chars: %s", strings.Join(found, ", "))
	})
}

// NonEmptySecret refuses an empty secret.
func NonEmptySecret() Check[Secret] {
	return CheckFunc("non-empty", func(v Secret) error {
		if v.IsZero() {
			return reason("String must be non-empty")
		}
		return nil
	})
}

// Regexp allows text that is a regular expression in Go's syntax (RE2). Empty
// text passes.
func Regexp() Check[string] {
	return CheckFunc("valid regex", func(v string) error {
		if _, err := regexp.Compile(v); err != nil {
			return reason("Invalid regex: %w", err)
		}
		return nil
	})
}

// Matches allows text that the expression, in Go's syntax, matches as a whole.
// It panics on a bad expression, being part of a program's text.
func Matches(expr string) Check[string] {
	re := regexp.MustCompile(`^(?:` + expr + `)$`)
	return CheckFunc("matching "+expr, func(v string) error {
		if !re.MatchString(v) {
			return reason("Value must match %s", expr)
		}
		return nil
	})
}

// Distinct refuses empty entries and double ones: Kafka's rule for most lists.
func Distinct() Check[[]string] {
	c := CheckFunc("", func(v []string) error {
		if hasDouble(v) {
			return &wholeMessage{"Configuration '%s' values must not be duplicated."}
		}
		if slices.Contains(v, "") {
			return &wholeMessage{"Configuration '%s' values must not be empty."}
		}
		return nil
	})
	c.null = func(func([]string) string) error {
		return &wholeMessage{"Configuration '%s' values must not be null."}
	}
	return c
}

// DistinctNonEmpty is Distinct, and refuses the empty list too.
func DistinctNonEmpty() Check[[]string] {
	distinct := Distinct()
	test := distinct.test
	distinct.test = func(v []string, text func([]string) string) error {
		if len(v) == 0 {
			return &wholeMessage{"Configuration '%s' must not be empty. Valid values include: any non-empty value"}
		}
		return test(v, text)
	}
	return distinct
}

// Unique refuses double entries, in the words that Kafka Connect has for aliases
// of transforms, predicates and topic creation groups; kind names them in
// documentation.
func Unique(kind string) Check[[]string] {
	return CheckFunc("unique "+kind, func(v []string) error {
		if hasDouble(v) {
			return reason("Duplicate alias provided.")
		}
		return nil
	})
}

// NonEmptyList refuses the empty list.
func NonEmptyList() Check[[]string] {
	return CheckFunc("non-empty list", func(v []string) error {
		if len(v) == 0 {
			return reason("List must be non-empty")
		}
		return nil
	})
}

// Each applies a check of text to every entry of a list.
func Each(c Check[string]) Check[[]string] {
	each := Check[[]string]{test: func(v []string, _ func([]string) string) error {
		for _, s := range v {
			if err := c.test(s, asIs); err != nil {
				return fmt.Errorf("entry %q: %w", s, err)
			}
		}
		return nil
	}}
	if c.describe != nil {
		each.describe = func(func([]string) string) string { return "list of: " + c.describe(asIs) }
	}
	return each
}

func hasDouble(v []string) bool {
	seen := make(map[string]bool, len(v))
	for _, s := range v {
		if seen[s] {
			return true
		}
		seen[s] = true
	}
	return false
}

// Test returns what the check says of v, or nil.
func (c Check[T]) Test(v T) error {
	return c.test(v, func(v T) string { return fmt.Sprint(v) })
}
