package cqlvalue

import (
	"errors"
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
func (o Options) Validate() error { return errors.New("not yet") }

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

// ParseUnit reads the name of a unit, in capitals as Java has it: SECONDS.
func ParseUnit(name string) (Unit, error) { return 0, errors.New("not yet") }

// String returns Java's name of the unit.
func (u Unit) String() string { return "" }

// ToSeconds returns n units as whole seconds, cut off towards zero; what 64 bits
// do not hold is the largest or smallest number that they do: Java's
// TimeUnit.toSeconds.
func (u Unit) ToSeconds(n int64) int64 { return 0 }

// ToMicros returns n units as whole microseconds, as ToSeconds does.
func (u Unit) ToMicros(n int64) int64 { return 0 }
