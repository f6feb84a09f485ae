package expression

import (
	"fmt"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/streamlane/connect/data"
)

// A fieldType is the type of a field that an expression makes.
type fieldType string

const (
	autoType      fieldType = "auto"
	booleanType   fieldType = "boolean"
	int8Type      fieldType = "int8"
	int16Type     fieldType = "int16"
	int32Type     fieldType = "int32"
	int64Type     fieldType = "int64"
	float32Type   fieldType = "float32"
	float64Type   fieldType = "float64"
	stringType    fieldType = "string"
	bytesType     fieldType = "bytes"
	timestampType fieldType = "timestamp"
)

var fieldTypes = []fieldType{autoType, booleanType, int8Type, int16Type, int32Type, int64Type, float32Type, float64Type, stringType, bytesType, timestampType}

// schemas of the types. A field is optional, for an expression may give null.
var schemas = map[fieldType]*data.Schema{
	booleanType: data.OptionalBooleanSchema, int8Type: data.OptionalInt8Schema, int16Type: data.OptionalInt16Schema, int32Type: data.OptionalInt32Schema,
	int64Type: data.OptionalInt64Schema, float32Type: data.OptionalFloat32Schema, float64Type: data.OptionalFloat64Schema,
	stringType: data.OptionalStringSchema, bytesType: data.OptionalBytesSchema, timestampType: data.OptionalTimestampSchema,
}

// celTypes are what an expression for a type has to give.
var celTypes = map[fieldType]*cel.Type{
	booleanType: cel.BoolType, int8Type: cel.IntType, int16Type: cel.IntType, int32Type: cel.IntType, int64Type: cel.IntType,
	float32Type: cel.DoubleType, float64Type: cel.DoubleType, stringType: cel.StringType, bytesType: cel.BytesType, timestampType: cel.TimestampType,
}

// typeOf finds the type of a field: the one configured, or what the expression is known to give.
func typeOf(checked *cel.Ast, want fieldType) (fieldType, error) {
	got := checked.OutputType()
	if want == autoType {
		for _, t := range []fieldType{booleanType, int64Type, float64Type, stringType, bytesType, timestampType} {
			if got.IsExactType(celTypes[t]) {
				return t, nil
			}
		}
		return "", fmt.Errorf("the type of the result is known only when there is a record (%s): it has to be configured", got)
	}
	if !got.IsExactType(celTypes[want]) && !got.IsExactType(cel.DynType) && !got.IsExactType(cel.NullType) {
		return "", fmt.Errorf("the expression gives %s, that is no %s", got, want)
	}
	return want, nil
}

var limitsOf = map[fieldType][2]int64{
	int8Type: {math.MinInt8, math.MaxInt8}, int16Type: {math.MinInt16, math.MaxInt16}, int32Type: {math.MinInt32, math.MaxInt32}, int64Type: {math.MinInt64, math.MaxInt64},
}

// resultAs turns what an expression gave into a value of a type.
func resultAs(out ref.Val, t fieldType) (data.Value, error) {
	switch v := out.(type) {
	case types.Null:
		return data.Value{}, nil
	case types.Bool:
		if t == booleanType {
			return data.Boolean(bool(v)), nil
		}
	case types.Int:
		if r, ok := limitsOf[t]; ok {
			return integerOf(int64(v), t, r)
		}
	case types.Double:
		switch t {
		case float64Type:
			return data.Float64(float64(v)), nil
		case float32Type:
			return data.Float32(float32(v)), nil
		}
	case types.String:
		if t == stringType {
			return data.String(string(v)), nil
		}
	case types.Bytes:
		if t == bytesType {
			return data.Bytes(append([]byte{}, v...)), nil
		}
	case types.Timestamp:
		if t == timestampType {
			return data.DateMillis(v.UnixMilli()), nil
		}
	}
	return data.Value{}, fmt.Errorf("it gave %s, want %s", out.Type().TypeName(), t)
}

func integerOf(n int64, t fieldType, r [2]int64) (data.Value, error) {
	if n < r[0] || n > r[1] {
		return data.Value{}, fmt.Errorf("%d is out of the range of %s", n, t)
	}
	switch t {
	case int8Type:
		return data.Int8(int8(n)), nil
	case int16Type:
		return data.Int16(int16(n)), nil
	case int32Type:
		return data.Int32(int32(n)), nil
	}
	return data.Int64(n), nil
}
