package registry

import (
	"context"
	"encoding/binary"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// bare is a format without schemas: payloads are empty, and what is read is the id
// of the reader's schema.
type bare struct{ Format }

type bareCodec struct{ id int }

func (bare) Type() string                      { return Avro }
func (bare) Null(*data.Schema) (bool, error)   { return false, nil }
func (bare) Draft(*data.Schema) (Draft, error) { return Draft{Schema: Schema{Type: Avro}}, nil }

func (bare) Encoder(*data.Schema, Draft, *Resolved, bool) (Encoder, error) { return bareCodec{}, nil }

func (bare) Decoder(_ Resolved, reader *Resolved, _ string) (Decoder, error) {
	return bareCodec{reader.ID}, nil
}

func (bareCodec) Append(dst []byte, _ data.Value) ([]byte, error) { return dst, nil }
func (bareCodec) Indexes() []byte                                 { return nil }
func (bareCodec) Schema() *data.Schema                            { return data.Int64Schema }

func (c bareCodec) Decode([]byte) (data.Value, error) { return data.Int64(int64(c.id)), nil }

// TestLatestIsNeverOlder: whatever the converter, nothing goes by a latest version
// that was asked for longer than latest.cache.ttl.sec ago, and no two converters ask
// within that time.
func TestLatestIsNeverOlder(t *testing.T) {
	for _, reads := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const ttl = 60 * time.Second
			begun := time.Now()
			latest := func() int { return 1 + int(time.Since(begun)/time.Second) } // a new version each second
			calls := 0
			client := &counting{answer: func(int32) (Registered, error) {
				calls++
				return Registered{Schema: Schema{Type: Avro, Text: `"int"`}, ID: latest()}, nil
			}}
			p := &Pool{Dial: func(*Config) (Client, error) { return placed{client}, nil }}
			made := func() *Converter {
				c, err := New(configOf(t, config.Props{"auto.register.schemas": "false", "use.latest.version": "true", "latest.cache.ttl.sec": "60"}), bare{}, p)
				require.NoError(t, err)
				return c
			}
			used := func(c *Converter) int {
				if reads {
					d, err := c.Decode(t.Context(), &connect.Wire{Topic: "t"}, []byte{0, 0, 0, 0, 9})
					require.NoError(t, err)
					n, _ := d.Value.Int()
					return int(n)
				}
				b, _, err := c.AppendEncode(t.Context(), nil, &connect.Wire{Topic: "t"}, connect.Datum{Schema: data.Int64Schema, Value: data.Int64(1)})
				require.NoError(t, err)
				return int(binary.BigEndian.Uint32(b[1:]))
			}
			tasks := []*Converter{made()}
			for second := range 300 {
				if second%7 == 0 { // tasks start at any time
					tasks = append(tasks, made())
				}
				for _, c := range tasks {
					id := used(c)
					require.LessOrEqual(t, latest()-id, int(ttl/time.Second), "second %d, reads %t", second, reads)
				}
				time.Sleep(time.Second)
			}
			most := 5
			if reads {
				most++ // the schema that the records have
			}
			assert.Equal(t, most, calls, "reads %t", reads)
		})
	}
}

// placed is a client that knows no place of a schema.
type placed struct{ *counting }

func (placed) VersionsOf(_ context.Context, _ int) ([]SubjectVersion, error) { return nil, nil }

// TestRetryAfterOfAnotherClock: a date is one of the registry's clock.
func TestRetryAfterOfAnotherClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		date, after time.Time
		want        time.Duration
	}{
		"same clock":        {now, now.Add(5 * time.Second), 5 * time.Second},
		"an hour ahead":     {now.Add(time.Hour), now.Add(time.Hour + 5*time.Second), 5 * time.Second},
		"a year behind":     {now.AddDate(-1, 0, 0), now.AddDate(-1, 0, 0).Add(5 * time.Second), 5 * time.Second},
		"no clock is shown": {time.Time{}, now.Add(7 * time.Second), 7 * time.Second},
		"in the past":       {now, now.Add(-time.Hour), 0},
		"in a year":         {now, now.AddDate(1, 0, 0), 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{"Retry-After": {c.after.Format(http.TimeFormat)}}
			if !c.date.IsZero() {
				h.Set("Date", c.date.Format(http.TimeFormat))
			}
			assert.Equal(t, c.want, retryAfter(h, now))
		})
	}
}
