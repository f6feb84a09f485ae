package framework

import (
	"fmt"
	"regexp"

	"github.com/streamlane/connect/config"
)

// Pattern is a regular expression that is matched against whole names, as Java's
// Pattern.matches does. The nil Pattern matches nothing.
type Pattern struct {
	re   *regexp.Regexp
	text string
}

// CompilePattern compiles the expression that stands in key. It takes RE2, which
// is Java's syntax without look-around, backreferences, possessive quantifiers
// and character class intersection; the error, a config.KeyError, names key.
func CompilePattern(key, expr string) (*Pattern, error) {
	re, err := compile(expr)
	if err != nil {
		return nil, &config.KeyError{Key: key, Value: expr, Err: err}
	}
	return &Pattern{re, expr}, nil
}

func compile(expr string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expr); err != nil { // "a)(b" is an error, wrapped or not
		return nil, fmt.Errorf("Invalid regex: %w", err)
	}
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("Invalid regex: %w", err)
	}
	return re, nil
}

// MatchString tells whether the pattern matches the whole of name.
func (p *Pattern) MatchString(name string) bool { return p != nil && p.re.MatchString(name) }

// String returns the expression as it was written.
func (p *Pattern) String() string {
	if p == nil {
		return ""
	}
	return p.text
}

// validRegex checks the syntax of CompilePattern.
func validRegex() config.Check[string] {
	return config.CheckFunc("valid regex", func(v string) error {
		_, err := compile(v)
		return err
	})
}
