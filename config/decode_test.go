package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
)

// all has a key of every type.
type all struct {
	Text     string
	Raw      string
	Int      int
	Int32    int32
	Short    int16
	Long     int64
	Double   float64
	Bool     bool
	List     []string
	Class    string
	Password config.Secret
	Every    time.Duration
	Pause    time.Duration
	Wait     time.Duration
	Size     int64
	Mode     mode
	Free     config.Props
	Sub      sub
}

type mode string

type sub struct{ Name string }

func (s *sub) Describe(d *config.Def) { config.String(d, &s.Name, "name").Default("n").Doc("Name.") }

func (s *sub) Check() error {
	if s.Name == "bad" {
		return config.Errorf("name", "may not be bad")
	}
	return nil
}

func (c *all) Describe(d *config.Def) {
	config.String(d, &c.Text, "text").Default("t").Doc("Text.")
	config.Text(d, &c.Raw, "raw").Default("").Doc("Raw text.")
	config.Int(d, &c.Int, "int").Default(1).Check(config.Between(0, 10)).Doc("Int.")
	config.Int32(d, &c.Int32, "int32").Default(1).Doc("Int.")
	config.Short(d, &c.Short, "short").Default(1).Doc("Short.")
	config.Long(d, &c.Long, "long").Default(1).Doc("Long.")
	config.Double(d, &c.Double, "double").Default(0.5).Doc("Double.")
	config.Bool(d, &c.Bool, "bool").Default(true).Doc("Bool.")
	config.List(d, &c.List, "list").Default([]string{"a", "b"}).Doc("List.")
	config.Class(d, &c.Class, "class").Optional().Doc("Class.")
	config.Password(d, &c.Password, "password").Optional().Doc("Password.")
	config.Millis(d, &c.Every, "every.ms").Default(time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Pause.")
	config.MillisInt(d, &c.Pause, "pause.ms").Default(time.Second).Doc("Pause.")
	config.Seconds(d, &c.Wait, "wait.seconds").Default(time.Second).Doc("Wait.")
	config.Size(d, &c.Size, "size.bytes").Default(1).Doc("Size.")
	config.EnumFold(d, &c.Mode, "mode", "slow", "fast").Default("slow").Doc("Mode.")
	config.Map(d, &c.Free, "free.", "Free settings.")
	d.Prefix("sub.", &c.Sub)
}

func TestDecodeParsesAsKafkaDoes(t *testing.T) {
	tests := []struct {
		key, text string
		get       func(*all) any
		want      any
	}{
		{"text", " a b\t", func(c *all) any { return c.Text }, "a b"},
		{"text", "\u00a0x", func(c *all) any { return c.Text }, "\u00a0x"},
		{"raw", " x ", func(c *all) any { return c.Raw }, " x "},
		{"int", " +7 ", func(c *all) any { return c.Int }, 7},
		{"int32", "-2147483648", func(c *all) any { return c.Int32 }, int32(math.MinInt32)},
		{"short", "-32768", func(c *all) any { return c.Short }, int16(-32768)},
		{"long", "9223372036854775807", func(c *all) any { return c.Long }, int64(math.MaxInt64)},
		{"double", "1e3", func(c *all) any { return c.Double }, 1000.0},
		{"double", "2.5f", func(c *all) any { return c.Double }, 2.5},
		{"double", "-Infinity", func(c *all) any { return c.Double }, math.Inf(-1)},
		{"double", "1e999", func(c *all) any { return c.Double }, math.Inf(1)},
		{"bool", " FALSE ", func(c *all) any { return c.Bool }, false},
		{"list", " a , b,,c ", func(c *all) any { return c.List }, []string{"a", "b", "", "c"}},
		{"list", ",", func(c *all) any { return c.List }, []string{"", ""}},
		{"list", "  ", func(c *all) any { return c.List }, []string(nil)},
		{"class", " x.Y ", func(c *all) any { return c.Class }, "x.Y"},
		{"password", " p ", func(c *all) any { return c.Password.Reveal() }, "p"},
		{"every.ms", "1500", func(c *all) any { return c.Every }, 1500 * time.Millisecond},
		{"every.ms", "9223372036854775807", func(c *all) any { return c.Every }, time.Duration(math.MaxInt64)},
		{"wait.seconds", "3", func(c *all) any { return c.Wait }, 3 * time.Second},
		{"mode", "FAST", func(c *all) any { return c.Mode }, mode("fast")},
		{"free.x.y", " raw ", func(c *all) any { return c.Free["x.y"] }, " raw "},
		{"sub.name", "s", func(c *all) any { return c.Sub.Name }, "s"},
		{"int", config.Null, func(c *all) any { return c.Int }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+tt.text, func(t *testing.T) {
			var c all
			require.NoError(t, config.Decode(config.Props{tt.key: tt.text}, &c))
			assert.Equal(t, tt.want, tt.get(&c))
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ key, text, want string }{
		{"int", "x", "Invalid value x for configuration int: Not a number of type INT\nInvalid value null for configuration int: Value must be non-null"},
		{"int", "11", "Invalid value 11 for configuration int: Value must be no more than 10"},
		{"int", "-1", "Invalid value -1 for configuration int: Value must be at least 0"},
		{"int32", "2147483648", "Invalid value 2147483648 for configuration int32: Not a number of type INT"},
		{"short", "40000", "Invalid value 40000 for configuration short: Not a number of type SHORT"},
		{"long", "1_0", "Invalid value 1_0 for configuration long: Not a number of type LONG"},
		{"double", "1_0", "Invalid value 1_0 for configuration double: Not a number of type DOUBLE"},
		{"double", "inf", "Invalid value inf for configuration double: Not a number of type DOUBLE"},
		{"bool", "yes", "Invalid value yes for configuration bool: Expected value to be either true or false"},
		{"every.ms", "0", "Invalid value 0 for configuration every.ms: Value must be at least 1"},
		{"mode", "x", "Invalid value x for configuration mode: String must be one of (case insensitive): SLOW, FAST"},
		{"sub.name", "bad", "configuration sub.name: may not be bad"},
	}
	for _, tt := range tests {
		t.Run(tt.key+"="+tt.text, func(t *testing.T) {
			err := config.Decode(config.Props{tt.key: tt.text}, new(all))
			require.EqualError(t, err, tt.want)
			var ke *config.KeyError
			require.ErrorAs(t, err, &ke)
			assert.Equal(t, tt.key, ke.Key)
		})
	}
}

func TestDecodeJoinsAllErrors(t *testing.T) {
	var c all
	err := config.Decode(config.Props{"int": "11", "bool": "x", "sub.name": "bad", "text": "kept"}, &c)
	keys, rest := config.KeyErrors(err)
	require.Len(t, keys, 3)
	assert.Empty(t, rest)
	assert.Equal(t, []string{"int", "bool", "sub.name"}, []string{keys[0].Key, keys[1].Key, keys[2].Key})
	assert.Equal(t, "kept", c.Text)
}

func TestRequiredKeys(t *testing.T) {
	var name, other string
	d := config.DescriberFunc(func(d *config.Def) {
		config.String(d, &name, "name").Check(config.NonEmpty())
		config.Enum(d, &other, "other", "a", "b")
	})
	err := config.Decode(nil, d)
	require.ErrorIs(t, err, config.ErrMissing)
	assert.EqualError(t, err, `Missing required configuration "name" which has no default value.`+"\n"+
		`Missing required configuration "other" which has no default value.`+"\n"+
		`Invalid value null for configuration other: String must be one of: a, b`)
}

func TestDefinitionMistakes(t *testing.T) {
	d := config.DescriberFunc(func(d *config.Def) {
		config.String(d, new(string), "x").Default("")
		config.String(d, new(string), "x").Default("")
	})
	assert.EqualError(t, config.Decode(nil, d), "configuration x is defined twice")

	var endless func(d *config.Def)
	endless = func(d *config.Def) { d.Dynamic(endless) }
	assert.EqualError(t, config.Decode(nil, config.DescriberFunc(endless)), "dynamic keys are nested too deeply")
	assert.Empty(t, config.Encode(config.DescriberFunc(endless)))
}

func TestDefaultsAreNotShared(t *testing.T) {
	def := []string{"a", "b"}
	var list []string
	d := config.DescriberFunc(func(d *config.Def) { config.List(d, &list, "l").Default(def) })
	require.NoError(t, config.Decode(nil, d))
	list[0] = "changed"
	assert.Equal(t, "a", def[0])
}

func TestEncodeIsTheWayBack(t *testing.T) {
	p := config.Props{"text": "x", "raw": " y ", "int": "5", "int32": "2", "short": "3", "long": "4", "double": "2.0", "bool": "false",
		"list": "c,d", "class": "k", "password": "secret", "every.ms": "2000", "pause.ms": "3000", "wait.seconds": "4",
		"size.bytes": "99", "mode": "fast", "free.z": "1", "sub.name": "m"}
	var c, again all
	require.NoError(t, config.Decode(p, &c))
	out := config.Encode(&c)
	assert.Equal(t, p, out)
	require.NoError(t, config.Decode(out, &again))
	assert.Equal(t, c, again)

	var defaults all
	require.NoError(t, config.Decode(nil, &defaults))
	assert.Empty(t, config.Encode(&defaults), "only what differs from the default")
}

func TestEncodeWritesRequiredAndGivenKeys(t *testing.T) {
	var n int
	var o time.Duration
	var given bool
	d := config.DescriberFunc(func(d *config.Def) {
		config.Int(d, &n, "n")
		config.Millis(d, &o, "o.ms").Optional().Given(&given)
	})
	require.NoError(t, config.Decode(config.Props{"n": "0", "o.ms": "0"}, d))
	assert.Equal(t, config.Props{"n": "0", "o.ms": "0"}, config.Encode(d))
	require.NoError(t, config.Decode(config.Props{"n": "0"}, d))
	assert.False(t, given)
	assert.Equal(t, config.Props{"n": "0"}, config.Encode(d))
}

func TestSecretsEncodeAsTheirPlaceholders(t *testing.T) {
	raw := config.Props{"password": "${file:/f:k}"}
	var c all
	require.NoError(t, config.DecodeResolved(config.Props{"password": "resolved"}, raw, &c))
	assert.Equal(t, "resolved", c.Password.Reveal())
	assert.Equal(t, raw, config.Encode(&c))
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "hunter2"
	s := config.NewSecret(secret)
	p := config.Props{"db.password": secret, "aws.secret.access.key": secret, "uri": "amqp://u:" + secret + "@h/", "plain": "shown",
		"sasl.jaas.config": secret, "my.credential": secret, "ssl.keystore.key": secret, "null.password": config.Null}
	var c all
	require.NoError(t, config.Decode(config.Props{"password": secret}, &c))
	wrapped := struct {
		S config.Secret
		P config.Props
	}{s, p}
	for _, v := range []any{s, &s, p, wrapped, []config.Secret{s}, map[string]config.Secret{"k": s}, c} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			assert.NotContains(t, fmt.Sprintf(verb, v), secret, "%s of %T", verb, v)
			assert.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", secret), "%s of %T", verb, v)
		}
		for _, h := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			if _, ok := v.(struct {
				S config.Secret
				P config.Props
			}); ok {
				continue // slog's JSON of a struct is encoding/json, which writes Props raw
			}
			var b bytes.Buffer
			slog.New(h(&b)).Info("x", "v", v)
			assert.NotContains(t, b.String(), secret, "%T", v)
		}
	}
	b, err := json.Marshal(map[string]any{"s": s, "c": []config.Secret{s}})
	require.NoError(t, err)
	assert.NotContains(t, string(b), secret)
	assert.Contains(t, fmt.Sprint(p), "plain=shown")
	assert.Contains(t, fmt.Sprint(p), "null.password=null")
}

