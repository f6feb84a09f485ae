package connecttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// plainTransform makes a plugin of a function.
func plainTransform(f func(r *connect.Record) (bool, error)) connect.Plugin {
	return TransformPlugin("Test", func(config.Props) Transform {
		return Transform{ApplyFunc: func(_ context.Context, r *connect.Record) (bool, error) { return f(r) }}
	})
}

func withHeader(r *connect.Record) (bool, error) {
	r.Topic = "elsewhere"
	r.Headers = append(r.Headers, connect.Header{Key: "added"})
	if s, ok := r.Value.Value.Struct(); ok && s.Len() > 0 {
		r.Value.Value = data.StructOf(s.With(0, s.At(0)))
		return true, nil
	}
	return r.Value.Value.IsNull(), errors.New("no struct")
}

func TestTransformSuite(t *testing.T) {
	TestTransform(t, plainTransform(func(r *connect.Record) (bool, error) { return true, nil }), nil, connect.Record{})
	TestTransform(t, plainTransform(withHeader), nil)
	TestTransform(t, plainTransform(func(*connect.Record) (bool, error) { return false, nil }), nil, connect.Record{Topic: "t"})
}

func TestTransformSuiteCatches(t *testing.T) {
	for name, f := range map[string]func(r *connect.Record) (bool, error){
		"a struct is changed in place": func(r *connect.Record) (bool, error) {
			if s, ok := r.Value.Value.Struct(); ok {
				s.Set(0, data.Int32(99))
			}
			return true, nil
		},
		"a struct is changed before the error": func(r *connect.Record) (bool, error) {
			if s, ok := r.Key.Value.Struct(); ok {
				s.Set(1, data.String("changed"))
			}
			return true, errors.New("no")
		},
		"bytes are changed in place": func(r *connect.Record) (bool, error) {
			if b, ok := r.Value.Value.Bytes(); ok && len(b) > 0 {
				b[0] ^= 1
			}
			return true, nil
		},
		"an array is changed in place": func(r *connect.Record) (bool, error) {
			if a, ok := r.Value.Value.Array(); ok && len(a) > 0 {
				a[0] = a[len(a)-1]
			}
			return true, nil
		},
		"a header is renamed in place": func(r *connect.Record) (bool, error) {
			r.Headers[0].Key = "renamed"
			return true, nil
		},
		"a null panics": func(r *connect.Record) (bool, error) {
			if r.Value.Value.IsNull() {
				panic("null")
			}
			return true, nil
		},
		"the value does not fit": func(r *connect.Record) (bool, error) {
			r.Value = connect.Datum{Schema: data.Int32Schema, Value: data.String("x")}
			return true, nil
		},
		"a record of the test fails": func(*connect.Record) (bool, error) { return true, errors.New("no") },
	} {
		catches(t, name, func(t testing.TB) { TestTransform(t, plainTransform(f), nil, connect.Record{Topic: "t"}) })
	}
	catches(t, "results share a buffer", func(t testing.TB) {
		shared := []byte("0")
		TestTransform(t, plainTransform(func(r *connect.Record) (bool, error) {
			shared[0]++
			r.Value = connect.Datum{Value: data.Bytes(shared)}
			return true, nil
		}), nil)
	})
}

// textConverter is a converter of optional strings; of other data it makes
// their text.
func textConverter() Converter {
	return Converter{
		AppendEncodeFunc: func(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			if d.Value.IsNull() {
				return dst, true, nil
			}
			return append(dst, d.Value.String()...), false, nil
		},
		DecodeFunc: func(_ context.Context, _ *connect.Wire, b []byte) (connect.Datum, error) {
			d := connect.Datum{Schema: data.OptionalStringSchema}
			if b != nil {
				d.Value = data.String(string(b))
			}
			return d, nil
		},
	}
}

func textBack(s Sample) (connect.Datum, bool) {
	d := connect.Datum{Schema: data.OptionalStringSchema}
	if text, ok := s.Datum.Value.Str(); ok {
		d.Value = data.String(text)
	}
	return d, s.Datum.Value.IsNull() || s.Datum.Value.Kind() == data.KindString
}

func testText(t testing.TB, c Converter) {
	TestConverter(t, ConverterPlugin("Text", func(config.Props) Converter { return c }), ConverterOptions{Back: textBack})
}

func TestConverterSuite(t *testing.T) { testText(t, textConverter()) }

