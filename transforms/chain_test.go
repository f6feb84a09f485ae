package transforms

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

// emitter is a source of the records given.
func emitter(records ...connect.Record) connect.Plugin {
	return connecttest.SourcePlugin("Emitter", func(config.Props) connecttest.SourceTask {
		left := records
		return connecttest.SourceTask{PollFunc: func(ctx context.Context) ([]connect.SourceRecord, error) {
			if len(left) == 0 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			var out []connect.SourceRecord
			for _, r := range left {
				out = append(out, connect.SourceRecord{Record: r})
			}
			left = nil
			return out, nil
		}}
	})
}

// Predicates choose the records that a transform applies to, by the keys that Java has for it.
func TestPredicatesInAChain(t *testing.T) {
	text := func(s string) connect.Datum { return connect.Datum{Schema: data.StringSchema, Value: data.String(s)} }
	header := []connect.Header{{Key: "keep", Datum: text("")}}
	h := connecttest.Source(t, emitter(
		connect.Record{Topic: "a-1", Value: text("kept by its header"), Headers: header},
		connect.Record{Topic: "a-2", Value: text("dropped")},
		connect.Record{Topic: "b-3", Headers: header},
		connect.Record{Topic: "b-4", Value: text("routed"), Headers: header},
	), config.Props{
		"transforms":          "drop,route,mark",
		"predicates":          "hasKeep,isA,tombstone",
		"predicates.isA.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicates.isA.pattern": "a-(?!x).*",
		"predicates.hasKeep.type": "HasHeaderKey", "predicates.hasKeep.name": "keep",
		"predicates.tombstone.type": "RecordIsTombstone",
		"transforms.drop.type":      "org.apache.kafka.connect.transforms.Filter", "transforms.drop.predicate": "hasKeep", "transforms.drop.negate": "true",
		"transforms.route.type": "RegexRouter", "transforms.route.regex": "(.)-(.)", "transforms.route.replacement": "$2-$1",
		"transforms.route.predicate": "isA", "transforms.route.negate": "TRUE",
		"transforms.mark.type": "InsertHeader", "transforms.mark.header": "tombstone", "transforms.mark.value.literal": "true", "transforms.mark.predicate": "tombstone",
	}, All()...)
	got := h.Next(3)
	var topics []string
	var headers []int
	for _, r := range got {
		topics = append(topics, r.Topic)
		headers = append(headers, len(r.Headers))
	}
	assert.Equal(t, []string{"a-1", "3-b", "4-b"}, topics)
	assert.Equal(t, []int{1, 2, 1}, headers)
}

// All that is wrong is told at once, key by key, when a connector is created.
func TestAllErrorsAtOnce(t *testing.T) {
	rt, err := connect.New(connect.Options{Plugins: append(All(), emitter())})
	require.NoError(t, err)
	result, err := rt.Validate(t.Context(), config.Props{
		"name": "x", "connector.class": "Emitter", "transforms": "cast,path,ts,route,day,head", "predicates": "p",
		"transforms.cast.type": "Cast$Value", "transforms.cast.spec": "a:int8,b:map",
		"transforms.path.type": "ExtractField$Key", "transforms.path.field": "a.`b", "transforms.path.field.syntax.version": "V2",
		"transforms.ts.type": "TimestampConverter$Value", "transforms.ts.target.type": "string", "transforms.ts.unix.precision": "days",
		"transforms.route.type": "RegexRouter", "transforms.route.regex": "(a", "transforms.route.replacement": "$9",
		"transforms.day.type": "TimestampRouter", "transforms.day.timestamp.format": "yyyy-bb",
		"transforms.head.type": "HeaderFrom$Value", "transforms.head.fields": "a,b", "transforms.head.headers": "", "transforms.head.operation": "drop",
		"predicates.p.type": "TopicNameMatches", "predicates.p.pattern": "",
	})
	require.NoError(t, err)
	errs := make(map[string][]string)
	for _, c := range result.Configs {
		if len(c.Value.Errors) > 0 {
			errs[c.Value.Name] = c.Value.Errors
		}
	}
	assert.Equal(t, map[string][]string{
		"transforms.cast.spec":         {"Cast transformation does not support casting to MAP; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"},
		"transforms.path.field":        {"Incomplete backtick pair in path: [a.`b], consider adding a backslash before backtick at position 2 to escape it"},
		"transforms.ts.format":         {"TimestampConverter requires format option to be specified when using string timestamps"},
		"transforms.ts.unix.precision": {"Invalid value days for configuration unix.precision: String must be one of: nanoseconds, microseconds, milliseconds, seconds"},
		"transforms.route.regex":       {"Invalid value (a for configuration regex: Invalid regex: Unclosed group near index 2\n(a"},
		"transforms.head.headers":      {"Invalid value [] for configuration headers: Empty list"},
		"transforms.head.operation":    {"Invalid value drop for configuration operation: String must be one of: move, copy"},
		"predicates.p.pattern":         {"Invalid value  for configuration pattern: String must be non-empty"},
	}, errs, "the pattern of dates and the replacement are looked at when nothing else is wrong")

	result, err = rt.Validate(t.Context(), config.Props{
		"name": "x", "connector.class": "Emitter", "transforms": "route,day,insert,meta", "transforms.insert.type": "InsertField$Key",
		"transforms.meta.type": "SetSchemaMetadata$Value", "transforms.route.type": "RegexRouter", "transforms.route.regex": "(a)",
		"transforms.route.replacement": "$9", "transforms.day.type": "TimestampRouter", "transforms.day.timestamp.format": "yyyy-bb",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"Invalid value $9 for configuration transforms.route.replacement: No group 9: the expression has 1"}, result.Find("transforms.route.replacement").Value.Errors)
	assert.Equal(t, []string{"Invalid value yyyy-bb for configuration transforms.day.timestamp.format: Illegal pattern character 'b'"}, result.Find("transforms.day.timestamp.format").Value.Errors)
	assert.ErrorContains(t, errors.New(result.Find("transforms.insert.topic.field").Value.Errors[0]), "No field insertion configured")
	assert.Equal(t, []string{"Neither schema name nor version configured"}, result.Find("transforms.meta.schema.name").Value.Errors)
}