func TestSecretsAreNotInErrors(t *testing.T) {
	const secret = "hunter2"
	var s config.Secret
	d := config.DescriberFunc(func(d *config.Def) {
		config.Password(d, &s, "p").Check(config.CheckFunc("", func(config.Secret) error { return errors.New("too short") }))
	})
	err := config.Decode(config.Props{"p": secret}, d)
	require.EqualError(t, err, "Invalid value [hidden] for configuration p: too short")
	assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), secret)
	var ke *config.KeyError
	require.ErrorAs(t, err, &ke)
	assert.Equal(t, config.Hidden, ke.Value)
	res := config.Validate(t.Context(), config.Props{"p": secret}, d)
	b, err := json.Marshal(res)
	require.NoError(t, err)
	assert.NotContains(t, string(b), secret)
}

func TestMasked(t *testing.T) {
	p := config.Props{"password": "a", "x": "b", "token": "${env:T}", "token.url": "http://h/", "secret": "", "api.key": "k", "key.field": "id",
		"word": "declared"}
	d := config.DescriberFunc(func(d *config.Def) { config.Password(d, new(config.Secret), "word").Optional() })
	assert.Equal(t, config.Props{"password": config.Hidden, "x": "b", "token": "${env:T}", "token.url": "http://h/", "secret": "",
		"api.key": config.Hidden, "key.field": "id", "word": config.Hidden}, config.Props(p.Masked(d)))
	assert.Equal(t, "a", p["password"], "the original stays")
}