func TestConverterSuiteCatches(t *testing.T) {
	type encode = func(context.Context, []byte, *connect.Wire, connect.Datum) ([]byte, bool, error)
	type decode = func(context.Context, *connect.Wire, []byte) (connect.Datum, error)
	good := textConverter()
	for name, f := range map[string]encode{
		"dst is dropped": func(ctx context.Context, _ []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			return good.AppendEncode(ctx, nil, w, d)
		},
		"dst is overwritten": func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			return good.AppendEncode(ctx, dst[:0], w, d)
		},
		"empty is null": func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			out, null, err := good.AppendEncode(ctx, dst, w, d)
			return out, null || len(out) == len(dst), err
		},
		"null is empty": func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			out, _, err := good.AppendEncode(ctx, dst, w, d)
			return out, false, err
		},
		"null has bytes": func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			out, null, err := good.AppendEncode(ctx, dst, w, d)
			if null {
				out = append(out, "null"...)
			}
			return out, null, err
		},
		"a struct panics": func(ctx context.Context, dst []byte, w *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			if d.Value.Kind() == data.KindStruct {
				panic("struct")
			}
			return good.AppendEncode(ctx, dst, w, d)
		},
		"text is quoted": func(_ context.Context, dst []byte, _ *connect.Wire, d connect.Datum) ([]byte, bool, error) {
			return fmt.Appendf(dst, "%q", d.Value.String()), d.Value.IsNull(), nil
		},
		"everything is refused": func(_ context.Context, dst []byte, _ *connect.Wire, _ connect.Datum) ([]byte, bool, error) {
			return dst, false, errors.New("no")
		},
	} {
		catches(t, name, func(t testing.TB) { testText(t, Converter{AppendEncodeFunc: f, DecodeFunc: good.DecodeFunc}) })
	}
	for name, f := range map[string]decode{
		"each schema is new": func(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
			d, err := good.Decode(ctx, w, b)
			d.Schema = data.NewBuilder(data.KindString).Optional().MustBuild()
			return d, err
		},
		"null is text": func(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
			return connect.Datum{Schema: data.OptionalStringSchema, Value: data.String(string(b))}, nil
		},
		"JSON panics": func(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
			if len(b) > 1_000 && !json.Valid(b) {
				panic("too deep")
			}
			return good.Decode(ctx, w, b)
		},
		"the input is changed": func(ctx context.Context, w *connect.Wire, b []byte) (connect.Datum, error) {
			d, err := good.Decode(ctx, w, b)
			clear(b)
			return d, err
		},
	} {
		catches(t, name, func(t testing.TB) { testText(t, Converter{AppendEncodeFunc: good.AppendEncodeFunc, DecodeFunc: f}) })
	}
}

func TestHeaderConverterSuite(t *testing.T) {
	c := textConverter()
	good := HeaderConverter{
		AppendEncodeHeaderFunc: func(dst []byte, _, _ string, d connect.Datum) ([]byte, bool, error) {
			return c.AppendEncode(t.Context(), dst, nil, d)
		},
		DecodeHeaderFunc: func(_, _ string, b []byte) (connect.Datum, error) { return c.Decode(t.Context(), nil, b) },
	}
	test := func(t testing.TB, h HeaderConverter) {
		TestHeaderConverter(t, HeaderConverterPlugin("Text", func(config.Props) HeaderConverter { return h }), ConverterOptions{Back: textBack})
	}
	test(t, good)
	catches(t, "headers are lost", func(t testing.TB) {
		test(t, HeaderConverter{AppendEncodeHeaderFunc: good.AppendEncodeHeaderFunc})
	})
}

// declared is a plugin's configuration.
type declared struct {
	Text   string
	Number int
}

func (d *declared) Describe(def *config.Def) {
	config.String(def, &d.Text, "text").Doc("A text.")
	config.Int(def, &d.Number, "number").Default(1).Check(config.AtLeast(1)).Doc("A number.")
}

type undocumented struct{ declared }

func (u *undocumented) Describe(d *config.Def) { config.String(d, &u.Text, "text").Default("") }

type badDefault struct{ declared }

func (b *badDefault) Describe(d *config.Def) {
	config.Int(d, &b.Number, "number").Default(0).Check(config.AtLeast(1)).Doc("A number.")
}

type lossy struct{ declared }

func (l *lossy) Describe(d *config.Def) {
	config.String(d, &l.Text, "text").Doc("A text.")
	config.Int(d, &l.Number, "number").Default(1).Doc("A number.")
}

func (l *lossy) Check() error {
	l.Number++
	return nil
}

func transformOf[C any, PC interface {
	*C
	config.Describer
}](info connect.Info) connect.Plugin {
	return connect.Transformer[C, Transform, PC](info, func(C) (Transform, error) { return Transform{}, nil })
}

func TestPluginSuite(t *testing.T) {
	good := connect.Info{Class: "Good", Version: "1.0.0", Doc: "Does good.",
		StandsFor: []connect.JavaClass{{Class: "org.apache.kafka.connect.transforms.Good$Value"}}}
	valid := config.Props{"text": "a", "number": "7"}
	TestPlugin(t, transformOf[declared](good), valid)
	TestPlugin(t, SourcePlugin("Fake", func(config.Props) SourceTask { return SourceTask{} }), config.Props{"any": "key"})

	catches(t, "a key is not documented", func(t testing.TB) { TestPlugin(t, transformOf[undocumented](good)) })
	catches(t, "a default is not valid", func(t testing.TB) { TestPlugin(t, transformOf[badDefault](good)) })
	catches(t, "encoding loses something", func(t testing.TB) { TestPlugin(t, transformOf[lossy](good), valid) })
	catches(t, "the zero plugin", func(t testing.TB) { TestPlugin(t, connect.Plugin{}) })
	for name, change := range map[string]func(*connect.Info){
		"there is no class":        func(i *connect.Info) { i.Class = "" },
		"there is no version":      func(i *connect.Info) { i.Version = "" },
		"there is no doc":          func(i *connect.Info) { i.Doc = "" },
		"an alias is no Java name": func(i *connect.Info) { i.StandsFor = []connect.JavaClass{{Class: "Good"}} },
		"a transform has a task":   func(i *connect.Info) { i.StandsFor[0].Task = "org.apache.Task" },
	} {
		info := good
		info.StandsFor = []connect.JavaClass{good.StandsFor[0]}
		change(&info)
		catches(t, name, func(t testing.TB) { TestPlugin(t, transformOf[declared](info)) })
	}
}
