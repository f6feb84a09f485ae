package transforms

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The expectations are those of java.util.regex.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		regex, replacement, text string
		want                     string // text itself where the whole does not match
	}{
		{"foo", "bar", "foo", "bar"},
		{"foo", "bar", "foot", "foot"},
		{"(.*)", "prefix-$1", "orig", "prefix-orig"},
		{`(.*)-(\d{8})`, "$1", "index-20160117", "index"},
		{"a|ab", "x", "ab", "xb"}, // the whole matches by its second alternative, the first match is by its first
		{"a*?", "x", "aaa", "xaaa"},
		{"(?<base>.*)_(?<n>[0-9]+)", "${n}.${base}", "t_7", "7.t"},
		{"(a)|(b)", "[$1$2]", "b", "[b]"},
		{"(.*)", "$0$0", "x", "xx"},
		{"(.*)", `\$1\\`, "x", `$1\`},
		{"(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "$10-$1", "abcdefghij", "j-a"},
		{"(.*)", "é$1ü", "x", "éxü"},
		{`\Qa.b\E`, "lit", "a.b", "lit"},
		{`\Qa.b`, "lit", "a.b", "lit"},
		{`\Qa.b\E`, "lit", "axb", "axb"},
		{`\u0061+`, "u", "aaa", "u"},
		{`[\w&-]+`, "c", "a&b", "c"},
		{`[]a]+`, "c", "a]", "c"},
		{`(?i:FOO)-x`, "y", "foo-x", "y"},
		{`(?i)FOO`, "y", "foo", "y"},
		{`\p{L}+`, "y", "äb", "y"},
		{`\pL\x41`, "y", "bA", "y"},
		{"x{2,3}", "y", "xxx", "y"},
		{"a++b", "y", "aab", "y"},
		{"[a-c]*+-", "y", "abc-", "y"},
		{"(a?+b)+", "y", "abb", "y"},
		{`\d{1,3}+`, "y", "123", "y"},
		{"", "y", "", "y"},
	} {
		p, err := compilePattern(c.regex)
		require.NoError(t, err, c.regex)
		got := c.text
		if p.matches(c.text) {
			got, err = p.replaceFirst(c.text, p.parseReplacement(c.replacement))
			require.NoError(t, err, c.regex)
		}
		assert.Equal(t, c.want, got, "%s with %s on %s", c.regex, c.replacement, c.text)
	}
}

// What Go's engine would take for something else, or can not do, is refused; never run differently.
func TestPatternRefusals(t *testing.T) {
	for _, c := range []struct {
		regex string
		want  string
	}{
		{`(a)\1`, "back references are not supported, at index 3"},
		{`(a)(b)\12`, "back references"},
		{`(?<n>a)\k<n>`, "back references"},
		{"a(?=b)", "look-ahead"},
		{"a(?!b)", "look-ahead"},
		{"(?<=a)b", "look-behind"},
		{"(?<!a)b", "look-behind"},
		{"(?>a)b", "atomic"},
		{"[a-z&&[^b]]", "classes"},
		{"[a[b]]", "classes"},
		{"[[:alpha:]]", "classes"},
		{`[\01]`, "octal"},
		{`\012`, "octal"},
		{`[\Qab\E]`, `\Q is not supported`},
		{`[\u0061]`, `\u is not supported`},
		{"(?U)a", "flag U"},
		{"(?iU:a)", "flag U"},
		{"a++a", "possessive"},
		{"a++a?b", "possessive"},
		{"a++(b)", "possessive"},
		{"(a++|ab)", "possessive"},
		{"(?i)A++a", "possessive"},
		{"(ab)++c", "possessive"},
		{"x++|y", "possessive"},
		{"(", "missing closing )"},
		{"(?", ""},
		{"(?<", ""},
		{"(?x)a b", ""},
		{"[a", "missing closing ]"},
		{`\`, "trailing backslash"},
		{`\p{Alpha}`, "invalid character class range"},
		{`\Z`, "invalid escape sequence"},
		{"a{1001}", "invalid repeat count"},
	} {
		_, err := compilePattern(c.regex)
		require.Error(t, err, c.regex)
		assert.ErrorContains(t, err, c.want, c.regex)
	}
}

func TestReplacementErrors(t *testing.T) {
	for _, c := range []struct{ replacement, want string }{
		{"$", "index is missing"},
		{"x$", "index is missing"},
		{"$x", "illegal group reference"},
		{"$é", "illegal group reference"},
		{`\`, "character to be escaped is missing"},
		{"$2", "no group 2"},
		{"${n", "missing trailing '}'"},
		{"${n-m}", "missing trailing '}'"},
		{"${", "missing trailing '}'"},
		{"${}", "no name"},
		{"${1}", "starts with digit"},
		{"${m}", "no group with name {m}"},
	} {
		p, err := compilePattern("(?<n>.*)")
		require.NoError(t, err)
		_, err = p.replaceFirst("x", p.parseReplacement(c.replacement))
		assert.ErrorContains(t, err, c.want, c.replacement)
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{"(.*)-(\\d{8})", "a++b", "[a[b]]", "(?<n>a)", `\Qx\E`, "(?i)A{2}+", "(?", `\p{L}`, "[^]]"} {
		f.Add(s, "$1${n}\\$", "topic-1")
	}
	f.Fuzz(func(t *testing.T, regex, replacement, text string) {
		p, err := compilePattern(regex)
		if err != nil {
			return
		}
		r := p.parseReplacement(replacement)
		got, err := p.replaceFirst(text, r)
		if err != nil {
			assert.Equal(t, r.err, err)
			return
		}
		if p.matches(text) && !p.first.MatchString(text) {
			t.Errorf("%q matches as a whole but not in part", text)
		}
		if !p.first.MatchString(text) {
			assert.Equal(t, text, got)
		}
	})
}
