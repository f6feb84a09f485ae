package mqtt

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseKCQL(t *testing.T) {
	got, err := parseKCQL("INSERT INTO k SELECT * FROM `/a/+` WITHKEY(id, x.y) KEYDELIMITER='-'; insert into $ select * from $share/g/b/#;")
	require.NoError(t, err)
	assert.Equal(t, []statement{
		{target: "k", source: "/a/+", keys: [][]string{{"id"}, {"x", "y"}}, delimiter: "-"},
		{target: "$", source: "$share/g/b/#", delimiter: "."},
	}, got)
	for _, bad := range []string{"", "INSERT", "INSERT INTO k SELECT a FROM b", "INSERT INTO k SELECT * FROM a LIMIT 3", "INSERT INTO k SELECT * FROM `a", "INSERT INTO k SELECT * FROM a WITHKEY(a..b)"} {
		_, err := parseKCQL(bad)
		assert.Error(t, err, bad)
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
