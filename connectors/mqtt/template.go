package mqtt

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
)

// template is text with variables: ${topic}, ${level.N}, ${N} and ${name} for groups, ${user.x}.
type template struct {
	parts []part
	fixed string // if there are no variables
}

// part is fixed text or a variable.
type part struct {
	text  string
	kind  variable
	level int
	name  string
}

type variable uint8

const (
	fixedText variable = iota
	topicVariable
	levelVariable
	groupVariable
	userVariable
)

var errTemplate = errors.New("want ${topic}, ${level.N}, ${N}, ${name} or ${user.name}; $$ is a dollar")

// parseTemplate reads a template. Groups are not looked up yet.
func parseTemplate(text string) (*template, error) {
	t := &template{}
	var plain strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "$")
		plain.WriteString(before)
		if !found {
			break
		}
		if strings.HasPrefix(rest, "$") {
			plain.WriteByte('$')
			text = rest[1:]
			continue
		}
		if !strings.HasPrefix(rest, "{") {
			return nil, errTemplate
		}
		name, after, closed := strings.Cut(rest[1:], "}")
		if !closed {
			return nil, fmt.Errorf("${%s is not closed", name)
		}
		p, err := parseVariable(name)
		if err != nil {
			return nil, err
		}
		if plain.Len() > 0 {
			t.parts = append(t.parts, part{text: plain.String()})
			plain.Reset()
		}
		t.parts = append(t.parts, p)
		text = after
	}
	if plain.Len() > 0 {
		t.parts = append(t.parts, part{text: plain.String()})
	}
	if len(t.parts) == 1 && t.parts[0].kind == fixedText {
		t.fixed, t.parts = t.parts[0].text, nil
	}
	return t, nil
}

// boundTemplate reads a template and looks its groups up.
func boundTemplate(text string, re *javaregex.Pattern) (*template, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return nil, err
	}
	return t, t.bind(re)
}

// legal says what is wrong with a template for names of Kafka topics, as far as that can be said without a message.
func (t *template) legal() error {
	if len(t.parts) == 0 {
		return legalTopic(t.fixed)
	}
	for _, p := range t.parts {
		if i := strings.IndexFunc(p.text, illegal); i >= 0 {
			return fmt.Errorf("found %q outside of variables: %w", p.text[i:], errTopic)
		}
	}
	return nil
}

var groupName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

func parseVariable(name string) (part, error) {
	switch {
	case name == "topic":
		return part{kind: topicVariable}, nil
	case strings.HasPrefix(name, "level."):
		n, err := strconv.Atoi(name[len("level."):])
		if err != nil || n < 1 || n > 32768 {
			return part{}, fmt.Errorf("found ${%s}, want a level from 1 on", name)
		}
		return part{kind: levelVariable, level: n}, nil
	case strings.HasPrefix(name, "user.") && len(name) > len("user."):
		return part{kind: userVariable, name: name[len("user."):]}, nil
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= 99 {
		return part{kind: groupVariable, level: n}, nil
	}
	if groupName.MatchString(name) {
		return part{kind: groupVariable, level: -1, name: name}, nil
	}
	return part{}, fmt.Errorf("found ${%s}: %w", name, errTemplate)
}

// bind finds the groups of a regular expression, nil for none.
func (t *template) bind(re *javaregex.Pattern) error {
	for i := range t.parts {
		p := &t.parts[i]
		switch {
		case p.kind != groupVariable:
		case re == nil:
			return fmt.Errorf("found ${%s}, a group, and no regular expression", p.groupText())
		case p.level < 0:
			n, ok := re.Group(p.name)
			if !ok {
				return fmt.Errorf("found ${%s}; the regular expression has no such group", p.name)
			}
			p.level = n
		case p.level > re.Groups():
			return fmt.Errorf("found ${%d}; the regular expression has %d groups", p.level, re.Groups())
		}
	}
	return nil
}

func (p *part) groupText() string {
	if p.level < 0 {
		return p.name
	}
	return strconv.Itoa(p.level)
}

// subject is what a template is filled from.
type subject struct {
	m      *message
	levels []string
	groups []int // of the match; nil: none
}

// split returns the levels of the topic.
func (s *subject) split() []string {
	if s.levels == nil {
		s.levels = strings.Split(s.m.topic, "/")
	}
	return s.levels
}

func (p *part) value(s *subject) string {
	switch p.kind {
	case topicVariable:
		return s.m.topic
	case levelVariable:
		if levels := s.split(); p.level <= len(levels) {
			return levels[p.level-1]
		}
	case groupVariable:
		if i := 2 * p.level; i+1 < len(s.groups) && s.groups[i] >= 0 {
			return s.m.topic[s.groups[i]:s.groups[i+1]]
		}
	case userVariable:
		if s.m.props != nil {
			for _, u := range s.m.props.User {
				if u.Key == p.name {
					return u.Value
				}
			}
		}
	}
	return ""
}

// fill returns the text, with each value of a variable passed through clean.
func (t *template) fill(s *subject, clean func(string) string) string {
	switch {
	case len(t.parts) == 0:
		return t.fixed
	case len(t.parts) == 1:
		return clean(t.parts[0].value(s))
	}
	var b strings.Builder
	for i := range t.parts {
		p := &t.parts[i]
		if p.kind == fixedText {
			b.WriteString(p.text)
		} else {
			b.WriteString(clean(p.value(s)))
		}
	}
	return b.String()
}

// maxTopic is the longest name of a Kafka topic.
const maxTopic = 249

var errTopic = fmt.Errorf("want a name of 1 to %d letters, digits and any of . _ -", maxTopic)

// legalTopic says whether Kafka takes the name of a topic.
func legalTopic(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > maxTopic || strings.IndexFunc(name, illegal) >= 0 {
		return errTopic
	}
	return nil
}

// replacing puts a text in the place of each character that names of Kafka topics cannot have.
func replacing(replacement string) func(string) string {
	return func(text string) string {
		if strings.IndexFunc(text, illegal) < 0 {
			return text
		}
		var b strings.Builder
		for _, r := range text {
			if illegal(r) {
				b.WriteString(replacement)
			} else {
				b.WriteRune(r)
			}
		}
		return b.String()
	}
}

func illegal(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}

func asIs(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func templateCheck() config.Check[string] {
	return config.CheckFunc("a template", func(v string) error {
		_, err := parseTemplate(v)
		return err
	})
}

// topicCheck is for names of Kafka topics.
func topicCheck() config.Check[string] {
	return config.CheckFunc("a name of a Kafka topic", legalTopic)
}

func regexCheck() config.Check[string] {
	return config.CheckFunc("a regular expression", func(v string) error {
		_, err := javaregex.Compile(v)
		return err
	})
}
