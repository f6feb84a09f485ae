package kafka

import (
	"errors"
	"fmt"
	"strings"
)

// A loginModule is a decoded sasl.jaas.config: one module of Java's
// authentication service, with its options.
type loginModule struct {
	// class without its package: PlainLoginModule and such.
	class   string
	options map[string]string
}

// parseJAAS reads the text of sasl.jaas.config, with the grammar of Java's
// JaasConfig: class, control flag, options, semicolon. Values may be quoted, with
// backslash escapes as in Java's StreamTokenizer.
func parseJAAS(text string) (loginModule, error) {
	tokens, err := jaasTokens(text)
	if err != nil {
		return loginModule{}, err
	}
	if len(tokens) < 3 || tokens[len(tokens)-1] != ";" {
		return loginModule{}, errors.New("want: class required option=\"value\" ... ;")
	}
	m := loginModule{class: tokens[0][strings.LastIndexByte(tokens[0], '.')+1:], options: map[string]string{}}
	switch strings.ToUpper(tokens[1]) {
	case "REQUIRED", "REQUISITE", "SUFFICIENT", "OPTIONAL":
	default:
		return loginModule{}, fmt.Errorf("%q is no control flag; allowed are required, requisite, sufficient and optional", tokens[1])
	}
	rest := tokens[2 : len(tokens)-1]
	if len(rest)%3 != 0 {
		return loginModule{}, errors.New("an option is not of the form name=\"value\"")
	}
	for i := 0; i < len(rest); i += 3 {
		if rest[i+1] != "=" || rest[i] == ";" || rest[i] == "=" {
			return loginModule{}, errors.New("an option is not of the form name=\"value\", or there are several modules; one is allowed")
		}
		m.options[rest[i]] = strings.TrimPrefix(rest[i+2], quoted)
	}
	return m, nil
}

// quoted marks a token that stood in quotes, so that "=" and ";" in quotes are
// no punctuation.
const quoted = "\x00"

// jaasTokens splits the text into words, quoted texts, "=" and ";".
func jaasTokens(text string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c <= ' ':
			i++
		case c == '=' || c == ';':
			tokens = append(tokens, string(c))
			i++
		case c == '"' || c == '\'':
			value, n, err := jaasQuoted(text[i:])
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, quoted+value)
			i += n
		default:
			end := strings.IndexFunc(text[i:], func(r rune) bool { return r <= ' ' || strings.ContainsRune(`=;"'`, r) })
			if end < 0 {
				end = len(text) - i
			}
			tokens = append(tokens, text[i:i+end])
			i += end
		}
	}
	return tokens, nil
}

// jaasEscapes are the escapes of Java's StreamTokenizer, octal ones aside.
var jaasEscapes = map[byte]byte{'a': 7, 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// jaasQuoted reads a quoted text and says how many bytes it took.
func jaasQuoted(text string) (value string, n int, err error) {
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
			decoded, size := jaasEscape(text[i+1:])
			b.WriteByte(decoded)
			i += size
		}
	}
	return "", 0, errors.New("a quote is not closed")
}

// jaasEscape decodes what follows a backslash: up to three octal digits, a
// letter of jaasEscapes, or any byte itself.
func jaasEscape(rest string) (decoded byte, size int) {
	if rest == "" {
		return '\\', 0
	}
	if c := rest[0]; c < '0' || c > '7' {
		if e, ok := jaasEscapes[c]; ok {
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
