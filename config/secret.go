package config

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// Hidden is what is printed in place of a secret, as Java prints its Password.
const Hidden = "[hidden]"

// Secret is text that no print or log shows: fmt with any verb, slog and
// encoding/json write Hidden. Encode writes the raw text that it was decoded
// from, which is the placeholder where it came from a config provider. The zero
// Secret is empty.
type Secret struct {
	text string
	raw  string
}

// NewSecret makes a secret of text. Encode writes that very text.
func NewSecret(text string) Secret { return Secret{text: text, raw: text} }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == "" }

// String returns Hidden.
func (s Secret) String() string { return Hidden }

// GoString returns Hidden.
func (s Secret) GoString() string { return Hidden }

// Format writes Hidden for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, Hidden) }

// LogValue gives slog Hidden.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Hidden) }

// MarshalText gives encoders Hidden.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// secretWords are parts of key names whose values are masked wherever Props are
// printed, whether or not a Describer calls them Password: an unknown or
// misspelt key must not leak either.
var secretWords = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|pwd|secret|token|credential|jaas|sas[._-]?key|` +
	`(private|api|access|account|shared|encryption|signing|session|license)[._-]?key|keystore[._-]key|` +
	`(connection|conn)[._-]?string|basic[._-]?auth|authorization|\.pass$|^pass$|user[._-]?info)`)

// userInfo finds a password inside a URL.
var userInfo = regexp.MustCompile(`://[^/\s:@]*:[^/\s@]+@`)

// harmlessWords are the endings of keys that sound secret and hold none: they
// name a place, a type, a time or a switch.
var harmlessWords = regexp.MustCompile(`(?i)\.(url|location|type|enable|enabled|ms|seconds|algorithm|class|format|field|name|size)$`)

// looksSecret tells whether the value of a key is masked.
func looksSecret(key, value string) bool {
	if value == "" || value == Null || isPlaceholder(value) {
		return false
	}
	if userInfo.MatchString(value) {
		return true
	}
	return secretWords.MatchString(key) && !harmlessWords.MatchString(key)
}

// isPlaceholder tells whether a text is one ${...} and nothing else: it says
// where a secret is and not what it is, and helps when reading a log.
func isPlaceholder(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "${") && strings.IndexByte(text, '}') == len(text)-1
}

// Masked returns a copy for logs, in which Hidden stands for what looks secret:
// values of keys whose names sound like it, passwords within URLs, and the keys
// that one of the describers, into which p is decoded, declares as Password.
// Placeholders stay.
func (p Props) Masked(describers ...Describer) Props {
	declared := map[string]bool{}
	for _, d := range describers {
		for _, k := range run(p, p, d).keys {
			if b := k.base(); b.typ == TypePassword {
				declared[b.name] = true
			}
		}
	}
	out := make(Props, len(p))
	for k, v := range p {
		if looksSecret(k, v) || declared[k] && v != "" && v != Null && !isPlaceholder(v) {
			v = Hidden
		}
		out[k] = v
	}
	return out
}
