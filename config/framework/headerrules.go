package framework

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// HeaderRule is one rule of response.http.headers.config.
type HeaderRule struct {
	// Action is set, add, setDate or addDate; values of the latter two are
	// milliseconds from now.
	Action, Name, Value string
}

var headerActions = []string{"set", "add", "setDate", "addDate"}

// ParseHeaderRules reads the rules for headers of REST answers: separated by
// commas, "[action] [name]:[value]", in double quotes if a comma is in them.
func ParseHeaderRules(text string) ([]HeaderRule, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var rules []HeaderRule
	for _, item := range splitQuoted(text) {
		r, err := parseHeaderRule(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseHeaderRule(item string) (HeaderRule, error) {
	head, value, ok := strings.Cut(item, ":")
	if !ok || strings.Contains(value, ":") {
		return HeaderRule{}, fmt.Errorf("Invalid format of header config '%s'. Expected: '[action] [header name]:[header value]'", item)
	}
	words := strings.Fields(head)
	if len(words) != 2 {
		return HeaderRule{}, fmt.Errorf("Invalid format of header config '%s'. Expected: '[action] [header name]:[header value]'", item)
	}
	if !slices.Contains(headerActions, words[0]) {
		return HeaderRule{}, fmt.Errorf("Invalid header config action: '%s'. Expected one of %s", words[0], strings.Join(headerActions, ", "))
	}
	if strings.ContainsAny(value, "\r\n") {
		return HeaderRule{}, errors.New("header values may not contain line breaks")
	}
	return HeaderRule{words[0], words[1], strings.TrimSpace(value)}, nil
}

// splitQuoted splits at commas outside double quotes and takes the quotes off.
func splitQuoted(text string) []string {
	var items []string
	var b strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			items = append(items, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	return append(items, b.String())
}

func headerRules() config.Check[string] {
	return config.CheckFunc("Comma-separated header rules, where each header rule is of the form '[action] [header name]:[header value]' and optionally surrounded by double quotes if any part of a header rule contains a comma",
		func(v string) error {
			_, err := ParseHeaderRules(v)
			return err
		})
}
