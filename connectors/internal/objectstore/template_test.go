package objectstore

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// templated is a record that templates print.
func templated() *connect.SinkRecord {
	fields := data.MapOf(data.Pair{Key: data.String("a"), Value: data.Int64(7)}, data.Pair{Key: data.String("f"), Value: data.Float64(1.5)}, data.Pair{Key: data.String("none"), Value: data.Value{}},
		data.Pair{Key: data.String("zero"), Value: data.String("\x00")}, data.Pair{Key: data.String("list"), Value: data.ArrayOf()})
	return &connect.SinkRecord{
		Record: connect.Record{
			Topic: "t", Key: connect.Datum{Value: data.String("k")}, Value: connect.Datum{Value: fields},
			Headers: []connect.Header{{Key: "h", Datum: connect.Datum{Value: data.String("old")}}, {Key: "h", Datum: connect.Datum{Value: data.String("new")}}, {Key: "m", Datum: connect.Datum{Value: fields}}},
		},
		Origin: connect.Origin{TopicPartition: connect.TopicPartition{Topic: "t", Partition: 3}},
	}
}

func TestTemplates(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 58, 0, 0, time.UTC)
	for _, c := range []struct{ text, missing, want, err string }{
		{text: "{{topic}}-{{ partition }}-{{start_offset}}", want: "t-3-42"},
		{text: "{{partition:padding=true}}/{{start_offset:padding=true}}", want: "0000000003/00000000000000000042"},
		{text: "{{partition:pad=left,3,-}}/{{start_offset:pad=right,4,0}}/{{start_offset:pad=left,1,0}}", want: "--3/4200/42"},
		{text: "{{timestamp:unit=yyyy}}{{timestamp:unit=YYYY}}{{timestamp:unit=MM}}{{timestamp:unit=dd}}{{timestamp:unit=HH}} {{timestamp:yyyy-MM-dd'T'HH:mm}}", want: "2024202402" + "29" + "23 2024-02-29T23:58"},
		{text: "{{key}}/{{value:a}}/{{value:f}}/{{header:h}}/{{header:m.a}}", want: "k/7/1.5/new/7"},
		{text: "{{value:none}}", err: "null"},
		{text: "{{value:other}}", err: `no field "other"`},
		{text: "{{value:none}}/{{value:other}}/{{key:x}}", missing: "-", want: "-/-/-"},
		{text: "{{header:x}}", missing: "-", err: `no header "x"`},
		{text: "{{value:zero}}", err: "zero byte"},
		{text: "{{value:list}}", err: "ARRAY"},
	} {
		parsed, err := parseTemplate(c.text, "")
		require.NoError(t, err, c.text)
		parsed.missing = c.missing
		got, err := parsed.folder(templated(), at)
		if c.err != "" {
			assert.ErrorContains(t, err, c.err, c.text)
			continue
		}
		if assert.NoError(t, err, c.text) {
			assert.Equal(t, c.want, parsed.withOffset(got, 42), c.text)
		}
	}
	for _, text := range []string{"", "{{topic", "{{}}", "{{what}}", "{{topic:x}}", "{{partition:padding=maybe}}", "{{start_offset:pad=left,x,0}}", "{{start_offset:pad=left,3}}",
		"{{start_offset:pad=left,999,0}}", "{{start_offset:pad=left,3,00}}", "{{timestamp}}", "{{timestamp:unit=mm}}", "{{value}}", "{{key:}}", "{{header:}}"} {
		_, err := TemplateVariables(text)
		assert.Error(t, err, "%q", text)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("a/{{topic}}-{{partition:padding=true}}-{{start_offset:pad=right,3,x}}{{timestamp:unit=yyyy}}{{value:a.b}}{{header:c}}", int64(5))
	f.Fuzz(func(t *testing.T, text string, offset int64) {
		parsed, err := parseTemplate(text, "UTC")
		if err != nil {
			return
		}
		folder, err := parsed.folder(templated(), time.UnixMilli(0))
		if err != nil || strings.Contains(text, offsetMark) {
			return
		}
		assert.NotContains(t, parsed.withOffset(folder, offset), offsetMark)
	})
}
