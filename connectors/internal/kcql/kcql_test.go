package kcql_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/connectors/internal/kcql"
)

// star selects all.
var star = []string{"*"}

func TestParse(t *testing.T) {
	for text, want := range map[string][]kcql.Statement{
		"INSERT INTO kafka SELECT * FROM mqtt": {{Mode: "INSERT", Target: "kafka", Source: "mqtt", Fields: star}},
		"insert into lensesio:demo select * from demo PARTITIONBY _value.ts STOREAS `JSON` PROPERTIES ('flush.size'=1000000, 'flush.interval'=30)": {{
			Mode: "INSERT", Target: "lensesio:demo", Source: "demo", Fields: star, Clauses: []kcql.Clause{
				{Name: "PARTITIONBY", List: []string{"_value.ts"}}, {Name: "STOREAS", Value: "JSON"},
				{Name: "PROPERTIES", Properties: []kcql.Property{{"flush.size", "1000000"}, {"flush.interval", "30"}}},
			}}},
		"INSERT INTO `container-name`:`prefix` SELECT * FROM `kafka-topic` PARTITIONBY `a.b`, _header.c": {{
			Mode: "INSERT", Target: "container-name:prefix", Source: "kafka-topic", Fields: star,
			Clauses: []kcql.Clause{{Name: "PARTITIONBY", List: []string{"`a.b`", "_header.c"}}}}},
		";INSERT INTO b SELECT * FROM `*` NOPARTITION;UPSERT INTO c SELECT a, b.c FROM t PROPERTIES();": {
			{Mode: "INSERT", Target: "b", Source: "*", Fields: star, Clauses: []kcql.Clause{{Name: "NOPARTITION"}}},
			{Mode: "UPSERT", Target: "c", Source: "t", Fields: []string{"a", "b.c"}, Clauses: []kcql.Clause{{Name: "PROPERTIES"}}}},
		"INSERT INTO k SELECT * FROM /a/+/b WITHKEY(x.y, z) KEYDELIMITER='-' WITHREGEX='^a;b$' WITHCONVERTER=`io.X` WITH_FLUSH_COUNT 5": {{
			Mode: "INSERT", Target: "k", Source: "/a/+/b", Fields: star, Clauses: []kcql.Clause{
				{Name: "WITHKEY", List: []string{"x.y", "z"}}, {Name: "KEYDELIMITER", Value: "-"}, {Name: "WITHREGEX", Value: "^a;b$"},
				{Name: "WITHCONVERTER", Value: "io.X"}, {Name: "WITH_FLUSH_COUNT", Value: "5"}}}},
	} {
		got, err := kcql.Parse(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, got, text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                          "no statement",
		"SELECT * FROM t":                                           `found "SELECT", want INSERT or UPSERT`,
		"INSERT INTO SELECT * FROM t":                               `found "*", want SELECT`,
		"INSERT INTO b SELECT FROM t":                               `found "t", want FROM`,
		"INSERT INTO b SELECT * FROM":                               "found the end, want a source",
		"INSERT INTO '' SELECT * FROM t":                            "found an empty name, want a target",
		"INSERT INTO b SELECT * FROM t WHEN":                        `found "WHEN", want a clause of KCQL`,
		"INSERT INTO `b SELECT * FROM t":                            "`b SELECT * FROM t is not closed",
		"INSERT INTO b SELECT * FROM t PARTITIONBY":                 "found the end, want a field for PARTITIONBY",
		"INSERT INTO b SELECT * FROM t STOREAS a STOREAS b":         "STOREAS occurs twice",
		"INSERT INTO b SELECT * FROM t PROPERTIES('a'=1 'b'=2)":     `found "'b'", want ,`,
		"INSERT INTO b SELECT * FROM t PROPERTIES('a'=1,'a'=2)":     `the property "a" occurs twice`,
		"INSERT INTO b SELECT * FROM t PROPERTIES('a'=":             "found the end, want a value for a",
		"INSERT INTO b SELECT * FROM t INSERT INTO b SELECT * FROM": `found "INSERT", want a clause of KCQL`,
	} {
		_, err := kcql.Parse(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestPath(t *testing.T) {
	for word, want := range map[string][]string{
		"a": {"a"}, "_value.a.b": {"_value", "a", "b"}, "`a.b`": {"a.b"}, "_header.`a.b`.c": {"_header", "a.b", "c"}, "_date.'yyyy.MM'": {"_date", "yyyy.MM"}, ".a..b": {"a", "b"}, "": nil,
	} {
		assert.Equal(t, want, kcql.Path(word), word)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("INSERT INTO a:b SELECT * FROM t PARTITIONBY _value.`x.y`, _key STOREAS `AVRO` PROPERTIES('a'='b', c=1);")
	f.Add("UPSERT INTO `a` SELECT x FROM '*' WITHKEY(a) NOPARTITION")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := kcql.Parse(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, all)
		for _, s := range all {
			assert.NotEmpty(t, s.Target)
			assert.NotEmpty(t, s.Source)
			assert.NotEmpty(t, s.Fields)
			for _, c := range s.Clauses {
				assert.Equal(t, strings.ToUpper(c.Name), c.Name)
			}
		}
	})
}
