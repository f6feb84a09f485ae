package objectstore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
)

// Partitioner names a way to divide records among folders (partitioner.class).
type Partitioner string

// The partitioners, by the simple names of Confluent's classes; TemplatePartitioner is ours.
const (
	DefaultPartitioner   Partitioner = "DefaultPartitioner"
	FieldPartitioner     Partitioner = "FieldPartitioner"
	TimeBasedPartitioner Partitioner = "TimeBasedPartitioner"
	DailyPartitioner     Partitioner = "DailyPartitioner"
	HourlyPartitioner    Partitioner = "HourlyPartitioner"
	TemplatePartitioner  Partitioner = "TemplatePartitioner"
)

var partitioners = []Partitioner{DefaultPartitioner, FieldPartitioner, TimeBasedPartitioner, DailyPartitioner, HourlyPartitioner, TemplatePartitioner}

const partitionerPackage = "io.confluent.connect.storage.partitioner."

// findPartitioner knows the names that partitioner.class may have.
func findPartitioner(name string) (string, bool) {
	simple := strings.TrimPrefix(name, partitionerPackage)
	for _, p := range partitioners {
		if simple == string(p) || simple+"Partitioner" == string(p) {
			return string(p), true
		}
	}
	return "", false
}

// NullBehavior says what becomes of records whose value is null (behavior.on.null.values).
type NullBehavior string

// The behaviours.
const (
	FailOnNull NullBehavior = "fail"
	IgnoreNull NullBehavior = "ignore"
	WriteNull  NullBehavior = "write"
)

// ForeignObjects says what becomes of an object that has the key of a file to be written, and was not written by the same
// connector (foreign.objects).
type ForeignObjects string

// The choices.
const (
	// FailOnForeign fails the task.
	FailOnForeign ForeignObjects = "fail"
	// ReplaceForeign replaces it, as Confluent's connector does.
	ReplaceForeign ForeignObjects = "replace"
	// AdoptForeign takes one that holds its offsets for what it says it is: a connector was renamed.
	AdoptForeign ForeignObjects = "adopt"
)

// A Config configures the engine, by the keys of Confluent's storage sinks where they have one.
type Config struct {
	TopicsDir      string
	DirectoryDelim string
	FileDelim      string
	PadWidth       int
	// FileTemplate, if not empty, is a template of whole keys without extension, in place of the folders and names above.
	FileTemplate string

	// FileMissing, if not empty, is what FileTemplate has for a field that is missing or null. Then a key that is null is refused.
	FileMissing string

	FlushSize               int   // records; 0: no limit
	FileRecords             int   // of one file, at which all files of its Kafka partition end; 0: no limit
	FlushBytes              int64 // of one file; 0: no limit
	RotateInterval          time.Duration
	ScheduleInterval        time.Duration
	OpenInterval            time.Duration // by the wall clock
	IdleInterval            time.Duration
	RotateOnPartitionChange bool
	MaxOpenFiles            int // 0 or less: no limit
	Compatibility           Compatibility
	Partitioner             Partitioner
	PartitionFields         []string
	PartitionDuration       time.Duration
	PathFormat              string
	PartitionTemplate       string
	Locale                  string
	Timezone                string
	Extractor               Extractor
	TimestampField          string
	SchemaAffix             Affix
	NullValues              NullBehavior
	ReportNulls             bool
	TombstonePartition      string
	StoreKeys               bool
	StoreHeaders            bool
	Memory                  int64
	TempDir                 string
	Uploads                 int
	RetryBackoff            time.Duration
	Foreign                 ForeignObjects
}

// Describe declares the keys. flush.size is left to the connector, whose default it is.
func (c *Config) Describe(d *config.Def) {
	c.describeNames(d)
	c.describeRotation(d)
	c.describePartitioner(d)
	c.describeContent(d)
	c.DescribeResources(d)
}

func (c *Config) describeNames(d *config.Def) {
	config.String(d, &c.TopicsDir, "topics.dir").Default("topics").Importance(config.High).
		Doc("Folder below which the folders of topics are.")
	config.String(d, &c.DirectoryDelim, "directory.delim").Default("/").Importance(config.Medium).Check(config.NonEmpty()).
		Doc("Text between folders.")
	config.String(d, &c.FileDelim, "file.delim").Default("+").Importance(config.Medium).
		Doc("Text between topic, partition and offset in the names of files.")
	config.Int(d, &c.PadWidth, "filename.offset.zero.pad.width").Default(10).Check(config.Between(0, 50)).
		Doc("Number of digits that the offset in a file's name has at least; zeros are put before it.")
}

