package file

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// want is a line and the position behind it.
type want struct {
	text string
	next int64
}

// splitAll is the rule, written for shortness: every line of text that has an end. A \r at the end of text is none.
func splitAll(text string) (lines []want) {
	start := 0
	for i := 0; i < len(text); i++ {
		n := 1
		switch {
		case text[i] == '\n':
		case text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n':
			n = 2
		case text[i] == '\r' && i+1 < len(text):
		default:
			continue
		}
		lines = append(lines, want{text[start:i], int64(i + n)})
		start = i + n
		i = start - 1
	}
	return lines
}

func TestSplitAllSplitsAsJavaDoes(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"a", nil},
		{"a\n", []string{"a"}},
		{"a\r\nb\n", []string{"a", "b"}},
		{"a\rb\n", []string{"a", "b"}},
		{"a\r", nil}, // may go on with \n
		{"\n\n", []string{"", ""}},
		{"\r\r\n\n", []string{"", "", ""}},
		{"a\n\rb\n", []string{"a", "", "b"}},
		{"a\u0085b\u2028c\n", []string{"a\u0085b\u2028c"}},
	} {
		var got []string
		for _, l := range splitAll(c.text) {
			got = append(got, l.text)
		}
		assert.Equal(t, c.want, got, "%q", c.text)
	}
}

// split feeds text in pieces of the given sizes, repeated.
func split(text []byte, sizes ...int) (lines []want) {
	var s splitter
	s.reset(nil)
	pos, read := int64(0), 0
	for i := 0; read < len(text); i++ {
		n := min(max(sizes[i%len(sizes)], 1), len(text)-read)
		s.grown(append(bytes.Clone(s.buf), text[read:read+n]...))
		read += n
		for {
			line, n, ok := s.next(false)
			if !ok {
				break
			}
			pos += int64(n)
			lines = append(lines, want{string(line), pos})
		}
	}
	return lines
}

func TestSplitterInPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := randomText(rnd, rnd.IntN(60))
		assert.Equal(t, splitAll(text), split([]byte(text), 1+rnd.IntN(5), 1+rnd.IntN(20)), "%q", text)
	}
}

// randomText has more line ends than most.
func randomText(rnd *rand.Rand, n int) string {
	pieces := []string{"\n", "\r", "\r\n", "a", "bc", "ä", "😀", " "}
	var b strings.Builder
	for range n {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return b.String()
}

func TestSplitterLast(t *testing.T) {
	var s splitter
	s.reset([]byte("a\r"))
	_, _, ok := s.next(false)
	require.False(t, ok)
	line, n, ok := s.next(true)
	assert.True(t, ok)
	assert.Equal(t, "a", string(line))
	assert.Equal(t, 2, n)
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n\n\rd"), 1, 3)
	f.Add([]byte("\r\r\r\n"), 2, 1)
	f.Fuzz(func(t *testing.T, text []byte, a, b int) {
		assert.Equal(t, splitAll(string(text)), split(text, a, b))
	})
}

func TestValidText(t *testing.T) {
	for in, out := range map[string]string{"": "", "ä😀": "ä😀", "a\xffb": "a\uFFFDb", "\xe2\x82": "\uFFFD\uFFFD", "\uFFFD": "\uFFFD"} {
		assert.Equal(t, out, validText(in), "%q", in)
	}
}
