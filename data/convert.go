package data

// Convert brings a value to the kind of the target schema, as Kafka Connect's Values.convertTo does. The source schema says what kind of
// date a date is; it may be nil.
//
// Numbers go from kind to kind by truncation and wrapping, text counts as a decimal number; BOOLEAN is whether a number is not 0, or the
// text true or false; dates become numbers in the unit of their schema and numbers dates in the unit of the target; text becomes an ARRAY,
// MAP or date by way of [Parse]; anything becomes a STRING by way of [Format]; a STRUCT only comes from a STRUCT. The elements of
// containers are not converted. Null needs an optional target. What can not be converted is an [*Error].
func Convert(source *Schema, v Value, target *Schema) (Value, error) {
	if target == nil {
		return v, nil
	}
	if v.IsNull() {
		if target.Optional() {
			return v, nil
		}
		return Value{}, dataError("Unable to convert a null value to a schema that requires a value")
	}
	switch target.Name() {
	case LogicalDecimal:
		return convertToDecimal(v, target)
	case LogicalDate, LogicalTime, LogicalTimestamp:
		if target.Kind() == baseKind(target.Name()) {
			return convertToTemporal(source, v, target)
		}
	}
	switch target.Kind() {
	case KindInt8, KindInt16, KindInt32, KindInt64, KindFloat32, KindFloat64:
		return convertToNumber(source, v, target)
	case KindBoolean:
		return convertToBoolean(source, v)
	case KindString:
		if v.Kind() == KindString {
			return v, nil
		}
		return String(Format(v)), nil
	case KindBytes:
		return convertToBytes(v, target)
	default:
		return convertToContainer(v, target)
	}
}

// inconvertible says that a value can not become what is wanted.
func inconvertible(v Value, to string, cause error) error {
	return &Error{Message: "Unable to convert " + short(v.String()) + " (" + v.Kind().String() + ") to " + to, Err: cause}
}

func convertToNumber(source *Schema, v Value, target *Schema) (Value, error) {
	k := target.Kind()
	if v.Kind() == k {
		return v, nil
	}
	if k.isInteger() {
		n, err := toInt64(source, v)
		return promote(Int64(n), k), err
	}
	f, err := toFloat64(source, v)
	return promote(Float64(f), k), err
}

// toInt64 returns a value as Java's asLong does.
func toInt64(source *Schema, v Value) (int64, error) {
	if n, ok := v.Int(); ok {
		return n, nil
	}
	if f, ok := v.Float(); ok {
		return truncated(f), nil
	}
	if d, ok := v.Decimal(); ok {
		return d.Truncated(), nil
	}
	var cause error
	if s, ok := v.Str(); ok {
		d, err := ParseDecimal(s)
		if err == nil {
			return d.Truncated(), nil
		}
		cause = err
	}
	if source == nil {
		return 0, inconvertible(v, "a number", cause)
	}
	if v.Kind() == KindDate && isTemporal(source) {
		base, err := FromLogical(source, v)
		n, _ := base.Int()
		return n, err
	}
	return 0, inconvertible(v, "a number from "+source.String(), cause)
}

// toFloat64 returns a value as Java's asDouble does.
func toFloat64(source *Schema, v Value) (float64, error) {
	if f, ok := v.Float(); ok {
		return f, nil
	}
	if d, ok := v.Decimal(); ok {
		return d.Float64(), nil
	}
	if s, ok := v.Str(); ok {
		if d, err := ParseDecimal(s); err == nil {
			return d.Float64(), nil
		}
	}
	n, err := toInt64(source, v)
	return float64(n), err
}

func convertToBoolean(source *Schema, v Value) (Value, error) {
	if v.Kind() == KindBoolean {
		return v, nil
	}
	if s, ok := v.Str(); ok {
		if _, parsed := Parse(s); parsed.Kind() == KindBoolean {
			return parsed, nil
		}
	}
	n, err := toInt64(source, v)
	if err != nil {
		return Value{}, err
	}
	return Boolean(n != 0), nil
}

// convertToDecimal takes a decimal as it is, whatever its scale, and floats by their text, as Java does.
func convertToDecimal(v Value, target *Schema) (Value, error) {
	switch v.Kind() {
	case KindDecimal:
		return v, nil
	case KindBytes:
		return decimalFromBytes(target, v)
	case KindString:
		s, _ := v.Str()
		d, err := ParseDecimal(s)
		if err != nil {
			return Value{}, inconvertible(v, target.String(), err)
		}
		return DecimalOf(d), nil
	case KindInt8, KindInt16, KindInt32, KindInt64, KindFloat32, KindFloat64:
		f, err := toFloat64(nil, v)
		if err != nil {
			return Value{}, err
		}
		d, err := DecimalOfFloat64(f)
		if err != nil {
			return Value{}, inconvertible(v, target.String(), err)
		}
		return DecimalOf(d), nil
	default:
		return Value{}, inconvertible(v, target.String(), nil)
	}
}

func convertToBytes(v Value, target *Schema) (Value, error) {
	switch v.Kind() {
	case KindBytes:
		return v, nil
	case KindDecimal:
		return FromLogical(target, v) // an error: the schema is not a decimal's
	default:
		return Value{}, inconvertible(v, target.String(), nil)
	}
}

// convertToTemporal brings a value to a Date, Time or Timestamp.
func convertToTemporal(source *Schema, v Value, target *Schema) (Value, error) {
	if s, ok := v.Str(); ok {
		if _, v = Parse(s); v.IsNull() {
			return Value{}, inconvertible(v, target.String(), nil)
		}
	}
	if ms, ok := v.Millis(); ok {
		if source == nil || source.Name() == target.Name() {
			return v, nil
		}
		switch converted := between(source, target); converted {
		case toDay:
			return DateMillis(ms / millisPerDay * millisPerDay), nil
		case toTimeOfDay:
			return DateMillis(ms - floorDiv(ms, millisPerDay)*millisPerDay), nil
		case toInstant:
			_, err := FromLogical(source, v) // checks only: the instant is the same
			return v, err
		}
	}
	n, err := toInt64(source, v)
	if err != nil {
		return Value{}, err
	}
	switch target.Name() {
	case LogicalDate:
		return DateMillis(int64(int32(n)) * millisPerDay), nil
	case LogicalTime:
		return timeOfDay(int32(n))
	default:
		return DateMillis(n), nil
	}
}

// conversion is a way from one temporal logical type to another.
type conversion uint8

const (
	byNumber    conversion = iota // none: the number that stands for the one is read as the other
	toDay                         // the day of a timestamp, cut off towards 1970
	toTimeOfDay                   // the time of a timestamp
	toInstant                     // the same instant
)

func between(source, target *Schema) conversion {
	switch from, to := source.Name(), target.Name(); {
	case from == LogicalTimestamp && to == LogicalDate:
		return toDay
	case from == LogicalTimestamp && to == LogicalTime:
		return toTimeOfDay
	case to == LogicalTimestamp && (from == LogicalDate || from == LogicalTime):
		return toInstant
	default:
		return byNumber
	}
}

// convertToContainer takes an ARRAY, MAP or STRUCT as it is, and text as what it stands for.
func convertToContainer(v Value, target *Schema) (Value, error) {
	converted := v
	if s, ok := v.Str(); ok && target.Kind() != KindStruct {
		_, converted = Parse(s)
	}
	if converted.Kind() != target.Kind() {
		return Value{}, inconvertible(converted, target.String(), nil)
	}
	return converted, nil
}
