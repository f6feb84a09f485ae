package config

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Shorter texts than these are left alone: they stand in every other word, and
// what is as short keeps nothing secret.
const (
	shortestSecret   = 3
	shortestProvided = 4
)

// secretParts find what is secret within a longer text: the password of a URL or
// of user:password, and assignments as in a JAAS configuration.
var secretParts = []*regexp.Regexp{
	regexp.MustCompile(`://[^/\s:@]*:([^/\s@]+)@`),
	regexp.MustCompile(`^[^\s:/]+:(\S+)$`),
	regexp.MustCompile(`(?i)(?:passw(?:or)?d|pwd|secret|token|key)"?\s*[=:]\s*"?([^"\s;,&]+)`),
}

// A Redactor puts Hidden in the place of the secrets of one configuration, for
// texts such as error messages that may quote them. A nil Redactor changes
// nothing. It is immutable.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor knows the values that Props.Masked would hide in the resolved
// configuration, the passwords within them, all that config providers gave, and
// these as quoted, as JSON and as a URL would have them.
func NewRedactor(r Resolved, describers ...Describer) *Redactor {
	known := make(map[string]bool)
	add := func(text string, shortest int) {
		if len(text) < shortest || slices.Contains([]string{"true", "false", "none", "null"}, strings.ToLower(text)) {
			return
		}
		for _, form := range spellings(text) {
			known[form] = true
		}
	}
	masked := r.Props.Masked(describers...)
	for key, text := range r.Props {
		if masked[key] == text {
			continue
		}
		add(text, shortestSecret)
		for _, part := range secretParts {
			for _, m := range part.FindAllStringSubmatch(text, -1) {
				add(m[1], shortestSecret)
			}
		}
	}
	for _, v := range r.Provided {
		add(v.Reveal(), shortestProvided)
	}
	return newRedactor(known)
}

func newRedactor(known map[string]bool) *Redactor {
	texts := make([]string, 0, len(known))
	for text := range known {
		texts = append(texts, text)
	}
	// Where two begin at the same place the longer one counts.
	slices.SortFunc(texts, func(a, b string) int {
		if d := len(b) - len(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(texts))
	for _, text := range texts {
		pairs = append(pairs, text, Hidden)
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// spellings are the forms in which a text may be quoted.
func spellings(text string) []string {
	forms := []string{text, url.QueryEscape(text), url.PathEscape(text), strings.Trim(strconv.Quote(text), `"`)}
	if b, err := json.Marshal(text); err == nil {
		forms = append(forms, strings.Trim(string(b), `"`))
	}
	return forms
}

// Redact returns the text without the secrets.
func (r *Redactor) Redact(text string) string {
	if r == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// Conceal has an answer show nothing that config providers gave: values are those of
// the raw configuration, with placeholders, and errors quote no secret.
func (r *Result) Conceal(c Resolved, secrets *Redactor) {
	for i := range r.Configs {
		v := &r.Configs[i].Value
		raw, given := c.Raw[v.Name]
		if given && v.Value != nil && *v.Value != Hidden && raw != c.Props[v.Name] {
			v.Value = &raw
		}
		for j := range v.Errors {
			v.Errors[j] = secrets.Redact(v.Errors[j])
		}
	}
}
