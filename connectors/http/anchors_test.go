package http

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/data"
)

func TestAnchorsAreWellDeclared(t *testing.T) {
	connecttest.TestPlugin(t, confluentPlugin(), config.Props{"http.api.base.url": "http://a.test", "api1.topics": "t", "validate.requests": "false"})
	connecttest.TestPlugin(t, confluentV1Plugin(), config.Props{"url": "http://a.test/${entityName}", "topic.name.pattern": "t", "entity.names": "a,b", "validate.requests": "false"})
	connecttest.TestPlugin(t, castormPlugin(), config.Props{"http.request.url": "http://a.test/x", "kafka.topic": "t", "validate.requests": "false"})
}

func TestConfluent(t *testing.T) {
	server := httptest.NewServer(api(items(23), 4))
	defer server.Close()
	for mode, props := range map[string]config.Props{
		"SIMPLE_INCREMENTING": {"api1.http.api.path": "/offset", "api1.http.request.parameters": "offset=${offset}", "api1.http.response.data.json.pointer": "/items", "api1.http.initial.offset": "0"},
		"CHAINING":            {"api1.http.api.path": "/record?after=${offset}", "api1.http.offset.json.pointer": "/id", "api1.http.initial.offset": "0"},
		"CURSOR_PAGINATION":   {"api1.http.api.path": "/cursor", "api1.http.request.parameters": "a=b&cursor=${offset}", "api1.http.next.page.json.pointer": "/next", "api1.http.response.data.json.pointer": "/items"},
	} {
		t.Run(mode, func(t *testing.T) {
			h := connecttest.Source(t, confluentPlugin(), props.Merge(config.Props{"http.api.base.url": server.URL, "api1.topics": "t", "api1.http.offset.mode": mode, "api1.request.interval.ms": "0",
				"auth.type": "BASIC", "connection.user": "u", "connection.password": "p"}))
			for i, rec := range h.Next(23) {
				x, ok := rec.Value.Value.Struct()
				require.True(t, ok)
				id, _ := x.Get("id")
				assert.True(t, data.Equal(data.Int64(int64(i+1)), id), "%v at %d", id, i)
			}
		})
	}
}

func TestCastorm(t *testing.T) {
	server := httptest.NewServer(api(items(23), 4))
	defer server.Close()
	h := connecttest.Source(t, castormPlugin(), config.Props{"http.request.url": server.URL + "/record", "http.request.params": "after=${offset.id}", "http.offset.initial": "id=0",
		"http.response.record.offset.pointer": "id=/id", "http.response.record.key.pointer": "/name", "kafka.topic": "t", "http.timer.catchup.interval.millis": "0"})
	for i, rec := range h.Next(23) {
		x, ok := rec.Value.Value.Struct()
		require.True(t, ok)
		text, err := x.GetTyped("value", data.KindString)
		require.NoError(t, err)
		want, err := json.Marshal(items(23)[i])
		require.NoError(t, err)
		s, _ := text.Str()
		assert.JSONEq(t, string(want), s)
	}
}

func TestAnchorsRefuse(t *testing.T) {
	for _, c := range []struct {
		into  config.Describer
		props config.Props
		key   string
	}{
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.offset.mode": "SNAPSHOT_PAGINATION"}, "api1.http.offset.mode"},
		{new(confluent), config.Props{"http.api.base.url": "http://a", "api1.topics": "t", "api1.http.offset.mode": "CHAINING"}, "api1.http.offset.json.pointer"},
		{new(castorm), config.Props{"http.request.url": "http://a", "kafka.topic": "t", "http.response.list.order.direction": "DESC"}, "http.response.list.order.direction"},
		{new(castorm), config.Props{"http.request.url": "http://a/${offset.timestamp?long}", "kafka.topic": "t"}, "http.request.url"},
		{new(castorm), config.Props{"http.request.url": "http://a/", "kafka.topic": "t", "http.record.sorter": "org.example.Own"}, "http.record.sorter"},
		{new(Config), config.Props{"http.url": "http://a/", "topic": "t", "pagination": "graphql"}, "graphql.query"},
		{new(Config), config.Props{"http.url": "http://a/", "topic": "t", "path": "?x=${nothing}"}, "path"},
		{new(Config), config.Props{"http.url": "http://a/", "endpoints": "a", "endpoint.a.path": "/"}, "endpoint.a.topic"},
		{new(Config), config.Props{"http.url": "http://a/", "topic": "t", "auth.type": "sigv4"}, "auth.sigv4.region"},
	} {
		keys, _ := config.KeyErrors(config.Decode(c.props, c.into))
		var names []string
		for _, k := range keys {
			names = append(names, k.Key)
		}
		assert.Contains(t, names, c.key, "%v", c.props)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5,"x",null,true]}`, "<a b='1'><c>x</c><c/></a>", "a,b\n1,2\n", "1\n{"} {
		for i := range 5 {
			f.Add([]byte(text), byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, format byte) {
		e := builtIn()
		e.Format = []Format{JSON, NDJSON, CSV, XML, Text}[format%5]
		b, err := e.decode(text, selector{})
		if err != nil {
			return
		}
		for _, x := range b.records {
			if x.err != nil {
				continue
			}
			var s shape
			left := maxFields
			s.see(x.value, &left)
			schema, err := s.build()
			if err != nil {
				continue // names that are no field names
			}
			v, err := conformer{lenient: true}.value(schema, x.value, "")
			if err == nil {
				err = data.Validate(schema, v, "value")
			}
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			again, err := parseJSON(appendJSON(nil, x.value))
			if err != nil {
				t.Fatalf("%s: written as %s: %v", text, appendJSON(nil, x.value), err)
			}
			if e.Format == JSON && string(appendJSON(nil, again)) != string(appendJSON(nil, x.value)) {
				t.Fatalf("%s: came back as %s", text, appendJSON(nil, again))
			}
		}
	})
}
