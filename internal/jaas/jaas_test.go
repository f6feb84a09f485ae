package jaas

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Module{
		`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`: {"PlainLoginModule", map[string]string{"username": "u", "password": "p"}},
		"ScramLoginModule  REQUIRED\n username='u'\tpassword=bare ;":                                  {"ScramLoginModule", map[string]string{"username": "u", "password": "bare"}},
		`M required a="x;y=z" b="\"\\\t\101\7";`:                                                      {"M", map[string]string{"a": "x;y=z", "b": "\"\\\tA\a"}},
		`M required a="";`:                                                                            {"M", map[string]string{"a": ""}},
		`M sufficient;`:                                                                               {"M", map[string]string{}},
		`M required a = "b";`:                                                                         {"M", map[string]string{"a": "b"}},
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", ";", "M", "M required", "M needed;", `M required a="b"`, `M required a="b;`, `M required a;`, `M required a="b" c;`, `M required ="b";`,
		`A required a="b"; B required c="d";`, "M required a=\"line\nend\";",
	} {
		_, err := Parse(text)
		assert.Error(t, err, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p\"q\101";`)
	f.Add("M required a='b' c = d ;")
	f.Add(`M required a="\`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err == nil && m.Options == nil {
			t.Errorf("%q: no error, and no module", text)
		}
	})
}

func TestParseFile(t *testing.T) {
	got, err := ParseFile(`
/* who may use the REST interface; */
KafkaConnect {
    org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required // { not this };
    file="/etc//kafka/users.properties";
};
"Kafka Client" { A required a="x}"; B optional; };
Empty {};
`)
	require.NoError(t, err)
	assert.Equal(t, map[string][]Module{
		"KafkaConnect": {{"PropertyFileLoginModule", map[string]string{"file": "/etc//kafka/users.properties"}}},
		"Kafka Client": {{"A", map[string]string{"a": "x}"}}, {"B", map[string]string{}}},
		"Empty":        nil,
	}, got)
	got, err = ParseFile(" // nothing")
	require.NoError(t, err)
	assert.Empty(t, got)
	for _, text := range []string{
		"X", "X {", "X { }", "X { M required };", "X { M; };", "{ M required; };", "X { M required; }; X { M required; };", "X { M required; /* ", "X { M required a=\"",
	} {
		_, err := ParseFile(text)
		assert.Error(t, err, text)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(`X { a.B required c="d"; /* e */ }; // f`)
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := ParseFile(text)
		if err == nil && entries == nil {
			t.Errorf("%q: no error, and no entries", text)
		}
	})
}
