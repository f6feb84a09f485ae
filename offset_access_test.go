package connect

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/internal/connectjson"
)

func TestPartitionOf(t *testing.T) {
	a := PartitionOf(data.E("topic", data.String("x")), data.E("cluster", data.String("y")), data.E("partition", data.Int32(0)))
	b := PartitionOf(data.E("partition", data.Int64(0)), data.E("topic", data.String("x")), data.E("cluster", data.String("y")))
	require.Equal(t, a, b, "the order and the width of integers do not count")
	require.Equal(t, `{"cluster":"y","partition":0,"topic":"x"}`, a.String(), "the order of a HashMap")
	require.NotEqual(t, a, PartitionOf())
	require.Equal(t, `{}`, PartitionOf().String())
	require.True(t, SourcePartition{}.IsZero())
	require.False(t, PartitionOf().IsZero())
	v, ok := a.Get("partition")
	require.True(t, ok)
	require.True(t, data.Equal(data.Int64(0), v))
	require.NoError(t, a.Err())

	bad := PartitionOf(data.E("x", data.MapOf()))
	require.ErrorContains(t, bad.Err(), `"x"`)
	require.Nil(t, bad.Entries())
	_, err := offsetKey("c", bad)
	require.Error(t, err)
	_, err = offsetKey("c", SourcePartition{})
	require.Error(t, err)
	key, err := offsetKey(`a"b`, PartitionOf(data.E("f", data.String("ü<&>"))))
	require.NoError(t, err)
	require.Equal(t, `["a\"b",{"f":"ü<&>"}]`, string(key))
}

func TestOffsetAccessKnowsForeignSpellings(t *testing.T) {
	store := NewMemoryOffsets()
	require.NoError(t, store.Set(t.Context(), []KV{
		{[]byte(`["c",{"file":"plain"}]`), []byte(`{"n":1}`)},
		{[]byte(` [ "c" , { "b" : 2 , "a" : 1 } ]`), []byte(`{"n":2}`)},
		{[]byte(`["other",{"file":"plain"}]`), []byte(`{"n":3}`)},
		{[]byte(`["c",{"file":"broken"}]`), []byte(`{"n":`)},
		{[]byte(`["c",null]`), []byte(`{"n":4}`)},
		{[]byte(`["c",{"deep":{}}]`), []byte(`{"n":5}`)},
		{[]byte(`not json "c"`), []byte(`{}`)},
	}))
	a := newOffsetAccess("c", store, slog.New(slog.DiscardHandler))
	plain, foreign := PartitionOf(data.E("file", data.String("plain"))), PartitionOf(data.E("a", data.Int64(1)), data.E("b", data.Int64(2)))
	got, err := a.read(t.Context(), []SourcePartition{plain, foreign, PartitionOf(data.E("file", data.String("none")))})
	require.NoError(t, err)
	require.Equal(t, []SourceOffset{position(1), nil, nil}, got, "a key with blanks before the array is no key of ours")

	require.NoError(t, store.Set(t.Context(), []KV{{[]byte(`["c", {"b":2,"a":1}]`), []byte(`{"n":2}`)}}))
	got, err = a.read(t.Context(), []SourcePartition{foreign})
	require.NoError(t, err)
	require.Equal(t, []SourceOffset{position(2)}, got)

	pairs, err := a.encode(map[SourcePartition]SourceOffset{foreign: position(9), plain: position(8)})
	require.NoError(t, err)
	require.Equal(t, []KV{
		{[]byte(`["c", {"b":2,"a":1}]`), []byte(`{"n":9}`)},
		{[]byte(`["c",{"file":"plain"}]`), []byte(`{"n":8}`)},
	}, pairs, "written back with the bytes found")

	_, err = a.encode(map[SourcePartition]SourceOffset{plain: {data.E("n", data.ArrayOf())}})
	require.ErrorContains(t, err, `"n"`)
	_, err = a.read(t.Context(), []SourcePartition{{}})
	require.Error(t, err)
}

