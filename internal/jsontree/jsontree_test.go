package jsontree_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/jsontree"
)

func TestTexts(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1,"a":[true,null,"x\u00e9\n"],"b":2}`: `{"b":2,"a":[true,null,"xé\n"]}`,
		` [ 1.50 , -0 ] `: `[1.50,-0]`, `"x"`: `"x"`, `{}`: `{}`, `[]`: `[]`,
		`{"a":}`: "!", `[1`: "!", `1 2`: "!", ``: "!", `{a:1}`: "!",
	} {
		n, err := jsontree.Parse(text)
		if want == "!" {
			assert.Error(t, err, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, n.String())
	}
}

func TestNodes(t *testing.T) {
	n, err := jsontree.Parse(`{"n":7,"f":1.5,"s":"x","a":[1]}`)
	require.NoError(t, err)
	i, ok := n.Get("n").Int()
	assert.True(t, ok && i == 7)
	_, ok = n.Get("f").Int()
	assert.False(t, ok)
	f, ok := n.Get("f").Float()
	assert.True(t, ok && f == 1.5)
	s, ok := n.Get("s").Str()
	assert.True(t, ok && s == "x")
	assert.Nil(t, n.Get("none"))
	_, ok = n.Get("none").Get("deeper").Str()
	assert.False(t, ok, "what is not there has nothing")
	same, err := jsontree.Parse(`{"a":[1],"s":"x","f":1.5,"n":7}`)
	require.NoError(t, err)
	assert.True(t, n.Equal(same))
	same.Set("n", jsontree.Int(8))
	assert.False(t, n.Equal(same))
	same.Set("new", jsontree.Array(jsontree.Number(data.Float32(0.1)), jsontree.Bool(true), jsontree.Null()))
	assert.Equal(t, `{"a":[1],"s":"x","f":1.5,"n":8,"new":[0.1,true,null]}`, same.String())
}

// FuzzParse: what is read is written so that it is read the same.
func FuzzParse(f *testing.F) {
	f.Add(`{"b":1,"a":[true,null,"x\u00e9\n"],"b":2}`)
	f.Add(`[[[[1e400,-0.0]]]]`)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := jsontree.Parse(text)
		if err != nil {
			return
		}
		again, err := jsontree.Parse(n.String())
		require.NoError(t, err)
		assert.True(t, n.Equal(again))
	})
}
