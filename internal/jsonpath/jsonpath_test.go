package jsonpath

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func m(pairs ...any) data.Value {
	var out []data.Pair
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, data.Pair{Key: data.String(pairs[i].(string)), Value: pairs[i+1].(data.Value)})
	}
	return data.MapOf(out...)
}

// store is the document that JSONPath is explained with everywhere.
func store() data.Value {
	book := func(category, author, title string, price float64, more ...any) data.Value {
		return m(append([]any{"category", data.String(category), "author", data.String(author), "title", data.String(title), "price", data.Float64(price)}, more...)...)
	}
	return m("store", m(
		"book", data.ArrayOf(
			book("reference", "Nigel Rees", "Sayings of the Century", 8.95),
			book("fiction", "Evelyn Waugh", "Sword of Honour", 12.99),
			book("fiction", "Herman Melville", "Moby Dick", 8.99, "isbn", data.String("0-553-21311-3")),
			book("fiction", "J. R. R. Tolkien", "The Lord of the Rings", 22.99, "isbn", data.String("0-395-19395-8"))),
		"bicycle", m("color", data.String("red"), "price", data.Float64(19.95))),
		"expensive", data.Int32(10), "null", data.Value{}, "a.b", data.Boolean(true), "it's", data.Int8(1))
}

func texts(values []data.Value) string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return strings.Join(out, "|")
}

func TestFind(t *testing.T) {
	for path, want := range map[string]string{
		"$.store.bicycle.color":                                               "red",
		"$['store']['bicycle'][\"color\"]":                                    "red",
		"$.store.book[*].author":                                              "Nigel Rees|Evelyn Waugh|Herman Melville|J. R. R. Tolkien",
		"$..author":                                                           "Nigel Rees|Evelyn Waugh|Herman Melville|J. R. R. Tolkien",
		"$.store..price":                                                      "8.95|12.99|8.99|22.99|19.95",
		"$.store.book[2].title":                                               "Moby Dick",
		"$.store.book[-1].title":                                              "The Lord of the Rings",
		"$.store.book[-2:].isbn":                                              "0-553-21311-3|0-395-19395-8",
		"$.store.book[0, 1].price":                                            "8.95|12.99",
		"$.store.book[:2].price":                                              "8.95|12.99",
		"$.store.book[1:2].price":                                             "12.99",
		"$.store.book[3:1].price":                                             "",
		"$.store.book[9].price":                                               "",
		"$.store.book[?(@.isbn)].price":                                       "8.99|22.99",
		"$.store.book[?(!@.isbn)].price":                                      "8.95|12.99",
		"$.store.book[?(@.price < 10)].price":                                 "8.95|8.99",
		"$.store.book[?(@.price < $.expensive)].price":                        "8.95|8.99",
		"$.store.book[?(@.price > 10 && @.isbn)].price":                       "22.99",
		"$.store.book[?(@.price > 20 || @.price<8.96)].price":                 "8.95|22.99",
		"$.store.book[?(@.author =~ /.*REES/i)].price":                        "8.95",
		"$.store.book[?(@.author =~ /REES/i)].price":                          "",
		"$.store.book[?(@.title == 'Moby Dick')].price":                       "8.99",
		"$.store.book[?(@.title != \"Moby Dick\")].price":                     "8.95|12.99|22.99",
		"$.store.book[?('Moby Dick' == @['title'])].price":                    "8.99",
		"$.store.book[?(@.category in ['reference', 'x'])].price":             "8.95",
		"$.store.book[?(@.category nin ['reference'])].price":                 "12.99|8.99|22.99",
		"$.store.book[?(@.title contains 'of')].price":                        "8.95|12.99|22.99",
		"$.store.book[?(@.title size 9)].price":                               "8.99",
		"$.store.book[?(@.isbn empty false)].price":                           "8.99|22.99",
		"$.store.book[?((@.price>9) && (@.price<20 || @.isbn))].price":        "12.99|22.99",
		"$.store[?(@.color == 'red')].price":                                  "",
		"$.store.bicycle[?(@.color == 'red')].price":                          "19.95",
		"$[?(@.expensive == 10)].expensive":                                   "10",
		"$[?(@.expensive == 10.0)]['a.b']":                                    "true",
		"$[?(@['a.b'] == true)].expensive":                                    "10",
		"$[?(@.null == null)].expensive":                                      "10",
		"$[?(@.missing == null)].expensive":                                   "",
		"$[?(@.missing != 1)].expensive":                                      "10",
		"$['it\\'s']":                                                         "1",
		"$['expensive','a.b','x']":                                            "10|true",
		"$.store.book.length()":                                               "4",
		"$.store.book.size()":                                                 "4",
		"$.expensive.length()":                                                "",
		"$.store.book[?(@.title.length() > 20)].price":                        "8.95|22.99",
		"$.store.book[?($..book[?(@.isbn)].price contains @.price)].price":    "8.99|22.99",
		"$.store.book[?(@.category anyof ['fiction'])].price":                 "",
		"$.store[?(@.book[*].category anyof ['reference'])].bicycle.price":    "19.95",
		"$.store[?(@.book[*].category subsetof ['reference'])].bicycle.price": "",
		"$.store[?(@.book[*].category noneof ['biography'])].bicycle.price":   "19.95",
		"$.*.bicycle.*":                                                       "red|19.95",
	} {
		p, err := Compile(path)
		require.NoError(t, err, path)
		assert.Equal(t, path, p.String())
		found, _, err := p.Find(store())
		require.NoError(t, err)
		assert.Equal(t, want, texts(found), path)
	}
}

