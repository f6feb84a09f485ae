package objectstore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/data"
)

// A partitioner says which folder below the topic's a record belongs to: its encoded partition. It also returns the
// record's time, if it has looked at it.
type partitioner func(r *connect.SinkRecord, at time.Time) (string, error)

// newPartitioner makes the partitioner of a configuration that was checked.
func newPartitioner(c *Config) (partitioner, error) {
	p, err := basePartitioner(c)
	if err != nil {
		return nil, err
	}
	return withSchemaName(p, c.SchemaAffix, c.DirectoryDelim), nil
}

func basePartitioner(c *Config) (partitioner, error) {
	switch c.Partitioner {
	case FieldPartitioner:
		return fieldPartitioner(c.PartitionFields, c.DirectoryDelim), nil
	case TimeBasedPartitioner, DailyPartitioner, HourlyPartitioner:
		return timePartitioner(c)
	case TemplatePartitioner:
		t, err := parseTemplate(c.PartitionTemplate, c.Timezone)
		if err != nil {
			return nil, err
		}
		return t.folder, nil
	}
	return func(r *connect.SinkRecord, _ time.Time) (string, error) {
		return "partition=" + strconv.Itoa(int(r.Origin.Partition)), nil
	}, nil
}

// fieldPartitioner makes name=value of each field.
func fieldPartitioner(fields []string, delim string) partitioner {
	return func(r *connect.SinkRecord, _ time.Time) (string, error) {
		parts := make([]string, len(fields))
		for i, name := range fields {
			v, err := fieldOf(r.Value, name)
			if err != nil {
				return "", fmt.Errorf("partition.field.name: %w", err)
			}
			text, err := partitionText(v)
			if err != nil {
				return "", fmt.Errorf("partition.field.name %q: %w", name, err)
			}
			parts[i] = name + "=" + text
		}
		return strings.Join(parts, delim), nil
	}
}

// partitionText prints a value for the name of a folder.
func partitionText(v data.Value) (string, error) {
	switch v.Kind() {
	case data.KindInt8, data.KindInt16, data.KindInt32, data.KindInt64, data.KindBoolean, data.KindString, data.KindDecimal:
		return v.String(), nil
	case data.KindDate:
		ms, _ := v.Millis()
		return strconv.FormatInt(ms, 10), nil
	}
	if v.IsNull() {
		return "", fmt.Errorf("it is null")
	}
	return "", fmt.Errorf("it is a %v: want a number, text or boolean", v.Kind())
}

// timePartitioner prints the time of a record, cut to partition.duration.ms of local time.
func timePartitioner(c *Config) (partitioner, error) {
	format, duration := c.PathFormat, c.PartitionDuration
	delim := c.DirectoryDelim
	switch c.Partitioner {
	case DailyPartitioner:
		format, duration = "'year'=YYYY"+delim+"'month'=MM"+delim+"'day'=dd", 24*time.Hour
	case HourlyPartitioner:
		format, duration = "'year'=YYYY"+delim+"'month'=MM"+delim+"'day'=dd"+delim+"'hour'=HH", time.Hour
	}
	p, err := parsePattern(format)
	if err != nil {
		return nil, err
	}
	loc, err := location(c.Timezone)
	if err != nil {
		return nil, err
	}
	return func(_ *connect.SinkRecord, at time.Time) (string, error) {
		return p.format(cut(at.In(loc), duration)), nil
	}, nil
}

// Affix says where the name of the value's schema stands in the folder (s3.schema.partition.affix.type).
type Affix string

// The affixes.
const (
	NoAffix     Affix = "NONE"
	PrefixAffix Affix = "PREFIX"
	SuffixAffix Affix = "SUFFIX"
)

func withSchemaName(p partitioner, a Affix, delim string) partitioner {
	if a != PrefixAffix && a != SuffixAffix {
		return p
	}
	return func(r *connect.SinkRecord, at time.Time) (string, error) {
		folder, err := p(r, at)
		if err != nil {
			return "", err
		}
		name := "schema_name=null"
		if s := r.Value.Schema; s != nil {
			name = "schema_name=" + s.Name()
			if s.Name() == "" {
				name = "schema_name=" + strings.ToLower(s.Kind().String())
			}
		}
		if a == PrefixAffix {
			return name + delim + folder, nil
		}
		return folder + delim + name, nil
	}
}
