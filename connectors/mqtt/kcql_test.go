package mqtt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseKCQL(t *testing.T) {
	for text, want := range map[string][]statement{
		"INSERT INTO k SELECT * FROM `/a/+` WITHKEY(id, x.y) KEYDELIMITER='-'; insert into $ select * from $share/g/b/#;": {
			{target: "k", source: "/a/+", keys: [][]string{{"id"}, {"x", "y"}}, delimiter: "-"},
			{target: "$", source: "$share/g/b/#", delimiter: "."},
		},
		"Insert\n\tInto `$`  Select * From \"a b\" WithRegex='x;(y),z' WithConverter=`p.C`": {
			{target: "$", source: "a b", delimiter: ".", regex: "x;(y),z", converter: "p.C"},
		},
		";; INSERT INTO k SELECT * FROM a WITHCONVERTER = `C` WITHKEY ( `f g` ) KEYDELIM = \"|\" ;;": {
			{target: "k", source: "a", delimiter: "|", converter: "C", keys: [][]string{{"f g"}}},
		},
		"INSERT INTO a-b.c_d SELECT * FROM +/#": {{target: "a-b.c_d", source: "+/#", delimiter: "."}},
	} {
		got, err := parseKCQL(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"":                                      "found no statement",
		" ; ":                                   "found no statement",
		"INSERT":                                "found the end, want INTO",
		"INSERT INTO":                           "want a Kafka topic",
		"INSERT INTO ( SELECT":                  `found "(", want a Kafka topic`,
		"INSERT INTO k SELECT a FROM b":         "selection of fields is not supported",
		"INSERT INTO k SELECT * FROM":           "want an MQTT topic",
		"INSERT INTO k SELECT * FROM ``":        "want an MQTT topic",
		"INSERT INTO k SELECT * FROM a LIMIT 3": `found "LIMIT"`,
		"INSERT INTO k SELECT * FROM a b":       `found "b"`,
		"INSERT INTO k SELECT * FROM `a":        "is not closed",
		"INSERT INTO k SELECT * FROM a WITHKEY(a..b)": `found the field "a..b"`,
		"INSERT INTO k SELECT * FROM a WITHKEY a":     `found "a", want (`,
		"INSERT INTO k SELECT * FROM a WITHKEY(a":     "found the end, want ,",
		"INSERT INTO k SELECT * FROM a WITHREGEX 'x'": `found "x", want =`,
		"INSERT INTO k SELECT * FROM a KEYDELIMITER=": "found the end, want a text",
		"`INSERT` INTO k SELECT * FROM a":             "want INSERT",
		"INSERT INTO k SELECT * FROM a INSERT INTO b": `found "INSERT", want ;`,
	} {
		_, err := parseKCQL(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func FuzzKCQL(f *testing.F) {
	f.Add("INSERT INTO k SELECT * FROM a/+ WITHKEY(id) KEYDELIMITER='-'")
	f.Add("insert into `$` select * from $share/g/# withregex=\"a|b\"; INSERT INTO a SELECT * FROM b")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := kcqlRules(text)
		if err == nil && len(rules) == 0 {
			t.Fatalf("%q has no rules", text)
		}
		for _, r := range rules {
			if err := checkFilter(r.subscription); err != nil {
				t.Fatalf("%q subscribes to %q: %v", text, r.subscription, err)
			}
			if name := r.rule.topic.fixed; len(r.rule.topic.parts) == 0 && legalTopic(name) != nil {
				t.Fatalf("%q writes to %q", text, name)
			}
		}
	})
}

func FuzzPublish(f *testing.F) {
	f.Add(byte(0x32), []byte("\x00\x01t\x00\x07\x00payload"))
	f.Fuzz(func(t *testing.T, header byte, body []byte) {
		for _, d := range []dialect{dialect5{}, dialect3{}} {
			_, _ = d.publish(header, body)
			_, _ = d.connack(body)
			_, _, _ = d.suback(body)
			_ = d.disconnect(body)
		}
	})
}
