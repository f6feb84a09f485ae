package config

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxProperties bounds what ParseProperties reads: 16 MiB.
const maxProperties = 16 << 20

// ParseProperties reads a Java .properties file: comments after # or !, a
// backslash at the end of a line to continue it, '=', ':' or blanks between key
// and value, \t \n \r \f \uXXXX and a backslash before any other character. The
// last of several entries with one key wins. Text is read as UTF-8, and where it
// is none as ISO 8859-1, which is how Java reads older files. Malformed \uXXXX
// and more than 16 MiB are errors.
func ParseProperties(r io.Reader) (Props, error) {
	p := Props{}
	err := scanProperties(r, func(key, value string) { p[key] = value })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// scanProperties calls entry for each entry, in the order of the file.
func scanProperties(r io.Reader, entry func(key, value string)) error {
	data, err := io.ReadAll(io.LimitReader(r, maxProperties+1))
	if err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	if len(data) > maxProperties {
		return fmt.Errorf("properties: more than %d bytes", maxProperties)
	}
	text := string(data)
	if !utf8.ValidString(text) {
		text = latin1(data)
	}
	lines := logicalLines{rest: text}
	for lines.next() {
		key, value := splitEntry(lines.text)
		k, err := unescape(key)
		if err != nil {
			return fmt.Errorf("properties, line %d: %w", lines.at, err)
		}
		v, err := unescape(value)
		if err != nil {
			// The value may be a secret: only the key is named.
			return fmt.Errorf("properties, line %d, value of %s: %w", lines.at, k, err)
		}
		entry(k, v)
	}
	return nil
}

func latin1(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

const blanks = " \t\f"

// logicalLines joins continued lines and leaves out comments and blank lines.
type logicalLines struct {
	rest string
	text string
	at   int // number of the natural line where text began
	line int
}

// natural takes one line off.
func (l *logicalLines) natural() (string, bool) {
	if l.rest == "" {
		return "", false
	}
	l.line++
	i := strings.IndexAny(l.rest, "\r\n")
	if i < 0 {
		line := l.rest
		l.rest = ""
		return line, true
	}
	line := l.rest[:i]
	if strings.HasPrefix(l.rest[i:], "\r\n") {
		i++
	}
	l.rest = l.rest[i+1:]
	return line, true
}

func (l *logicalLines) next() bool {
	for {
		line, ok := l.natural()
		if !ok {
			return false
		}
		line = strings.TrimLeft(line, blanks)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		l.at = l.line
		var b strings.Builder
		for continued(line) {
			b.WriteString(line[:len(line)-1])
			if line, ok = l.natural(); !ok {
				break
			}
			line = strings.TrimLeft(line, blanks)
		}
		b.WriteString(line)
		if l.text = b.String(); l.text != "" {
			return true
		}
	}
}

// continued tells whether a line ends with an odd number of backslashes.
func continued(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

// splitEntry parts key and value at the first '=', ':' or blank that no
// backslash stands before.
func splitEntry(line string) (key, value string) {
	i := 0
	for i < len(line) && !strings.ContainsRune("=:"+blanks, rune(line[i])) {
		if line[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(line) {
		return line, ""
	}
	value = strings.TrimLeft(line[i:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return line[:i], value
}

var escapes = map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}

// unescape resolves backslashes. Surrogate pairs written as two \u escapes make
// one character; half a pair becomes U+FFFD, for Go's text is UTF-8.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			break // a lone backslash at the end stands for nothing
		}
		if s[i] != 'u' {
			if c, ok := escapes[s[i]]; ok {
				b.WriteByte(c)
			} else {
				b.WriteByte(s[i])
			}
			continue
		}
		unit, err := hex4(s[i+1:])
		if err != nil {
			return "", err
		}
		i += 4
		if utf16.IsSurrogate(unit) && strings.HasPrefix(s[i+1:], `\u`) {
			if low, err := hex4(s[i+3:]); err == nil {
				if r := utf16.DecodeRune(unit, low); r != utf8.RuneError {
					b.WriteRune(r)
					i += 6
					continue
				}
			}
		}
		b.WriteRune(unit)
	}
	return b.String(), nil
}

// hex4 reads the four digits behind \u.
func hex4(s string) (rune, error) {
	if len(s) < 4 {
		return 0, fmt.Errorf(`malformed \uxxxx encoding`)
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	if err != nil {
		return 0, fmt.Errorf(`malformed \uxxxx encoding`)
	}
	return rune(n), nil
}

// WriteProperties writes p as a .properties file that ParseProperties and Java
// read back, in alphabetical order, secrets included. Entries of Null are left
// out.
func (p Props) WriteProperties(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, k := range p.Keys() {
		if p[k] == Null {
			continue
		}
		fmt.Fprintf(b, "%s=%s\n", escape(k, "=: #!"), escape(p[k], ""))
	}
	return b.Flush()
}

// escape writes what a .properties file needs a backslash for; special are
// further characters. Beyond ASCII it writes \u escapes, which Java reads under
// any encoding.
func escape(s, special string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == '\\', r == ' ' && i == 0, strings.ContainsRune(special, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r > '~':
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04X`, u)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