func TestPropsJSON(t *testing.T) {
	var p config.Props
	require.NoError(t, json.Unmarshal([]byte(`{"a":"x","b":1.50,"c":true,"d":null,"e":" "}`), &p))
	assert.Equal(t, config.Props{"a": "x", "b": "1.50", "c": "true", "d": config.Null, "e": " "}, p)
	b, err := json.Marshal(p)
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":"x","b":"1.50","c":"true","d":null,"e":" "}`, string(b))
	for _, bad := range []string{`{"a":{}}`, `{"a":[1]}`, `[]`, `"x"`, `{`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &p), bad)
	}
	require.NoError(t, json.Unmarshal([]byte(`null`), &p))
	assert.Nil(t, p)
	b, err = json.Marshal(config.Props(nil))
	require.NoError(t, err)
	assert.Equal(t, "{}", string(b))
}

func TestPropsBasics(t *testing.T) {
	p := config.Props{"a.b": "1", "a.": "2", "c": "3", "n": config.Null}
	assert.Equal(t, config.Props{"b": "1"}, p.Prefix("a."))
	assert.Equal(t, config.Props{"x.b": "1"}, p.Prefix("a.").WithPrefix("x."))
	_, ok := p.Get("n")
	assert.False(t, ok)
	assert.Equal(t, config.Props{"a": "2", "b": "1"}, config.Props{"a": "1"}.Merge(config.Props{"a": "2"}, nil, config.Props{"b": "1"}))
	c := p.Clone()
	c["c"] = "changed"
	assert.Equal(t, "3", p["c"])
	assert.True(t, config.Props(nil).Equal(config.Props{}))
	assert.NotNil(t, config.Props(nil).Clone())
}