func (c *Config) describeRotation(d *config.Def) {
	const never = " -1: never."
	config.Size(d, &c.FlushBytes, "flush.bytes").Default(0).Check(config.AtLeast[int64](0)).Importance(config.Medium).
		Doc("Number of bytes of a file, as far as they are encoded, at which all files of its Kafka partition end. 0: no limit.")
	config.Millis(d, &c.RotateInterval, "rotate.interval.ms").Default(-time.Millisecond).Importance(config.High).
		Doc("Time between the first record of the open files of a Kafka partition and the one that ends them, by the time that " +
			"timestamp.extractor gives records." + never)
	config.Millis(d, &c.ScheduleInterval, "rotate.schedule.interval.ms").Default(-time.Millisecond).Importance(config.Medium).
		Doc("Files end whenever so much time is over since midnight in the time zone of the key timezone, by the wall clock." + never)
	config.Millis(d, &c.OpenInterval, "rotate.open.interval.ms").Default(-time.Millisecond).Importance(config.Medium).
		Doc("Time by the wall clock after which files end, from the first record of the open files of a Kafka partition on." + never)
	config.Millis(d, &c.IdleInterval, "rotate.idle.interval.ms").Default(-time.Millisecond).Importance(config.Medium).
		Doc("Time without a record, by the wall clock, after which the open files of a Kafka partition end." + never)
	config.Bool(d, &c.RotateOnPartitionChange, "rotate.file.on.partition.change").Default(true).
		Doc("Whether, with rotate.interval.ms and a partitioner by time, a record of another folder ends the open files.")
	config.Int(d, &c.MaxOpenFiles, "partitioner.max.open.files").Default(-1).
		Doc("Number of files that may be open per Kafka partition; one more ends them. -1: no limit.")
	config.EnumFold(d, &c.Compatibility, "schema.compatibility", NoCompatibility, Backward, Forward, Full, BackwardTransitive, ForwardTransitive, FullTransitive).
		Default(NoCompatibility).Importance(config.High).
		Doc("Which records may share a file. NONE: those of one schema. BACKWARD and FULL: older records are brought into the newer " +
			"schema, a newer record ends the files. FORWARD: the other way round. All but NONE need schemas with versions.")
}

func (c *Config) describePartitioner(d *config.Def) {
	config.ClassOf(d, (*string)(&c.Partitioner), "partitioner.class", findPartitioner).Default(string(DefaultPartitioner)).Importance(config.High).
		Recommend(func() []string {
			names := make([]string, len(partitioners))
			for i, p := range partitioners {
				names[i] = string(p)
			}
			return names
		}).
		Doc("How records are divided among folders: DefaultPartitioner by the partition of Kafka, FieldPartitioner by fields of the value, " +
			"TimeBasedPartitioner, DailyPartitioner and HourlyPartitioner by time, TemplatePartitioner by a template. The names of " +
			"Confluent's classes are understood, too.")
	config.List(d, &c.PartitionFields, "partition.field.name").Optional().Importance(config.Medium).
		Doc("Fields of the value for FieldPartitioner. A field within a struct is named by its path, with dots.")
	config.Millis(d, &c.PartitionDuration, "partition.duration.ms").Default(-time.Millisecond).Importance(config.Medium).
		Doc("Time that a folder of TimeBasedPartitioner stands for.")
	config.String(d, &c.PathFormat, "path.format").Optional().Importance(config.Medium).
		Doc("Folders of TimeBasedPartitioner, as a pattern of Joda-Time: 'year'=YYYY/'month'=MM/'day'=dd.")
	config.String(d, &c.PartitionTemplate, "partition.template").Optional().Importance(config.Medium).
		Doc("Folders of TemplatePartitioner: text with {{partition}}, {{key}}, {{timestamp:PATTERN}} (Joda-Time), {{value:PATH}}, {{header:NAME}}.")
	config.String(d, &c.Locale, "locale").Optional().Importance(config.Medium).
		Doc("Language of names in path.format. English ones are supported, such as en-US.")
	config.String(d, &c.Timezone, "timezone").Optional().Importance(config.Medium).
		Doc("Time zone of folders and of rotate.schedule.interval.ms, such as Europe/Berlin. UTC if there is none.")
	config.ClassOf(d, (*string)(&c.Extractor), "timestamp.extractor", findExtractor).Default(string(Wallclock)).Importance(config.Medium).
		Doc("Time of a record: Wallclock, Record (its timestamp in Kafka) or RecordField. With Wallclock, records that were written " +
			"and not committed before a crash may be written again to another folder.")
	config.String(d, &c.TimestampField, "timestamp.field").Default("timestamp").Importance(config.Medium).
		Doc("Field of the value that RecordField takes: a timestamp, milliseconds, or text in ISO 8601. A path, with dots.")
	config.EnumFold(d, &c.SchemaAffix, "s3.schema.partition.affix.type", NoAffix, PrefixAffix, SuffixAffix).Default(NoAffix).
		Doc("Whether the folder schema_name=NAME of the value's schema is put before (PREFIX) or after (SUFFIX) the others.")
}

func findExtractor(name string) (string, bool) {
	simple := strings.TrimSuffix(strings.TrimPrefix(name, partitionerPackage+"TimeBasedPartitioner$"), "TimestampExtractor")
	for _, e := range []Extractor{Wallclock, RecordTime, RecordField} {
		if simple == string(e) {
			return simple, true
		}
	}
	return "", false
}

