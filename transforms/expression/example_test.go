package expression_test

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/transforms/expression"
)

// A filter by an expression, and what is said of a wrong one before anything runs.
func Example() {
	for _, p := range expression.All() {
		if p.Info().Class != "ExpressionFilter" {
			continue
		}
		_, err := p.NewTransform(config.Props{"condition": "topic > 5"})
		fmt.Println(err != nil)
		large, err := p.NewTransform(config.Props{"condition": "value.total > 100.0 && value.city in ['Bern', 'Thun']"})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, total := range []float64{120, 80} {
			r := connect.Record{Topic: "orders", Value: connect.Datum{Value: data.MapOf(
				data.Pair{Key: data.String("city"), Value: data.String("Bern")}, data.Pair{Key: data.String("total"), Value: data.Float64(total)})}}
			keep, err := large.Apply(context.Background(), &r)
			fmt.Println(total, keep, err)
		}
	}
	// Output:
	// true
	// 120 true <nil>
	// 80 false <nil>
}