// stages has a key whose values name further keys.
type stages struct {
	Aliases []string
	Types   map[string]*string
}

func (s *stages) Describe(d *config.Def) {
	config.List(d, &s.Aliases, "stages").Default(nil)
	d.Dynamic(func(d *config.Def) {
		if s.Types == nil {
			s.Types = map[string]*string{}
		}
		for _, a := range s.Aliases {
			if s.Types[a] == nil {
				s.Types[a] = new(string)
			}
			config.String(d, s.Types[a], "stages."+a+".type")
		}
	})
}

func TestDynamicKeys(t *testing.T) {
	p := config.Props{"stages": "a,b", "stages.a.type": "x", "stages.b.type": "y"}
	var s stages
	require.NoError(t, config.Decode(p, &s))
	assert.Equal(t, "y", *s.Types["b"])
	assert.Equal(t, p, config.Encode(&s))
	assert.Empty(t, config.Unknown(p, new(stages)))
	assert.Len(t, config.Keys(new(stages)), 1)
	delete(p, "stages.b.type")
	require.EqualError(t, config.Decode(p, new(stages)), `Missing required configuration "stages.b.type" which has no default value.`)
}

func TestUnknown(t *testing.T) {
	p := config.Props{"txt": "x", "every.sm": "1", "zzzzzzzz": "1", "free.x": "1", "Text": "1", "sub.nam": "x"}
	assert.Equal(t, []config.UnknownKey{{"Text", "text"}, {"every.sm", "every.ms"}, {"sub.nam", "sub.name"}, {"txt", "text"}, {"zzzzzzzz", ""}},
		config.Unknown(p, new(all)))
}

func TestIgnored(t *testing.T) {
	d := config.DescriberFunc(func(d *config.Def) {
		config.String(d, new(string), "old").Optional().Deprecated("use new.")
		config.String(d, new(string), "jvm").Optional().Ignored("no JVM.")
		config.String(d, new(string), "unused").Optional().Ignored("no JVM.")
	})
	assert.Equal(t, []config.IgnoredKey{{"old", "use new.", true}, {"jvm", "no JVM.", false}},
		config.Ignored(config.Props{"old": "1", "jvm": "2"}, d))
}

func TestMarkdown(t *testing.T) {
	d := config.DescriberFunc(func(d *config.Def) {
		config.Int(d, new(int), "n").Check(config.AtLeast(1)).Importance(config.High).Doc("A | B.")
		config.String(d, new(string), "s").Default("").Group("Group", 1).Deprecated("use n.").Doc("Text.")
		config.Map(d, new(config.Props), "x.", "Free.")
	})
	assert.Equal(t, strings.Join([]string{
		"| Key | Type | Default | Allowed | Importance | Meaning |",
		"|---|---|---|---|---|---|",
		"| `n` | int | *required* | [1,...] | high | A \\| B. |",
		"",
		"### Group",
		"",
		"| Key | Type | Default | Allowed | Importance | Meaning |",
		"|---|---|---|---|---|---|",
		"| `s` | string | empty |  | low | Text. Deprecated: use n. |",
		"",
		"`x.*`: Free.", "", "",
	}, "\n"), config.Markdown(d))
}

