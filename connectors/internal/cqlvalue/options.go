package cqlvalue

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Options are the settings of a topic's codecs: how texts are read as numbers,
// dates and times. The zero value of each field is the default of the DataStax
// connector.
type Options struct {
	// Locale says how numbers and names of months and days are written, as
	// language_COUNTRY; "" is en_US. English ones are supported.
	Locale string
	// TimeZone is the zone of texts without one, and that in which instants
	// become dates and times: a name of the IANA database, UTC, or an offset
	// such as +01:00; "" is UTC.
	TimeZone string
	// Timestamp, Date and Time are the patterns of texts for columns of
	// these types: one of Java's DateTimeFormatter, the name of one of its
	// constants, CQL_TIMESTAMP, or UNITS_SINCE_EPOCH. "" is CQL_TIMESTAMP,
	// ISO_LOCAL_DATE and ISO_LOCAL_TIME.
	Timestamp, Date, Time string
	// Unit is that of numbers which stand for instants, a name of Java's
	// TimeUnit; "" is MILLISECONDS.
	Unit string
	// AllowMissingFields lets values of user-defined types lack fields, which
	// are null then, and tuples be short. Without it they are refused.
	AllowMissingFields bool
	// AllowExtraFields lets values of user-defined types have fields, and
	// tuples elements, that the type has not, which are dropped. Without it they
	// are refused.
	AllowExtraFields bool
}

// Validate returns an error that names each option that is wrong by its
// setting, such as codec.timeZone, with what was found and what is allowed.
func (o Options) Validate() error {
	_, err := o.compile()
	return err
}

const (
	cqlTimestampName = "CQL_TIMESTAMP"
	unitsName        = "UNITS_SINCE_EPOCH"
)

// settings are options made ready. They are not changed once made.
type settings struct {
	zone *time.Location
	unit Unit
	// The layouts; nil for UNITS_SINCE_EPOCH.
	timestamp, date, time       *layout
	allowMissing, allowAddition bool
}

func (o Options) compile() (*settings, error) {
	s := &settings{zone: time.UTC, unit: Milliseconds, allowMissing: o.AllowMissingFields, allowAddition: o.AllowExtraFields}
	known := &zoneCache{}
	var mistakes []error
	set := func(name string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("codec.%s: %w", name, err))
		}
	}
	if language, _, _ := strings.Cut(o.Locale, "_"); o.Locale != "" && language != "en" {
		set("locale", fmt.Errorf("%q was found, and only English is supported, such as en_US or en", o.Locale))
	}
	var err error
	if o.TimeZone != "" {
		s.zone, err = loadZone(o.TimeZone, known)
		set("timeZone", err)
	}
	if o.Unit != "" {
		s.unit, err = ParseUnit(o.Unit)
		set("unit", err)
	}
	s.timestamp, err = compileOption(o.Timestamp, cqlTimestampName, known)
	set("timestamp", err)
	s.date, err = compileOption(o.Date, "ISO_LOCAL_DATE", known)
	set("date", err)
	s.time, err = compileOption(o.Time, "ISO_LOCAL_TIME", known)
	set("time", err)
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return s, nil
}

// compileOption returns the layout of a pattern, nil for numbers.
func compileOption(pattern, usual string, known *zoneCache) (*layout, error) {
	if pattern == "" {
		pattern = usual
	}
	switch pattern {
	case cqlTimestampName:
		return cqlTimestamp(known), nil
	case unitsName:
		return nil, nil
	}
	return compileLayout(pattern, known)
}

// loadZone returns the zone of an id, as Java's ZoneId.of.
func loadZone(id string, known *zoneCache) (*time.Location, error) {
	var p parsed
	if end := (zoneID{known: known}).read(id, 0, &p); end != len(id) {
		return nil, fmt.Errorf("%q is no time zone; a name of the IANA database such as Europe/Paris, UTC, or an offset such as +01:00 is allowed", id)
	}
	switch {
	case p.zone != nil:
		return p.zone, nil
	case p.offset == 0:
		return time.UTC, nil
	}
	return time.FixedZone(id, p.offset), nil
}

// A Unit is one of Java's TimeUnit.
type Unit uint8

// The units, in Java's order. The zero Unit is nanoseconds.
const (
	Nanoseconds Unit = iota
	Microseconds
	Milliseconds
	Seconds
	Minutes
	Hours
	Days
)

var unitNames = []string{"NANOSECONDS", "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"}

// unitNanos is the length of each unit.
var unitNanos = [...]int64{1, 1e3, 1e6, 1e9, 60e9, 3600e9, 86400e9}

// ParseUnit reads the name of a unit, in capitals as Java has it: SECONDS.
func ParseUnit(name string) (Unit, error) {
	if i := slices.Index(unitNames, name); i >= 0 {
		return Unit(i), nil
	}
	return 0, fmt.Errorf("%q is no unit of time; allowed are %s", name, strings.Join(unitNames, ", "))
}

// String returns Java's name of the unit.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return fmt.Sprintf("Unit(%d)", uint8(u))
}

// ToSeconds returns n units as whole seconds, cut off towards zero; what 64 bits
// do not hold is the largest or smallest number that they do: Java's
// TimeUnit.toSeconds.
func (u Unit) ToSeconds(n int64) int64 { return u.to(n, Seconds) }

// ToMicros returns n units as whole microseconds, as ToSeconds does.
func (u Unit) ToMicros(n int64) int64 { return u.to(n, Microseconds) }

func (u Unit) to(n int64, target Unit) int64 {
	from, to := unitNanos[u], unitNanos[target]
	if from <= to {
		return n / (to / from)
	}
	product, ok := multiply(n, from/to)
	switch {
	case ok:
		return product
	case n > 0:
		return math.MaxInt64
	}
	return math.MinInt64
}

// multiply returns a product of a number and a positive one, and whether 64 bits
// hold it.
func multiply(n, by int64) (int64, bool) {
	if n > math.MaxInt64/by || n < math.MinInt64/by {
		return 0, false
	}
	return n * by, true
}

// instant returns the seconds and nanoseconds since 1970 of a number of units.
func (u Unit) instant(n int64) (seconds, nanos int64, err error) {
	length := unitNanos[u]
	if length >= nanosPerSecond {
		seconds, ok := multiply(n, length/nanosPerSecond)
		if !ok {
			return 0, 0, fmt.Errorf("%d %s are beyond what instants may be", n, u)
		}
		return seconds, 0, nil
	}
	perSecond := nanosPerSecond / length
	seconds = floorDiv(n, perSecond)
	return seconds, (n - seconds*perSecond) * length, nil
}

// since returns the units since 1970 of an instant, finer parts cut off, and
// whether 64 bits hold them.
func (u Unit) since(seconds, nanos int64) (int64, bool) {
	length := unitNanos[u]
	if length >= nanosPerSecond {
		return seconds / (length / nanosPerSecond), true
	}
	perSecond, part := nanosPerSecond/length, nanos/length
	if seconds < 0 && part > 0 { // the product alone might be too small
		seconds, part = seconds+1, part-perSecond
	}
	n, ok := multiply(seconds, perSecond)
	if !ok || part > 0 && n > math.MaxInt64-part || part < 0 && n < math.MinInt64-part {
		return 0, false
	}
	return n + part, true
}
