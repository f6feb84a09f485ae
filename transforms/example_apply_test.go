package transforms_test

import (
	"context"
	"fmt"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
	"github.com/streamlane/connect/transforms"
)

// A transform outside of a Runtime, chosen by the Java class that a configuration names.
func Example() {
	plugins := make(map[string]connect.Plugin)
	for _, p := range transforms.All() {
		for _, java := range p.Info().StandsFor {
			plugins[java.Class] = p
		}
	}
	flatten, err := plugins["org.apache.kafka.connect.transforms.Flatten$Value"].NewTransform(config.Props{"delimiter": "_"})
	if err != nil {
		fmt.Println(err)
		return
	}
	address := data.MapOf(data.Pair{Key: data.String("city"), Value: data.String("Bern")}, data.Pair{Key: data.String("zip"), Value: data.Int32(3000)})
	r := connect.Record{Topic: "customers", Value: connect.Datum{Value: data.MapOf(data.Pair{Key: data.String("address"), Value: address})}}
	keep, err := flatten.Apply(context.Background(), &r)
	fmt.Println(keep, err, r.Value.Value)
	// Output: true <nil> {address_city=Bern, address_zip=3000}
}
