package cqlmap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/cqlmap"
)

func field(part cqlmap.Part, name string) cqlmap.Source {
	return cqlmap.Source{Part: part, Field: name}
}

func TestParse(t *testing.T) {
	for text, want := range map[string][]cqlmap.Assignment{
		"id=key":                          {{Column: "id", Source: field(cqlmap.Key, "")}},
		"id = key . id ,\n\tName=value.n": {{Column: "id", Source: field(cqlmap.Key, "id")}, {Column: "Name", Source: field(cqlmap.Value, "n")}},
		`"a ""b"" c"=value`:               {{Column: `a "b" c`, Source: field(cqlmap.Value, "")}},
		`c="value.with space.x"`:          {{Column: "c", Source: field(cqlmap.Value, "with space.x")}},
		`c="value..x"`:                    {{Column: "c", Source: field(cqlmap.Value, ".x")}},
		`c="value"`:                       {{Column: "c", Source: field(cqlmap.Value, "")}},
		`c=value.value.key.header`:        {{Column: "c", Source: field(cqlmap.Value, "value.key.header")}},
		`c=header.h, d="header.a-b"`:      {{Column: "c", Source: field(cqlmap.Header, "h")}, {Column: "d", Source: field(cqlmap.Header, "a-b")}},
		`1=value.2, _=value._`:            {{Column: "1", Source: field(cqlmap.Value, "2")}, {Column: "_", Source: field(cqlmap.Value, "_")}},
		`a=now(), b = now ( ) , c="now()"`: {
			{Column: "a", Source: cqlmap.Now()}, {Column: "b", Source: cqlmap.Now()}, {Column: "c", Source: cqlmap.Now()},
		},
		`now=value.now`: {{Column: "now", Source: field(cqlmap.Value, "now")}},
		`__ttl=value.t, __timestamp=key.w`: {
			{Column: cqlmap.TTLVariable, TTL: true, Source: field(cqlmap.Value, "t")},
			{Column: cqlmap.TimestampVariable, Timestamp: true, Source: field(cqlmap.Key, "w")},
		},
		`"__ttl"=value.t, __TTL=value.u, message_internal_timestamp=value.w`: {
			{Column: "__ttl", Source: field(cqlmap.Value, "t")},
			{Column: "__TTL", Source: field(cqlmap.Value, "u")},
			{Column: cqlmap.TimestampVariable, Timestamp: true, Source: field(cqlmap.Value, "w")},
		},
		`a=value.x, b=value.x, A=value.x`: {
			{Column: "a", Source: field(cqlmap.Value, "x")}, {Column: "b", Source: field(cqlmap.Value, "x")}, {Column: "A", Source: field(cqlmap.Value, "x")},
		},
		`"ключ"=value`: {{Column: "ключ", Source: field(cqlmap.Value, "")}},
	} {
		m, err := cqlmap.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, m.Assignments, text)
		again, err := cqlmap.Parse(m.String())
		require.NoError(t, err, m)
		require.Equal(t, m, again)
	}
}

func TestParseErrors(t *testing.T) {
	const nameAllowed = `the name of a column, of letters, digits and underscores or in double quotes may stand`
	const baseAllowed = `where key, value, a field key.NAME or value.NAME, a header header.NAME, or the function now() may stand`
	for text, want := range map[string]string{
		"":                         `character 1: found the end, where ` + nameAllowed,
		"id":                       `character 3: found the end, where an equals sign and the field that column "id" is filled from may stand`,
		"id=":                      `character 4: found the end, where a field or function may stand`,
		"id=,":                     `character 4: found ",", where a field or function may stand`,
		"id==key":                  `character 4: found "=", where a field or function may stand`,
		"id=key,":                  `character 8: found the end, where ` + nameAllowed,
		"id=key value=x":           `character 8: found "value", where a comma and the next assignment, or the end may stand`,
		"id=value.":                `character 10: found the end, where the name of a field behind the dot may stand`,
		"id=value..a":              `character 10: found ".", where the name of a field behind the dot may stand`,
		`id=value."a b"`:           `character 10: found "a b", where only a name without quotes; a field that needs quotes is quoted as a whole, as in "value.my field", may stand`,
		"a.b=key":                  `character 2: found ".", where an equals sign and the field that column "a" is filled from may stand`,
		"a-b=key":                  `character 2: found '-'; names that are not of letters A to Z, digits and underscores alone are in double quotes`,
		"é=key":                    `character 1: found 'é'; names that are not of letters A to Z, digits and underscores alone are in double quotes`,
		`"é=key`:                   `character 1: the quote that opens here is not closed`,
		`"é"=""`:                   `character 5: found a name of no characters in quotes`,
		`"value."=key, b="value."`: `character 17: found "value.", ` + baseAllowed,
		"a=field":                  `character 3: found "field", ` + baseAllowed,
		"a=header":                 `character 3: found "header", ` + baseAllowed,
		"a=Value.x":                `character 3: found "Value.x", ` + baseAllowed,
		"a=values.x":               `character 3: found "values.x", ` + baseAllowed,
		"now()=key":                `character 4: found "(", where an equals sign and the field that column "now" is filled from may stand`,
		"a=uuid()":                 `character 3: found function uuid with 0 arguments, the only function is now()`,
		"a=NOW()":                  `character 3: found function NOW with 0 arguments, the only function is now()`,
		"a=now(b)":                 `character 3: found function now with 1 arguments, the only function is now()`,
		`a=ks."F n"(b, "c")`:       `character 6: found "F n", where only a name without quotes; a field that needs quotes is quoted as a whole, as in "ks.my field", may stand`,
		`a="ks".f(b, "c")`:         `character 3: found function "ks".f with 2 arguments, the only function is now()`,
		"a=now(":                   `character 7: found the end, where a name or a closing parenthesis may stand`,
		"a=now(b":                  `character 8: found the end, where a comma or a closing parenthesis may stand`,
		"a=now(,":                  `character 7: found ",", where a name or a closing parenthesis may stand`,
		"a=value.x, b=key, a=key":  `character 19: column a is assigned to a second time`,
		"__ttl=value.x, message_internal_ttl=value.y": `character 16: column __ttl is assigned to a second time`,
		`a=nothing, "b c"=key, "b c"=uuid()`:          "character 3: found \"nothing\", " + baseAllowed + "\ncharacter 29: found function uuid with 0 arguments, the only function is now()\ncharacter 23: column \"b c\" is assigned to a second time",
	} {
		_, err := cqlmap.Parse(text)
		require.EqualError(t, err, want, text)
		var e *cqlmap.Error
		require.True(t, errors.As(err, &e), text)
		require.LessOrEqual(t, e.Offset, len(text))
	}
}

