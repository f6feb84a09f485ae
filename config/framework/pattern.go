package framework

import (
	"fmt"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
)

// Pattern is a regular expression in Java's syntax that is matched against whole
// names, as Java's Pattern.matches does. The nil Pattern matches nothing. It is
// safe for concurrent use.
type Pattern struct{ re *javaregex.Pattern }

// CompilePattern compiles the expression that stands in key. The error, a
// config.KeyError, names key.
func CompilePattern(key, expr string) (*Pattern, error) {
	re, err := compile(expr)
	if err != nil {
		return nil, &config.KeyError{Key: key, Value: expr, Err: err}
	}
	return &Pattern{re}, nil
}

func compile(expr string) (*javaregex.Pattern, error) {
	re, err := javaregex.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("Invalid regex: %w", err)
	}
	return re, nil
}

// Match tells whether the pattern matches the whole of name. The error says that
// this takes more steps than are allowed: only expressions that backtrack have it.
func (p *Pattern) Match(name string) (bool, error) {
	if p == nil {
		return false, nil
	}
	ok, err := p.re.Matches(name)
	if err != nil {
		return false, fmt.Errorf("regular expression %q: name %q: %w", p.re, name, err)
	}
	return ok, nil
}

// MatchString is Match for callers that take an error for no match.
func (p *Pattern) MatchString(name string) bool {
	ok, err := p.Match(name)
	return ok && err == nil
}

// String returns the expression as it was written.
func (p *Pattern) String() string {
	if p == nil {
		return ""
	}
	return p.re.String()
}

// validRegex checks the syntax of CompilePattern.
func validRegex() config.Check[string] {
	return config.CheckFunc("valid regex", func(v string) error {
		_, err := compile(v)
		return err
	})
}
