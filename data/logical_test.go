package data_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

const day = 24 * 60 * 60 * 1000

// TestLogical goes both ways between the values of logical types and their encodings.
func TestLogical(t *testing.T) {
	for name, c := range map[string]struct {
		schema        *data.Schema
		logical, base data.Value
	}{
		"decimal":           {data.DecimalSchema(2), data.DecimalOf(mustDecimal(t, "1.56")), data.Bytes([]byte{0x00, 0x9c})},
		"negative decimal":  {data.DecimalSchema(2), data.DecimalOf(mustDecimal(t, "-1.56")), data.Bytes([]byte{0xff, 0x64})},
		"negative scale":    {data.DecimalSchema(-2), data.DecimalOf(mustDecimal(t, "5E+2")), data.Bytes([]byte{5})},
		"date":              {data.DateSchema, data.DateMillis(19782 * day), data.Int32(19782)},
		"date before 1970":  {data.OptionalDateSchema, data.DateMillis(-day), data.Int32(-1)},
		"midnight":          {data.TimeSchema, data.DateMillis(0), data.Int32(0)},
		"midnight, the end": {data.TimeSchema, data.DateMillis(day), data.Int32(day)},
		"timestamp":         {data.TimestampSchema, data.DateMillis(math.MinInt64), data.Int64(math.MinInt64)},
		"null":              {data.OptionalTimestampSchema, data.Value{}, data.Value{}},
		"null decimal":      {data.OptionalDecimalSchema(2), data.Value{}, data.Value{}},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := data.FromLogical(c.schema, c.logical)
			require.NoError(t, err)
			assertSame(t, c.base, base)
			logical, err := data.ToLogical(c.schema, c.base)
			require.NoError(t, err)
			assertSame(t, c.logical, logical)
		})
	}
}

func TestFromLogicalRefuses(t *testing.T) {
	noScale := data.NewBuilder(data.KindBytes).Name(data.LogicalDecimal).MustBuild()
	badScale := data.NewBuilder(data.KindBytes).Name(data.LogicalDecimal).Parameter(data.DecimalScale, "two").MustBuild()
	dec := data.DecimalOf(mustDecimal(t, "1.5"))
	for gist, c := range map[string]struct {
		schema *data.Schema
		v      data.Value
	}{
		"value has scale 1, schema has scale 2":           {data.DecimalSchema(2), dec},
		"scale parameter not found":                       {noScale, dec},
		`Invalid scale parameter found in Decimal schema`: {badScale, dec},
		"is a DECIMAL, found INT8":                        {data.DecimalSchema(2), data.Int8(1)},
		"the schema does not match: found Schema{INT32}":  {data.Int32Schema, data.DateMillis(0)},
		"the schema does not match: found null":           {nil, data.DateMillis(0)},
		"is a DATE, found INT32":                          {data.DateSchema, data.Int32(1)},
		"should not have any time fields":                 {data.DateSchema, data.DateMillis(day + 1)},
		"32 bits for its days":                            {data.DateSchema, data.DateMillis((math.MaxInt32 + 1) * day)},
		"should not have any date fields":                 {data.TimeSchema, data.DateMillis(day + 1)},
		"found -1 ms":                                     {data.TimeSchema, data.DateMillis(-1)},
	} {
		t.Run(gist, func(t *testing.T) {
			_, err := data.FromLogical(c.schema, c.v)
			require.ErrorContains(t, err, gist)
		})
	}
}

func TestToLogicalRefuses(t *testing.T) {
	for gist, c := range map[string]struct {
		schema *data.Schema
		v      data.Value
	}{
		"is encoded as BYTES, found DECIMAL":             {data.DecimalSchema(1), data.DecimalOf(mustDecimal(t, "1.5"))},
		"at least one byte":                              {data.DecimalSchema(1), data.Bytes([]byte{})},
		"the schema does not match: found Schema{BYTES}": {data.BytesSchema, data.Bytes([]byte{1})},
		"is encoded as INT32, found INT64":               {data.DateSchema, data.Int64(1)},
		"is encoded as INT64, found INT32":               {data.TimestampSchema, data.Int32(1)},
		"is encoded as INT32, found STRING":              {data.TimeSchema, data.String("12")},
		"less than 86400000, found 86400001":             {data.TimeSchema, data.Int32(day + 1)},
		"less than 86400000, found -1":                   {data.TimeSchema, data.Int32(-1)},
	} {
		t.Run(gist, func(t *testing.T) {
			_, err := data.ToLogical(c.schema, c.v)
			require.ErrorContains(t, err, gist)
		})
	}
}
