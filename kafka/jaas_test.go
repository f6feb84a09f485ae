package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseJAAS(t *testing.T) {
	for text, want := range map[string]loginModule{
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`: {"PlainLoginModule", map[string]string{"username": "u", "password": "p"}},
		"ScramLoginModule  REQUIRED\n username='u'\tpassword=bare ;":                                  {"ScramLoginModule", map[string]string{"username": "u", "password": "bare"}},
		`M required a="x;y=z" b="\"\\\t\101\7";`:                                                      {"M", map[string]string{"a": "x;y=z", "b": "\"\\\tA\a"}},
		`M required a="";`:                                                                            {"M", map[string]string{"a": ""}},
		`M sufficient;`:                                                                               {"M", map[string]string{}},
		`M required a = "b";`:                                                                         {"M", map[string]string{"a": "b"}},
	} {
		got, err := parseJAAS(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ";", "M", "M required", "M needed;", `M required a="b"`, `M required a="b;`, `M required a;`, `M required a="b" c;`, `M required ="b";`,
		`A required a="b"; B required c="d";`, "M required a=\"line\nend\";",
	} {
		_, err := parseJAAS(text)
		assert.Error(t, err, text)
	}
}

func FuzzParseJAAS(f *testing.F) {
	f.Add(`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\"q\101";`)
	f.Add("M required a='b' c = d ;")
	f.Add(`M required a="\`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseJAAS(text)
		if err == nil && m.options == nil {
			t.Errorf("%q: no error, and no module", text)
		}
	})
}

func TestParseReset(t *testing.T) {
	for text, want := range map[string]reset{
		"earliest": {kind: resetEarliest}, "Latest": {kind: resetLatest}, "NONE": {kind: resetNone},
		"by_duration:PT1H30M":     {resetAgo, 90 * time.Minute},
		"by_duration:P2DT3S":      {resetAgo, 48*time.Hour + 3*time.Second},
		"by_duration:pt0.25s":     {resetAgo, 250 * time.Millisecond},
		"by_duration:P106751D":    {resetAgo, 106751 * 24 * time.Hour},
		"by_duration:PT0S":        {kind: resetAgo},
		"by_duration:PT1.000001S": {resetAgo, time.Second + time.Microsecond},
	} {
		got, err := parseReset(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "first", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:P1DT", "by_duration:-PT1H", "by_duration:P106752D", "by_duration:1h", "by_duration:PT99999999999999999999S"} {
		_, err := parseReset(text)
		assert.Error(t, err, text)
	}
}

func FuzzParseReset(f *testing.F) {
	f.Add("by_duration:P1DT2H3M4.5S")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parseReset(text); err == nil && r.ago < 0 {
			t.Errorf("%q: %v", text, r.ago)
		}
	})
}