func FuzzDecode(f *testing.F) {
	f.Add("int", "5")
	f.Add("list", " , ")
	f.Add("double", "0x1p-2")
	f.Fuzz(func(t *testing.T, key, text string) {
		p := config.Props{key: text, "int": text, "double": text, "list": text, "every.ms": text, "bool": text, "wait.seconds": text}
		var c, again all
		if err := config.Decode(p, &c); err != nil {
			if keys, rest := config.KeyErrors(err); len(keys) == 0 || len(rest) > 0 {
				t.Fatalf("not all errors name a key: %v", err)
			}
			return
		}
		if err := config.Decode(config.Encode(&c), &again); err != nil {
			t.Fatalf("what was encoded does not decode: %v", err)
		}
		if fmt.Sprintf("%+v", c) != fmt.Sprintf("%+v", again) {
			t.Fatalf("%+v came back as %+v", c, again)
		}
	})
}

func FuzzPropsJSON(f *testing.F) {
	f.Add([]byte(`{"a":"x","b":1.50,"c":true,"d":null}`))
	f.Add([]byte(`{"a":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p, again config.Props
		if json.Unmarshal(data, &p) != nil {
			return
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &again); err != nil || !p.Equal(again) {
			t.Fatalf("%q came back as %q: %v", map[string]string(p), map[string]string(again), err)
		}
	})
}

// Errors of a derived configuration speak of the keys that the user wrote, and of no other.
func TestRenameErrors(t *testing.T) {
	var region, bucket string
	derived := config.Decode(config.Props{"store.region": "moon"}, config.DescriberFunc(func(d *config.Def) {
		config.Enum(d, &region, "store.region", "north", "south")
		config.String(d, &bucket, "store.bucket")
	}))
	other := errors.New("no key is to blame")
	own := config.Errorf("foreign.key", "is odd")
	err := config.RenameErrors(errors.Join(derived, own, other), map[string]string{"store.region": "aws.region", "store.bucket": "aws.bucket"}, "aws.url")
	keys, rest := config.KeyErrors(err)
	assert.Empty(t, rest)
	texts := map[string]string{}
	for _, k := range keys {
		texts[k.Key] = k.Error()
	}
	assert.Equal(t, map[string]string{
		"aws.region":  "Invalid value moon for configuration aws.region: String must be one of: north, south",
		"aws.bucket":  "configuration aws.bucket: missing required configuration",
		"foreign.key": "configuration foreign.key: is odd",
		"aws.url":     "configuration aws.url: no key is to blame",
	}, texts)
	assert.ErrorIs(t, err, other)
	assert.ErrorIs(t, err, config.ErrMissing)
	assert.NoError(t, config.RenameErrors(nil, nil, "x"))
	_, rest = config.KeyErrors(config.RenameErrors(other, nil, ""))
	assert.Equal(t, []error{other}, rest)
}

// The reference shows keys with names of the user's in them; no configuration has them for that.
func TestPattern(t *testing.T) {
	var names []string
	var limit int
	d := config.DescriberFunc(func(d *config.Def) {
		config.List(d, &names, "rules").Default(nil).Doc("Names.")
		d.Pattern("rule.<name>.", config.DescriberFunc(func(d *config.Def) { config.Int(d, &limit, "limit").Default(7).Doc("A limit.") }))
	})
	assert.Contains(t, config.Markdown(d), "### Keys `rule.<name>.*`")
	assert.Contains(t, config.Markdown(d), "| `rule.<name>.limit` | int | `7` |  | low | A limit. |")
	assert.Len(t, config.Keys(d), 1)
	require.NoError(t, config.Decode(config.Props{"rules": "a"}, d))
	assert.Equal(t, []string{"rule.<name>.limit"}, func() (unknown []string) {
		for _, u := range config.Unknown(config.Props{"rule.<name>.limit": "1"}, d) {
			unknown = append(unknown, u.Key)
		}
		return unknown
	}())
}

func TestSupported(t *testing.T) {
	var mode string
	d := config.DescriberFunc(func(d *config.Def) {
		config.String(d, &mode, "mode").Default("INSERT").Check(config.Supported("INSERT", "APPEND"))
	})
	require.NoError(t, config.Decode(config.Props{"mode": "append"}, d))
	assert.EqualError(t, config.Decode(config.Props{"mode": "UPSERT"}, d), "Invalid value UPSERT for configuration mode: is not supported; want INSERT or APPEND")
	assert.Contains(t, config.Markdown(d), "only INSERT, APPEND")
}
