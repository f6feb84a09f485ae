package connecttest

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// TestTransform shows whether a transform keeps its contract: whatever a record
// refers to is unchanged, whether the transform succeeds, fails or drops the
// record; nothing panics; what comes out fits its schema. It applies the
// transform to the records given, which must not fail, and to records of its
// own with data of every kind (see Samples), which may.
//
// What the transform does to the records is for the test of the transform.
func TestTransform(t testing.TB, plugin connect.Plugin, props config.Props, records ...connect.Record) {
	x, err := plugin.NewTransform(props)
	require.NoError(t, err, "NewTransform")
	for i := range records {
		run(t, fmt.Sprintf("record %d", i), func(t testing.TB) {
			assert.NoError(t, applyOnce(t, x, records[i]), "Apply")
		})
	}
	for _, own := range sampleRecords() {
		run(t, own.name, func(t testing.TB) { _ = applyOnce(t, x, own.record) })
	}
	run(t, "is closed", func(t testing.TB) {
		if c, ok := x.(io.Closer); ok {
			assert.NoError(t, c.Close())
		}
	})
}

type namedRecord struct {
	name   string
	record connect.Record
}

// sampleRecords have each sample as value, and as key.
func sampleRecords() []namedRecord {
	var all []namedRecord
	for i, s := range Samples() {
		r := connect.Record{
			Topic: "topic", Partition: connect.On(int32(i)), Timestamp: time.UnixMilli(1_700_000_000_000), Offset: int64(i),
			Headers: []connect.Header{
				{Key: "h", Datum: connect.Datum{Schema: data.StringSchema, Value: data.String("1")}},
				{Key: "h", Datum: s.Datum},
			},
		}
		r.Value = s.Datum
		all = append(all, namedRecord{s.Name + " as value", r})
		r.Key, r.Value = s.Datum, connect.Datum{}
		all = append(all, namedRecord{s.Name + " as key", r})
	}
	return all
}

// applyOnce applies the transform as the engine does, to a copy with clipped
// headers, and looks at what the record refers to afterwards.
func applyOnce(t testing.TB, x connect.Transform, r connect.Record) (err error) {
	before := cloneRecord(&r)
	work := r
	work.Headers = slices.Clip(r.Headers)
	keep, err := apply(t, x, &work)
	assertUnchanged(t, &before, &r)
	if err != nil || !keep {
		return err
	}
	if fits(&before) == nil {
		assert.NoError(t, fits(&work), "what comes out does not fit its schema")
	}
	again := r
	again.Headers = slices.Clip(r.Headers)
	after := cloneRecord(&work)
	if _, err := apply(t, x, &again); err != nil {
		assert.NoError(t, err, "Apply, a second time")
	}
	assertUnchanged(t, &after, &work) // results are frozen too
	return nil
}

func apply(t testing.TB, x connect.Transform, r *connect.Record) (keep bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			assert.Fail(t, "Apply panics", "%v", p)
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return x.Apply(t.Context(), r)
}

func fits(r *connect.Record) error {
	if err := data.Validate(r.Key.Schema, r.Key.Value, "key"); err != nil {
		return err
	}
	return data.Validate(r.Value.Schema, r.Value.Value, "value")
}

// cloneRecord returns a deep copy.
func cloneRecord(r *connect.Record) connect.Record {
	s := connect.SinkRecord{Record: *r}
	return s.Clone().Record
}

// assertUnchanged compares deep, schemas by their pointers.
func assertUnchanged(t testing.TB, want, got *connect.Record) {
	t.Helper()
	assertSame(t, "key", want.Key, got.Key)
	assertSame(t, "value", want.Value, got.Value)
	if assert.Len(t, got.Headers, len(want.Headers), "headers were changed in place") {
		for i := range want.Headers {
			assert.Equal(t, want.Headers[i].Key, got.Headers[i].Key, "header %d was changed in place", i)
			assertSame(t, fmt.Sprintf("header %d", i), want.Headers[i].Datum, got.Headers[i].Datum)
		}
	}
	assert.Equal(t, [...]any{want.Topic, want.Partition, want.Timestamp, want.Offset}, [...]any{got.Topic, got.Partition, got.Timestamp, got.Offset})
}

func assertSame(t testing.TB, what string, want, got connect.Datum) {
	t.Helper()
	assert.True(t, want.Schema == got.Schema, "the schema of the %s was changed in place", what)
	assert.True(t, data.Equal(want.Value, got.Value), "the %s was changed in place: found %v, want %v", what, got.Value, want.Value)
}
