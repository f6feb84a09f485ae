package jaas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Module is one login module, with its options.
type Module struct {
	// Class without its package: PlainLoginModule and such.
	Class   string
	Options map[string]string
}

// Parse reads the text of sasl.jaas.config, with the grammar of Java's
// JaasConfig: class, control flag, options, semicolon. Values may be quoted, with
// backslash escapes as in Java's StreamTokenizer. There has to be one module.
func Parse(text string) (Module, error) {
	tokens, err := split(text, "=;")
	if err != nil {
		return Module{}, err
	}
	if len(tokens) < 3 || tokens[len(tokens)-1] != ";" {
		return Module{}, errors.New("want: class required option=\"value\" ... ;")
	}
	return module(tokens[:len(tokens)-1])
}

// ParseFile reads a login configuration file: entries of the form
//
//	Name { class required option="value" ... ; ... };
//
// with comments as in Java. It returns the modules by the name of their entry.
func ParseFile(text string) (map[string][]Module, error) {
	uncommented, err := withoutComments(text)
	if err != nil {
		return nil, err
	}
	tokens, err := split(uncommented, "=;{}")
	if err != nil {
		return nil, err
	}
	entries := make(map[string][]Module)
	for len(tokens) > 0 {
		end := slices.Index(tokens, "}")
		if end < 2 || tokens[1] != "{" || end+1 == len(tokens) || tokens[end+1] != ";" {
			return nil, errors.New("want entries of the form NAME { class required option=\"value\" ... ; };")
		}
		name := strings.TrimPrefix(tokens[0], quoted)
		if _, twice := entries[name]; twice {
			return nil, fmt.Errorf("the entry %q is there twice", name)
		}
		if entries[name], err = modules(tokens[2:end]); err != nil {
			return nil, fmt.Errorf("entry %q: %w", name, err)
		}
		tokens = tokens[end+2:]
	}
	return entries, nil
}

// modules reads what stands between the braces of an entry.
func modules(tokens []string) ([]Module, error) {
	var all []Module
	for len(tokens) > 0 {
		end := slices.Index(tokens, ";")
		if end < 0 {
			return nil, errors.New("a module does not end with a semicolon")
		}
		m, err := module(tokens[:end])
		if err != nil {
			return nil, err
		}
		all = append(all, m)
		tokens = tokens[end+1:]
	}
	return all, nil
}

// module reads a class, its control flag and its options.
func module(tokens []string) (Module, error) {
	if len(tokens) < 2 {
		return Module{}, errors.New("want: class required option=\"value\" ... ;")
	}
	m := Module{Class: tokens[0][strings.LastIndexByte(tokens[0], '.')+1:], Options: map[string]string{}}
	switch strings.ToUpper(tokens[1]) {
	case "REQUIRED", "REQUISITE", "SUFFICIENT", "OPTIONAL":
	default:
		return Module{}, fmt.Errorf("%q is no control flag; allowed are required, requisite, sufficient and optional", tokens[1])
	}
	rest := tokens[2:]
	if len(rest)%3 != 0 {
		return Module{}, errors.New("an option is not of the form name=\"value\"")
	}
	for i := 0; i < len(rest); i += 3 {
		if rest[i+1] != "=" || rest[i] == ";" || rest[i] == "=" {
			return Module{}, errors.New("an option is not of the form name=\"value\", or there are several modules; one is allowed")
		}
		m.Options[rest[i]] = strings.TrimPrefix(rest[i+2], quoted)
	}
	return m, nil
}

// quoted marks a token that stood in quotes, so that "=" and ";" in quotes are
// no punctuation.
const quoted = "\x00"

// split splits the text into words, quoted texts, and single characters of
// punctuation.
func split(text, punctuation string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c <= ' ':
			i++
		case strings.IndexByte(punctuation, c) >= 0:
			tokens = append(tokens, string(c))
			i++
		case c == '"' || c == '\'':
			value, n, err := unquote(text[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, quoted+value)
			i += n
		default:
			end := strings.IndexFunc(text[i:], func(r rune) bool { return r <= ' ' || strings.ContainsRune(punctuation+`"'`, r) })
			if end < 0 {
				end = len(text) - i
			}
			tokens = append(tokens, text[i:i+end])
			i += end
		}
	}
	return tokens, nil
}

// withoutComments replaces comments, // and /* */ outside of quotes, by a blank.
func withoutComments(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			_, n, err := unquote(text[i:])
			if err != nil {
				return "", err
			}
			b.WriteString(text[i : i+n])
			i += n
		case strings.HasPrefix(text[i:], "//"):
			b.WriteByte(' ')
			end := strings.IndexAny(text[i:], "\r\n")
			if end < 0 {
				return b.String(), nil
			}
			i += end
		case strings.HasPrefix(text[i:], "/*"):
			b.WriteByte(' ')
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return "", errors.New("a comment does not end")
			}
			i += end + 4
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}

// escapes are those of Java's StreamTokenizer, octal ones aside.
var escapes = map[byte]byte{'a': 7, 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// unquote reads a quoted text and says how many bytes it took.
func unquote(text string) (value string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return b.String(), i + 1, nil
		case c == '\n' || c == '\r':
			return "", 0, errors.New("a quoted value goes over the end of its line")
		case c != '\\':
			b.WriteByte(c)
		default:
			decoded, size := unescape(text[i+1:])
			b.WriteByte(decoded)
			i += size
		}
	}
	return "", 0, errors.New("a quote is not closed")
}

// unescape decodes what follows a backslash: up to three octal digits, a letter
// of escapes, or any byte itself.
func unescape(rest string) (decoded byte, size int) {
	if rest == "" {
		return '\\', 0
	}
	if c := rest[0]; c < '0' || c > '7' {
		if e, ok := escapes[c]; ok {
			return e, 1
		}
		return c, 1
	}
	limit := 2
	if rest[0] <= '3' {
		limit = 3
	}
	for size < limit && size < len(rest) && rest[size] >= '0' && rest[size] <= '7' {
		decoded = decoded<<3 | (rest[size] - '0')
		size++
	}
	return decoded, size
}