// A filter on an object decides on the object itself, as Jayway's does; below .. each match counts once.
func TestFilterOfObjects(t *testing.T) {
	for path, want := range map[string]string{
		"$.store[?(@.color == 'red')].price":       "",
		"$..[?(@.isbn == '0-553-21311-3')].price":  "8.99",
		"$..[?(@.color)].price":                    "19.95",
		"$.store.book[?(@.price == 8.95)]..author": "Nigel Rees",
	} {
		p, err := Compile(path)
		require.NoError(t, err)
		found, _, err := p.Find(store())
		require.NoError(t, err)
		assert.Equal(t, want, texts(found), path)
	}
}

func TestMissing(t *testing.T) {
	for path, want := range map[string]bool{
		"$": false, "$.store": false, "$.null": true, "$.x": true, "$.x.y": true, "$.x[?(@.y)]": true, "$.store.book[9]": true,
		"$.store.book[*].x": false, "$.store[?(@.x)]": false, "$..x": false, "$.null.x": true,
	} {
		p, err := Compile(path)
		require.NoError(t, err)
		_, missing, err := p.Find(store())
		require.NoError(t, err)
		assert.Equal(t, want, missing, path)
	}
}

// Steps that multiply what there is end, within filters as well.
func TestCostly(t *testing.T) {
	many := make([]data.Value, 300)
	for i := range many {
		many[i] = store()
	}
	for _, path := range []string{"$..[?($..[?(@.x)])]", "$[?($..price anyof $..isbn)]"} {
		p, err := Compile(path)
		require.NoError(t, err)
		_, _, err = p.Find(data.ArrayOf(many...))
		assert.ErrorIs(t, err, ErrCostly)
	}
	p, err := Compile("$[?(@ =~ /(a|a)*b/)]")
	require.NoError(t, err)
	_, _, err = p.Find(data.ArrayOf(data.String(strings.Repeat("a", 100))))
	assert.NoError(t, err) // RE2 runs it
	p, err = Compile(`$[?(@ =~ /(a|a)*(?!a)\1b/)]`)
	require.NoError(t, err)
	_, _, err = p.Find(data.ArrayOf(data.String(strings.Repeat("a", 100))))
	assert.Error(t, err)
}

func TestStructs(t *testing.T) {
	s := data.StructBuilder().Field("a", data.Int64Schema).Field("b", data.ArrayBuilder(data.StringSchema).MustBuild()).MustBuild()
	row, err := data.NewStruct(s)
	require.NoError(t, err)
	row.Set(0, data.Int64(5))
	row.Set(1, data.ArrayOf(data.String("x"), data.String("y")))
	for path, want := range map[string]string{"$.a": "5", "$.b[1]": "y", "$.*": "5|[x, y]", "$[?(@.a == 5)].b.length()": "2", "$..x": ""} {
		p, err := Compile(path)
		require.NoError(t, err)
		found, _, err := p.Find(data.StructOf(row))
		require.NoError(t, err)
		assert.Equal(t, want, texts(found), path)
	}
}

func TestCompileErrors(t *testing.T) {
	for path, want := range map[string]string{
		"":                                "want $",
		"a":                               "want $",
		"$.":                              "want a name",
		"$a":                              "want a dot or a bracket",
		"$[":                              "want a position",
		"$[1":                             "want a closing bracket",
		"$[1,]":                           "want a position",
		"$[99999999999]":                  "position of 32 bits",
		"$['a":                            "the quote is never closed",
		"$[?@.a]":                         "want a bracket behind the question mark",
		"$[?(@.a]":                        "want the closing bracket of the filter",
		"$[?(@.a ==)]":                    "want @, $, a number",
		"$[?(@.a == )":                    "want @, $, a number",
		"$[?(@.a =~ 'x')]":                "regular expression between slashes",
		"$[?(@.a =~ /x)]":                 "never closed",
		"$[?(@.a =~ /(/)]":                "Unclosed group",
		"$[?(@.a in [@.b])]":              "lists are of constants",
		"$[?(@.a in [1 2])]":              "want a comma",
		"$[?(@.a == -)]":                  "want a number",
		"$.a.min()":                       "other functions are not supported",
		"$..length()":                     "other functions are not supported",
		"$.length().x":                    "want a dot or a bracket",
		"$[?(" + strings.Repeat("(", 200): "nested too deeply",
		"$[?(" + strings.Repeat("!", 200): "nested too deeply",
	} {
		_, err := Compile(path)
		assert.ErrorContains(t, err, want, path)
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"$..a[?(@.b == 1 && !@['c'] || @ in [1,'x',null])]", "$.store.book[-1:].length()", "$[?(@.a =~ /x\\/y/i)]", "$['a','b'][0,1].*"} {
		f.Add(s)
	}
	doc := store()
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text)
		if err != nil {
			return
		}
		found, missing, err := p.Find(doc)
		if err != nil {
			return
		}
		if missing && len(found) > 0 {
			t.Fatal("found what is missing")
		}
		if p.Definite() && len(found) > 1 {
			t.Fatal("a definite path leads to several values")
		}
	})
}

func BenchmarkFind(b *testing.B) {
	doc := store()
	for _, path := range []string{"$.store.bicycle.color", "$.store.book[?(@.price < 10 && @.isbn)]", "$..price"} {
		p, err := Compile(path)
		require.NoError(b, err)
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Find(doc)
			}
		})
	}
}
