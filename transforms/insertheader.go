package transforms

import (
	"context"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// An InsertHeaderConfig configures InsertHeader.
type InsertHeaderConfig struct {
	// Header is the key of the header.
	Header string
	// Literal is the text of its value, whose schema is inferred as that of header texts is.
	Literal string
}

// Describe declares the keys of org.apache.kafka.connect.transforms.InsertHeader.
func (c *InsertHeaderConfig) Describe(d *config.Def) {
	config.String(d, &c.Header, "header").Importance(config.High).Check(config.NonEmpty()).
		Doc("Key of the header to add. Headers of that key that are there stay.")
	config.String(d, &c.Literal, "value.literal").Importance(config.High).
		Doc("Value of the header. Its schema is inferred: 1 is INT8, true BOOLEAN, 2024-01-31 a Date, [1,2] an ARRAY, other text a STRING.")
}

func insertHeaderPlugin() connect.Plugin {
	return connect.Transformer(info("InsertHeader", "Adds a header with a fixed value."), func(c InsertHeaderConfig) (*insertHeader, error) {
		schema, v := data.Parse(c.Literal)
		return &insertHeader{connect.Header{Key: c.Header, Datum: connect.Datum{Schema: schema, Value: v}}}, nil
	})
}

type insertHeader struct{ header connect.Header }

// Apply adds the header.
func (t *insertHeader) Apply(_ context.Context, r *connect.Record) (bool, error) {
	r.Headers = append(r.Headers, t.header)
	return true, nil
}
