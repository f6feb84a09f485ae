//go:build integration

package cassandra

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// Tuples, user-defined types and vectors go through statements and batches as
// wholes, null as well; an empty text is not null.
func TestTypesWithinTypes(t *testing.T) {
	p := newPlace(t)
	p.run(t, "CREATE TYPE %s.place (street text, at frozen<tuple<double, double>>)")
	p.run(t, "CREATE TABLE %s.w (k text, n int, pair tuple<int, text>, home place, near vector<frozen<tuple<int, int>>, 2>, name text, PRIMARY KEY (k, n))")
	mapping := "k=key, n=value.n, pair=value.pair, home=value.home, near=value.near, name=value.a.name"
	h := p.sink(t, config.Props{p.table("w") + "mapping": mapping, p.table("w") + "nullToUnset": "false"})
	h.Produce(
		rec("a", object("n", 1, "pair", data.ArrayOf(data.Int64(1), data.Value{}), "home", object("street", "s", "at", data.ArrayOf(data.Float64(0.5), data.Int64(2))),
			"near", `[[1,2],[3,4]]`, "a", object("name", ""))),
		rec("a", `{"n": 2, "pair": null, "home": ["s", [1, null]], "near": null, "a": {"name": "x"}}`),
		rec("a", object("n", 3, "pair", nil, "home", nil, "near", nil, "a", object("name", "y"))),
	)
	h.Flush()
	assert.Equal(t, []string{
		`{"n": 1, "pair": [1, null], "home": {"street": "s", "at": [0.5, 2.0]}, "near": [[1, 2], [3, 4]], "name": ""}`,
		`{"n": 2, "pair": null, "home": {"street": "s", "at": [1.0, null]}, "near": null, "name": "x"}`,
		`{"n": 3, "pair": null, "home": null, "near": null, "name": "y"}`,
	}, p.rows(t, "SELECT JSON n, pair, home, near, name FROM %s.w WHERE k = 'a'"))
}