func TestOffsetAccessAlter(t *testing.T) {
	store := NewMemoryOffsets()
	a := newOffsetAccess("c", store, slog.New(slog.DiscardHandler))
	p := partition("p")
	require.NoError(t, a.alter(t.Context(), map[SourcePartition]SourceOffset{p: position(5)}))
	all, err := a.all(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[SourcePartition]SourceOffset{p: position(5)}, all)
	require.NoError(t, a.alter(t.Context(), map[SourcePartition]SourceOffset{p: nil}))
	all, err = a.all(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

// brokenStore fails all writes.
type brokenStore struct{ OffsetStore }

var errBroken = errors.New("disk full")

func (brokenStore) Set(context.Context, []KV) error { return errBroken }
func (brokenStore) Scan(context.Context, []byte) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) { yield(KV{}, errBroken) }
}

func TestLayeredOffsets(t *testing.T) {
	scan := func(s OffsetStore) map[string]string {
		got := map[string]string{}
		for kv, err := range s.Scan(t.Context(), nil) {
			require.NoError(t, err)
			got[string(kv.Key)] = string(kv.Value)
		}
		return got
	}
	kv := func(k, v string) KV { return KV{[]byte(k), []byte(v)} }
	own, worker := NewMemoryOffsets(), NewMemoryOffsets()
	l := &layeredOffsets{primary: own, secondary: worker, log: slog.New(slog.DiscardHandler)}
	require.NoError(t, worker.Set(t.Context(), []KV{kv("a", "worker"), kv("b", "worker")}))
	require.NoError(t, own.Set(t.Context(), []KV{kv("a", "own")}))
	require.Equal(t, map[string]string{"a": "own", "b": "worker"}, scan(l), "the connector's topic wins, the worker's fills gaps")

	require.NoError(t, l.Set(t.Context(), []KV{kv("c", "1"), {Key: []byte("a")}, {Key: []byte("b")}}))
	require.Equal(t, map[string]string{"c": "1"}, scan(own))
	require.Equal(t, map[string]string{"c": "1"}, scan(worker), "a deletion reaches both, or the offset would come back")

	l.secondary = brokenStore{worker}
	require.NoError(t, l.Set(t.Context(), []KV{kv("d", "1")}), "the copy is best effort")
	require.ErrorIs(t, l.Set(t.Context(), []KV{kv("e", "1"), {Key: []byte("d")}}), errBroken)
	require.NotContains(t, scan(own), "e", "nothing is written after a deletion that failed")
	l.primary, l.secondary = brokenStore{own}, worker
	require.ErrorIs(t, l.Set(t.Context(), []KV{kv("f", "1")}), errBroken)
}

// TestOffsetsAreJavas reads the offsets that Java's workers stored and writes
// them again: the bytes must be the same.
func TestOffsetsAreJavas(t *testing.T) {
	f, err := os.Open("testdata/offsets_topic.jsonl")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for lines := json.NewDecoder(f); lines.More(); n++ {
		var r struct {
			Key   string
			Value *string
		}
		require.NoError(t, lines.Decode(&r))
		connector, entries, isNull, err := connectjson.ParseOffsetKey([]byte(r.Key))
		require.NoError(t, err)
		if isNull {
			continue // read, never written
		}
		key, err := offsetKey(connector, PartitionOf(entries...))
		require.NoError(t, err)
		require.Equal(t, r.Key, string(key))
		if r.Value == nil {
			continue
		}
		offset, err := decodeOffset([]byte(*r.Value))
		require.NoError(t, err)
		value, err := encodeOffset(offset)
		require.NoError(t, err)
		if offset == nil {
			require.Equal(t, "null", *r.Value)
			continue
		}
		require.Equal(t, *r.Value, string(value))
	}
	require.Positive(t, n)
}
