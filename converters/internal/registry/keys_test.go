package registry_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/converters/avro"
	"github.com/streamlane/connect/converters/jsonschema"
	"github.com/streamlane/connect/converters/protobuf"
	"github.com/streamlane/connect/data"
)

// TestNormalize: normalize.schemas goes to the registry with each schema that it is
// to find or to register.
func TestNormalize(t *testing.T) {
	for name, plugin := range registryPlugins() {
		for _, key := range []string{"", "true", "false"} {
			r := fake(t)
			var asked []string
			r.Intercept(func(_ http.ResponseWriter, req *http.Request) bool {
				if req.Method == http.MethodPost {
					asked = append(asked, req.URL.Path+" "+req.URL.Query().Get("normalize"))
				}
				return false
			})
			props := config.Props{}
			want := ""
			if key != "" {
				props["normalize.schemas"] = key
			}
			if key == "true" {
				want = key
			}
			for _, auto := range []string{"true", "false"} {
				c := converter(t, plugin, r.URL(), props.Merge(config.Props{"auto.register.schemas": auto}))
				_, err := encode(t, c, &connect.Wire{Topic: "t"}, rowOf(row, data.Int64(1)))
				require.NoError(t, err)
				require.NoError(t, closed(c))
			}
			assert.Equal(t, []string{"/subjects/t-value/versions " + want, "/subjects/t-value " + want}, asked, "%s %q", name, key)
		}
	}
}

// TestSubjectDeleted: who knows the id writes and reads on; who does not registers
// the schema anew, or is told that there is none.
func TestSubjectDeleted(t *testing.T) {
	for name, plugin := range registryPlugins() {
		t.Run(name, func(t *testing.T) {
			r := fake(t)
			w := &connect.Wire{Topic: "t"}
			d := rowOf(row, data.Int64(7), data.String("n"))
			made := func(props config.Props) connect.Converter {
				return converter(t, plugin, r.URL(), config.Props{"max.retries": "0", "latest.cache.ttl.sec": "0"}.Merge(props))
			}
			known := made(nil)
			before, err := encode(t, known, w, d)
			require.NoError(t, err)
			latest := made(config.Props{"auto.register.schemas": "false", "use.latest.version": "true", "latest.compatibility.strict": "false"})
			_, err = encode(t, latest, w, d)
			require.NoError(t, err)

			for _, query := range []string{"", "?permanent=true"} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, r.URL()+"/subjects/t-value"+query, http.NoBody)
				require.NoError(t, err)
				resp, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, http.StatusOK, resp.StatusCode)
			}
			require.False(t, r.SubjectExists("t-value"))

			after, err := encode(t, known, w, d)
			require.NoError(t, err)
			assert.Equal(t, before, after, "the id is known")
			got, err := known.Decode(t.Context(), w, before)
			require.NoError(t, err)
			assert.Contains(t, got.Value.String(), "id=7")
			_, err = encode(t, latest, w, d)
			assert.ErrorContains(t, err, `subject "t-value": there is no such subject`)
			assert.ErrorAs(t, err, new(*data.Error))

			require.NoError(t, closed(known))
			require.NoError(t, closed(latest))
			_, err = encode(t, made(config.Props{"auto.register.schemas": "false"}), w, d)
			assert.ErrorContains(t, err, "there is no such subject")
			_, err = encode(t, made(nil), w, d)
			require.NoError(t, err, "registered anew")
			assert.True(t, r.SubjectExists("t-value"))
		})
	}
}

// TestCacheBound: more schemas than schemas.cache.config go through in any order, and
// cost no more requests than there are schemas.
func TestCacheBound(t *testing.T) {
	for _, key := range []string{"schemas.cache.config", "schemas.cache.size"} {
		r := fake(t)
		n := requests(r)
		c := converter(t, avro.Plugin(), r.URL(), config.Props{key: "2", "value.subject.name.strategy": "RecordNameStrategy"})
		var rows []connect.Datum
		for i := range 5 {
			s := data.StructBuilder().Name(fmt.Sprint("shop.R", i)).Field("id", data.Int64Schema).MustBuild()
			rows = append(rows, rowOf(s, data.Int64(int64(i))))
		}
		for round := range 40 {
			d := rows[round*3%5]
			b, err := encode(t, c, &connect.Wire{Topic: "t"}, d)
			require.NoError(t, err)
			got, err := c.Decode(t.Context(), &connect.Wire{Topic: "t"}, b)
			require.NoError(t, err)
			assert.Equal(t, d.Value.String(), got.Value.String())
		}
		assert.EqualValues(t, 5*3, n.Load(), key)
	}
}

func registryPlugins() map[string]connect.Plugin {
	return map[string]connect.Plugin{"avro": avro.Plugin(), "jsonschema": jsonschema.Plugin(), "protobuf": protobuf.Plugin()}
}

func closed(c connect.Converter) error { return c.(io.Closer).Close() }