func (c *Config) describeContent(d *config.Def) {
	config.EnumFold(d, &c.NullValues, "behavior.on.null.values", FailOnNull, IgnoreNull, WriteNull).Default(FailOnNull).
		Doc("What becomes of records without a value: fail refuses them, ignore passes over them, write stores their keys in a folder of its own.")
	config.Bool(d, &c.ReportNulls, "report.null.values.to.dlq").Default(true).
		Doc("Whether records that behavior.on.null.values=ignore passes over are reported as errors.tolerance and the dead letter queue say; " +
			"with errors.tolerance=none they are not.")
	config.String(d, &c.TombstonePartition, "tombstone.encoded.partition").Default("tombstone").Check(config.NonEmpty()).
		Doc("Folder for the keys of records without a value.")
	config.Bool(d, &c.StoreKeys, "store.kafka.keys").Default(false).
		Doc("Whether the keys of records are stored, in files beside those of the values.")
	config.Bool(d, &c.StoreHeaders, "store.kafka.headers").Default(false).
		Doc("Whether the headers of records are stored, in files beside those of the values.")
	c.DescribeForeign(d)
}

// DescribeForeign declares foreign.objects, for connectors with other keys than these.
func (c *Config) DescribeForeign(d *config.Def) {
	config.EnumFold(d, &c.Foreign, "foreign.objects", FailOnForeign, ReplaceForeign, AdoptForeign).Default(FailOnForeign).
		Doc("What becomes of an object that has the name of a file to be written and that this connector did not write. fail: the task fails. " +
			"replace: it is replaced, which is what Confluent's connector does. adopt: if it was written by this connector " +
			"under another name, the records in it count as written.")
}

// DescribeResources declares the keys of memory and uploads, for connectors with other keys than these.
func (c *Config) DescribeResources(d *config.Def) {
	config.Size(d, &c.Memory, "memory.bytes").Default(64 << 20).Check(config.AtLeast[int64](1 << 20)).Importance(config.Medium).
		Doc("Bytes of memory for the files of one task, however many are open. What is more goes to a temporary file.")
	config.String(d, &c.TempDir, "temp.dir").Optional().
		Doc("Folder for temporary files; that of the system if there is none.")
	config.Int(d, &c.Uploads, "uploads").Default(4).Check(config.Between(1, 64)).
		Doc("Number of files that one task stores at the same time.")
	config.Millis(d, &c.RetryBackoff, "retry.backoff.ms").Default(5 * time.Second).Check(config.AtLeast[time.Duration](0)).
		Doc("Pause before storing a file is tried again, after an error that may pass; it doubles each time, up to a minute. Meanwhile no more records are read.")
}

// Check checks what no single key can say.
func (c *Config) Check() error {
	return errors.Join(c.checkPartitioner(), c.checkTimes(), c.checkContent())
}

func keyError(key, value, format string, args ...any) error {
	return &config.KeyError{Key: key, Value: value, Err: fmt.Errorf(format, args...)}
}

func (c *Config) checkPartitioner() error {
	switch c.Partitioner {
	case FieldPartitioner:
		if len(c.PartitionFields) == 0 {
			return keyError("partition.field.name", "", "is needed for FieldPartitioner")
		}
	case TimeBasedPartitioner:
		var errs []error
		if c.PartitionDuration <= 0 {
			errs = append(errs, keyError("partition.duration.ms", fmt.Sprint(c.PartitionDuration.Milliseconds()), "must be more than 0 for TimeBasedPartitioner"))
		}
		if _, err := parsePattern(c.PathFormat); err != nil {
			errs = append(errs, keyError("path.format", c.PathFormat, "is needed for TimeBasedPartitioner: %w", err))
		}
		return errors.Join(errs...)
	case TemplatePartitioner:
		t, err := parseTemplate(c.PartitionTemplate, "")
		if err != nil {
			return keyError("partition.template", c.PartitionTemplate, "is needed for TemplatePartitioner: %w", err)
		}
		if t.has("start_offset") || t.has("topic") {
			return keyError("partition.template", c.PartitionTemplate, "must not have {{topic}} or {{start_offset}}: the topic's folder is before it, the offset in the file's name")
		}
	}
	return nil
}

func (c *Config) checkTimes() error {
	var errs []error
	if _, err := location(c.Timezone); err != nil {
		errs = append(errs, keyError("timezone", c.Timezone, "%w", err))
	}
	if p, err := parsePattern(c.PathFormat); err == nil && p.text && c.Locale != "" && !strings.HasPrefix(strings.ToLower(c.Locale), "en") {
		errs = append(errs, keyError("locale", c.Locale, "path.format has names in it, of which only English ones are supported"))
	}
	if c.Extractor == RecordField && c.TimestampField == "" {
		errs = append(errs, keyError("timestamp.field", "", "is needed for timestamp.extractor=RecordField"))
	}
	return errors.Join(errs...)
}

func (c *Config) checkContent() error {
	if c.NullValues == WriteNull && !c.StoreKeys {
		return keyError("behavior.on.null.values", string(c.NullValues), "write needs store.kafka.keys=true, for there is nothing but the key")
	}
	return nil
}
