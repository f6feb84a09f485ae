package transforms

import (
	"context"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/data"
)

// An ExtractTimestampConfig configures ExtractTimestamp.
type ExtractTimestampConfig struct {
	// Field is the path of the field with the timestamp.
	Field string

	unit unixPrecision
}

// Describe declares the keys of io.aiven.kafka.connect.transforms.ExtractTimestamp, which has those of
// com.github.jcustenborder.kafka.connect.transform.common.ExtractTimestamp.
func (c *ExtractTimestampConfig) Describe(d *config.Def) {
	config.String(d, &c.Field, "field.name").Importance(config.High).Check(config.NonEmpty()).
		Doc("Field with the timestamp: INT64 or a Date, Time or Timestamp. Dots lead into structs and maps.")
	config.EnumFold(d, &c.unit, "timestamp.resolution", inMillis, inSeconds).Default(inMillis).Doc("Unit of a number.")
}

// extractTimestamp is ExtractTimestamp.
type extractTimestamp struct {
	side    side
	unit    unixPrecision
	locator *locator
}

func newExtractTimestamp(c ExtractTimestampConfig, s side) (*extractTimestamp, error) {
	return &extractTimestamp{side: s, unit: c.unit, locator: newLocator(c.Field)}, nil
}

// Apply sets the timestamp of the record. A field that is missing or null is an error.
func (t *extractTimestamp) Apply(_ context.Context, r *connect.Record) (bool, error) {
	field, there, err := t.locator.find(*t.side.of(r))
	name := t.locator.path.text
	switch {
	case err != nil:
		return false, err
	case !there || field.Value.IsNull():
		return false, dataError("%s field must be present and its value can't be null", name)
	}
	if ms, ok := field.Value.Millis(); ok {
		r.Timestamp = time.UnixMilli(ms)
		return true, nil
	}
	n, _ := field.Value.Int()
	if field.Value.Kind() != data.KindInt64 {
		return false, dataError("%s field must be INT64 or org.apache.kafka.connect.data.Timestamp: found %s", name, field.Value.Kind())
	}
	r.Timestamp = time.UnixMilli(t.unit.toMillis(n))
	return true, nil
}
