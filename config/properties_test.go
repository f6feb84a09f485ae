package config_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

func TestParseProperties(t *testing.T) {
	tests := []struct {
		name, text string
		want       config.Props
	}{
		{"empty", "", config.Props{}},
		{"separators", "a=1\nb: 2\nc 3\nd\t=\t4\ne:=5\nf = = 6", config.Props{"a": "1", "b": "2", "c": "3", "d": "4", "e": "=5", "f": "= 6"}},
		{"comments", "# a=1\n  ! b=2\n\n  c=3 # no comment", config.Props{"c": "3 # no comment"}},
		{"trailing blanks stay", "a=x  \t", config.Props{"a": "x  \t"}},
		{"no value", "a\nb=\nc:", config.Props{"a": "", "b": "", "c": ""}},
		{"no key", "=x", config.Props{"": "x"}},
		{"continuation", "a=x,\\\n   y,\\\r\n\tz\nb=1", config.Props{"a": "x,y,z", "b": "1"}},
		{"continued key", "a\\\n  b=1", config.Props{"ab": "1"}},
		{"even backslashes do not continue", "a=x\\\\\nb=1", config.Props{"a": `x\`, "b": "1"}},
		{"continuation at the end", "a=x\\", config.Props{"a": "x"}},
		{"comment is not continued", "# x\\\na=1", config.Props{"a": "1"}},
		{"comment sign inside a continuation", "a=1\\\n#2", config.Props{"a": "1#2"}},
		{"escaped separators", `a\=b\:c\ d=1`, config.Props{"a=b:c d": "1"}},
		{"escapes", `a=\t\n\r\f\q\\`, config.Props{"a": "\t\n\r\fq\\"}},
		{"unicode", `a=\u00e4\uD83D\uDE00\u0041`, config.Props{"a": "ä😀A"}},
		{"half a surrogate pair", `a=\uD83Dx`, config.Props{"a": "\uFFFDx"}},
		{"UTF-8", "a=größe", config.Props{"a": "größe"}},
		{"Latin-1", "a=gr\xf6\xdfe", config.Props{"a": "größe"}},
		{"last wins", "a=1\na=2", config.Props{"a": "2"}},
		{"carriage returns", "a=1\rb=2\r\nc=3", config.Props{"a": "1", "b": "2", "c": "3"}},
		{"form feed is a blank", "\fa\f1", config.Props{"a": "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := config.ParseProperties(strings.NewReader(tt.text))
			require.NoError(t, err)
			assert.Equal(t, tt.want, p)
		})
	}
}

func TestParsePropertiesRefuses(t *testing.T) {
	for _, text := range []string{`password=hunter2\u12`, `password=hunter2\u12g4`, "x=1\n" + `password=hunter2\uzzzz`} {
		_, err := config.ParseProperties(strings.NewReader(text))
		require.ErrorContains(t, err, `malformed \uxxxx encoding`)
		require.ErrorContains(t, err, "password")
		assert.NotContains(t, err.Error(), "hunter2")
	}
	_, err := config.ParseProperties(strings.NewReader(strings.Repeat("a", 16<<20+1)))
	require.ErrorContains(t, err, "more than")
}

func TestWriteProperties(t *testing.T) {
	p := config.Props{"a b": " x ", "c": "ä😀\n\\", "d": "#=:", "!e": "", "n": config.Null}
	var b bytes.Buffer
	require.NoError(t, p.WriteProperties(&b))
	assert.Equal(t, "\\!e=\na\\ b=\\ x \nc=\\u00E4\\uD83D\\uDE00\\n\\\\\nd=#=:\n", b.String())
	again, err := config.ParseProperties(&b)
	require.NoError(t, err)
	delete(p, "n")
	assert.Equal(t, p, again)
}

func FuzzParseProperties(f *testing.F) {
	for _, s := range []string{"a=1\\\n 2", `a\u0041=\t`, "# c\nb:c", "\xff=\\", `\`, "=", `a=\uD83D\uDE00`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := config.ParseProperties(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, v := range p {
			if v == config.Null {
				return // such an entry is left out
			}
		}
		var b bytes.Buffer
		if err := p.WriteProperties(&b); err != nil {
			t.Fatal(err)
		}
		again, err := config.ParseProperties(&b)
		if err != nil || !p.Equal(again) {
			t.Fatalf("%q came back as %q: %v", map[string]string(p), map[string]string(again), err)
		}
	})
}
