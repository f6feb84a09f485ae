package javaregex

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What Go's engine can do, it does: its time is linear.
func TestEngines(t *testing.T) {
	for regex, backtracks := range map[string]bool{
		"(.*)-(\\d{8})": false, "(?i)foo|bar": false, "[a-z&&[^x]]+": false, `\Qa.b\E\p{L}`: false, "^a$": false, `\bx\b`: false, "(a+)+b": false,
		"(?=a)b": true, `(.)\1`: true, "a++b": true, "(?>a)": true, "(a*)*": true, "(?m)^a": true, "a{2000}": true,
	} {
		p, err := Compile(regex)
		require.NoError(t, err, regex)
		assert.Equal(t, backtracks, p.Backtracks(), regex)
		assert.Equal(t, regex, p.String())
	}
}

func TestTooComplex(t *testing.T) {
	for _, c := range [][2]string{
		{`(a|aa)+(?!c)b`, strings.Repeat("a", 200)},
		{`(x+x+)+(?=y)y`, strings.Repeat("x", 200)},
		{`(?:(?=a)a)*b`, strings.Repeat("a", maxDepth)}, // deep, not long
		{`(\w+\s?)*+(?!$)x`, strings.Repeat("ab ", 40) + strings.Repeat("(", 20)},
	} {
		p, err := Compile(c[0])
		require.NoError(t, err)
		_, err = p.Matches(c[1])
		if err == nil {
			_, err = p.Find(c[1])
		}
		if c[0][0] == '(' && strings.Contains(c[0], "*+") {
			assert.NoError(t, err, "possessive: %s", c[0])
			continue
		}
		assert.ErrorIs(t, err, ErrTooComplex, c[0])
		_, err = p.FindWhole(c[1])
		assert.ErrorIs(t, err, ErrTooComplex, c[0])
		_, err = p.ReplaceAll(c[1], p.Replacement("x"))
		assert.ErrorIs(t, err, ErrTooComplex, c[0])
	}
	// The same, where Go's engine can do it.
	p, err := Compile("(x+x+)+y")
	require.NoError(t, err)
	ok, err := p.Matches(strings.Repeat("x", 5000))
	assert.NoError(t, err)
	assert.False(t, ok)
}

func TestConcurrentUse(t *testing.T) {
	p, err := Compile(`(?<n>\w)\k<n>(.*)`)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				found, err := p.Find("xaab")
				assert.NoError(t, err)
				assert.Equal(t, []int{1, 4, 1, 2, 3, 4}, found)
			}
		})
	}
	all.Wait()
}

func TestInvalidUTF8(t *testing.T) {
	for _, regex := range []string{"(.)(.*)", `(.)(?!x)(.*)`} {
		p, err := Compile(regex)
		require.NoError(t, err)
		out, err := p.ReplaceFirst("\xe2\x82z", p.Replacement("$2$1"))
		require.NoError(t, err)
		assert.Equal(t, "\x82z\xe2", out, "bytes are kept")
	}
}

func TestDeepNesting(t *testing.T) {
	for _, deep := range []string{strings.Repeat("(", 100_000), strings.Repeat("[", 100_000), strings.Repeat("(?:", 500) + "a" + strings.Repeat(")*", 500)} {
		_, err := Compile(deep)
		if err != nil {
			assert.Less(t, len(err.Error()), 1_000_000)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`(.*)-(\d{8})`, "a++b", "[a[b]&&c]", "(?<n>a)\\k<n>", `\Qx\E`, "(?i)A{2}+", "(?", `\p{L}`, "[^]]", "(?<=a|bc)d", `\R$`} {
		f.Add(s, "$1${n}\\$", "topic-1")
	}
	f.Fuzz(func(t *testing.T, regex, replacement, text string) {
		if len(regex) > 200 || len(text) > 200 {
			return
		}
		p, err := Compile(regex)
		if err != nil {
			require.ErrorAs(t, err, new(*SyntaxError))
			return
		}
		whole, err := p.FindWhole(text)
		if err != nil {
			require.ErrorIs(t, err, ErrTooComplex)
			return
		}
		if !p.Backtracks() {
			slow := p.copyForTest()
			again, err := slow.FindWhole(text)
			if err == nil {
				assert.Equal(t, whole, again, "%q on %q: the engines differ", regex, text)
			}
		}
		found, err := p.Find(text)
		if err == nil && whole != nil {
			assert.NotNil(t, found, "what matches as a whole is found")
		}
		_, _ = p.ReplaceAll(text, p.Replacement(replacement))
	})
}

// copyForTest returns the pattern without Go's engine.
func (p *Pattern) copyForTest() *Pattern {
	q, _ := Compile(p.text)
	q.find, q.whole = nil, nil
	return q
}

func BenchmarkMatches(b *testing.B) {
	for _, c := range [][2]string{{"linear", `([^.]+)\.([^.]+)\.([^.]+)`}, {"backtracking", `(?!_)([^.]+)\.([^.]+)\.([^.]+)`}} {
		b.Run(c[0], func(b *testing.B) {
			p, err := Compile(c[1])
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.Matches("server.inventory.customers"); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