func TestColumn(t *testing.T) {
	m, err := cqlmap.Parse("a=key, __ttl=value.t")
	require.NoError(t, err)
	a, ok := m.Column("a")
	require.True(t, ok)
	require.Equal(t, cqlmap.Key, a.Source.Part)
	for _, name := range []string{"A", cqlmap.TTLVariable, "__ttl"} {
		_, ok = m.Column(name)
		require.False(t, ok, name)
	}
}

// What Parse reads, String writes so that it is read as the same again; and no
// column comes twice.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`"col"=value.field, col2=key, col3=header.h, col=now(), __ttl=value.a.b, __timestamp=key.t`,
		`a="value.x ""y""", "__ttl"="now()"`, `a=ks.f("x",y)`, `a=b`, `"`, `a=now(`, "\xff=key", "\"\xff\"=key",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := cqlmap.Parse(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		seen := map[string]bool{}
		for _, a := range m.Assignments {
			require.NotEmpty(t, a.Column)
			require.False(t, seen[a.Column], a.Column)
			seen[a.Column] = true
			require.NotZero(t, a.Source.Part)
		}
		again, err := cqlmap.Parse(m.String())
		require.NoError(t, err, m.String())
		require.Equal(t, m, again)
	})
}

func TestParseKey(t *testing.T) {
	for name, want := range map[string]cqlmap.SettingKey{
		"topic.t.ks.tab.mapping":          {Topic: "t", Keyspace: "ks", Table: "tab", Setting: "mapping"},
		"topic.my.own-topic_1.ks.Tab.ttl": {Topic: "my.own-topic_1", Keyspace: "ks", Table: "Tab", Setting: "ttl"},
		`topic.t."My ks"."a ""b""".query`: {Topic: "t", Keyspace: "My ks", Table: `a "b"`, Setting: "query"},
		"topic.t.codec.timeZone":          {Topic: "t", Setting: "codec.timeZone"},
		"topic.a.b.codec.date":            {Topic: "a.b", Setting: "codec.date"},
		"topic.t.ks.codec.mapping":        {Topic: "t", Keyspace: "ks", Table: "codec", Setting: "mapping"},
		"topic.topic.topic.topic.topic":   {Topic: "topic", Keyspace: "topic", Table: "topic", Setting: "topic"},
		"topic..ks.tab.mapping":           {},
		"topic.t.ks..mapping":             {},
		`topic.t.ks."".mapping`:           {},
		"topic.t.ks.tab.":                 {},
		"topic.ks.tab.mapping":            {},
		"topic.t.codec.unknown":           {},
		"topic.codec.date":                {},
		"topic":                           {},
		"topics.t.ks.tab.mapping":         {},
		"topic.with space.ks.tab.mapping": {},
	} {
		key, ok := cqlmap.ParseKey(name)
		if want.Setting == "" {
			require.False(t, ok, name)
			continue
		}
		require.True(t, ok, name)
		require.Equal(t, want.Topic, key.Topic, name)
		require.Equal(t, want.Keyspace, key.Keyspace, name)
		require.Equal(t, want.Table, key.Table, name)
		require.Equal(t, want.Setting, key.Setting, name)
		require.Equal(t, name, key.Prefix()+key.Setting)
		require.True(t, strings.HasSuffix(key.Prefix(), "."))
	}
}
