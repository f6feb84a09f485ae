package config_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// server can be probed.
type server struct {
	Host    string
	Port    int
	probed  int
	refuses error
}

func (s *server) Describe(d *config.Def) {
	config.String(d, &s.Host, "host").Importance(config.High).Group("Server", 1).Recommend(func() []string { return []string{"localhost"} }).
		Dependents("port").Doc("Host.")
	config.Int(d, &s.Port, "port").Default(80).Check(config.Between(1, 65535)).Group("Server", 2).
		Visible(func() bool { return s.Host != "" }).Doc("Port.")
}

func (s *server) Check() error {
	if s.Host == "bad" && s.Port == 80 {
		return errors.Join(config.Errorf("host", "bad with %d", s.Port), errors.New("nameless"))
	}
	return nil
}

func (s *server) Probe(context.Context) error { s.probed++; return s.refuses }

func TestValidateAnswer(t *testing.T) {
	res := config.Validate(t.Context(), config.Props{"port": "0", "unknown": "x"}, new(server))
	b, err := json.Marshal(res)
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"","error_count":2,"groups":["Server"],"configs":[
		{"definition":{"name":"host","type":"STRING","required":true,"default_value":null,"importance":"HIGH","documentation":"Host.",
			"group":"Server","width":"NONE","display_name":"host","dependents":["port"],"order_in_group":1},
		 "value":{"name":"host","value":null,"recommended_values":["localhost"],
			"errors":["Missing required configuration \"host\" which has no default value."],"visible":true}},
		{"definition":{"name":"port","type":"INT","required":false,"default_value":"80","importance":"LOW","documentation":"Port.",
			"group":"Server","width":"NONE","display_name":"port","dependents":[],"order_in_group":2},
		 "value":{"name":"port","value":"0","recommended_values":[],
			"errors":["Invalid value 0 for configuration port: Value must be at least 1"],"visible":false}}]}`, string(b))
}

func TestChecksThatSpanKeys(t *testing.T) {
	res := config.Validate(t.Context(), config.Props{"host": "bad"}, new(server))
	assert.Equal(t, 2, res.ErrorCount)
	assert.Equal(t, []string{"bad with 80", "nameless"}, res.Find("host").Value.Errors)
	assert.EqualError(t, config.Decode(config.Props{"host": "bad"}, new(server)), "configuration host: bad with 80\nconfiguration host: nameless")
}

func TestProbeRunsOnlyWhenAllIsRight(t *testing.T) {
	s := &server{refuses: config.Errorf("port", "connection refused")}
	assert.Equal(t, 1, config.Validate(t.Context(), nil, s).ErrorCount)
	assert.Zero(t, s.probed)
	res := config.Validate(t.Context(), config.Props{"host": "h"}, s)
	assert.Equal(t, 1, s.probed)
	assert.Equal(t, []string{"connection refused"}, res.Find("port").Value.Errors)
	require.NoError(t, config.Decode(config.Props{"host": "h"}, s))
	assert.Equal(t, 1, s.probed, "Decode does not probe")
}

func TestNullValues(t *testing.T) {
	res := config.Validate(t.Context(), config.Props{"host": config.Null, "port": config.Null}, new(server))
	assert.Empty(t, res.Find("host").Value.Errors, "null is a value, which nothing forbids")
	assert.Equal(t, []string{"Invalid value null for configuration port: Value must be non-null"}, res.Find("port").Value.Errors)
	assert.Nil(t, res.Find("port").Value.Value)
	var s server
	require.ErrorIs(t, config.Decode(config.Props{"host": config.Null, "port": config.Null}, &s), config.ErrMissing)
	assert.Equal(t, 80, s.Port)
}

func TestMergeAndPrefix(t *testing.T) {
	res := config.Validate(t.Context(), config.Props{"host": "h"}, new(server))
	res.AddError("undeclared", "e")
	assert.Equal(t, "undeclared", res.Configs[0].Value.Name)
	other := config.Validate(t.Context(), config.Props{"port": "0"}, new(server))
	res.Merge(other.Prefixed("x."))
	assert.Equal(t, 3, res.ErrorCount)
	assert.Equal(t, "x.host", res.Configs[3].Definition.Name)
	assert.Equal(t, "host", other.Configs[0].Definition.Name, "the original stays")
	res.Merge(config.Result{Configs: []config.ConfigValue{{Definition: &config.KeyInfo{Name: "undeclared"}, Value: config.ValueInfo{Name: "undeclared"}}}})
	assert.Equal(t, 2, res.ErrorCount)
	assert.Equal(t, "undeclared", res.Configs[len(res.Configs)-1].Value.Name)
}

func TestEmbedSortsAndNumbers(t *testing.T) {
	plugin := config.DescriberFunc(func(d *config.Def) {
		config.String(d, new(string), "low").Default("")
		config.String(d, new(string), "b.high").Default("").Importance(config.High)
		config.String(d, new(string), "a.high").Default("").Importance(config.High).Check(config.NonEmpty())
		config.String(d, new(string), "must")
		config.String(d, new(string), "mine").Default("plugin's")
	})
	d := config.DescriberFunc(func(d *config.Def) {
		config.String(d, new(string), "p.mine").Default("outer's")
		d.Embed("p.", "G", 2, plugin)
	})
	var names []string
	for _, k := range config.Keys(d) {
		names = append(names, k.Name)
		if k.Name != "p.mine" {
			assert.Equal(t, "G", k.Group)
			assert.Equal(t, len(names), k.Order)
		} else {
			assert.Equal(t, "outer's", *k.Default, "the first declaration wins")
		}
	}
	assert.Equal(t, []string{"p.mine", "p.must", "p.a.high", "p.b.high", "p.low"}, names)
	res := config.Validate(t.Context(), config.Props{"p.a.high": ""}, d)
	assert.Equal(t, []string{"Invalid value  for configuration a.high: String must be non-empty"}, res.Find("p.a.high").Value.Errors,
		"a plugin's check names its own key")
}

func TestChecks(t *testing.T) {
	text := func(c config.Check[string], v string) string { return errText(c.Test(v)) }
	list := func(c config.Check[[]string], v ...string) string { return errText(c.Test(v)) }
	assert.Empty(t, text(config.NonEmpty(), " "))
	assert.Equal(t, "String must be non-blank", text(config.NonBlank(), " "))
	assert.Equal(t, "String must be one of: a, b", text(config.OneOf("a", "b"), "A"))
	assert.Empty(t, text(config.OneOfFold("a", "b"), "A"))
	assert.Equal(t, "String may not contain control sequences but had the following ASCII chars: 9, 10", text(config.NonEmptyWithoutControls(), "a\tb\n"))
	assert.Empty(t, text(config.Matches("a+"), "aaa"))
	assert.Equal(t, "Value must match a+", text(config.Matches("a+"), "aab"))
	assert.Contains(t, text(config.Regexp(), "["), "Invalid regex: ")
	assert.Equal(t, "Duplicate alias provided.", list(config.Unique("aliases"), "a", "a"))
	assert.Empty(t, list(config.Unique("aliases"), "a", ""))
	assert.Equal(t, `entry "": String must be non-empty`, list(config.Each(config.NonEmpty()), "a", ""))
	assert.Equal(t, "List must be non-empty", list(config.NonEmptyList()))
	assert.Equal(t, "String must be non-empty", errText(config.NonEmptySecret().Test(config.NewSecret(""))))
	assert.Equal(t, "Value must be no more than 2", errText(config.AtMost(2).Test(3)))
	var l []string
	d := config.DescriberFunc(func(d *config.Def) { config.List(d, &l, "l").Check(config.DistinctNonEmpty()) })
	for value, want := range map[string]string{
		"a,a": "Configuration 'l' values must not be duplicated.",
		"a,,": "Configuration 'l' values must not be duplicated.",
		"a,":  "Configuration 'l' values must not be empty.",
		"":    "Configuration 'l' must not be empty. Valid values include: any non-empty value",
	} {
		assert.EqualError(t, config.Decode(config.Props{"l": value}, d), want)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestDoublesPrintAsInJava(t *testing.T) {
	for text, want := range map[string]string{"1": "1.0", "0.05": "0.05", "1e7": "1.0E7", "0.0001": "1.0E-4", "-2.5e-7": "-2.5E-7",
		"9999999": "9999999.0", "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "0": "0.0"} {
		d := config.DescriberFunc(func(d *config.Def) {
			config.Double(d, new(float64), "d").DisplayName("D").Width(config.LongWidth).Order(3)
		})
		res := config.Validate(t.Context(), config.Props{"d": text}, d)
		assert.Equal(t, want, *res.Find("d").Value.Value)
		def := res.Find("d").Definition
		assert.Equal(t, []any{"D", "LONG", 3}, []any{def.DisplayName, def.Width.String(), def.Order})
	}
}
