package cqlvalue

import (
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect/internal/javadate"
)

// amount says whether a part of an offset is there.
type amount uint8

const (
	never amount = iota
	mayBe
	always
)

// offset is a distance from UTC, such as +02:00.
type offset struct {
	minutes, seconds amount
	colon            bool
	zero             string // the text of no distance, such as Z; "" for none
	prefix           string // GMT, in front of localized offsets
	shortHour        bool   // the hour may have one digit
	lenient          bool   // the colon may be there or not
}

func (e offset) read(text string, at int, p *parsed) int {
	if e.prefix != "" {
		if !hasPrefixFold(text[at:], e.prefix) {
			return -1
		}
		at += len(e.prefix)
	}
	if at < len(text) && (text[at] == '+' || text[at] == '-') {
		if seconds, end := e.distance(text, at+1); end >= 0 {
			if text[at] == '-' {
				seconds = -seconds
			}
			p.setOffset(seconds)
			return end
		}
	}
	if e.prefix != "" || e.zero != "" && hasPrefixFold(text[at:], e.zero) {
		p.setOffset(0)
		return at + len(e.zero)
	}
	return -1
}

// distance reads hours, minutes and seconds behind a sign.
func (e offset) distance(text string, at int) (seconds, end int) {
	hours, at := twoDigits(text, at, e.shortHour)
	if at < 0 {
		return 0, -1
	}
	total, colon := hours*3600, e.colon
	if e.lenient {
		colon = at < len(text) && text[at] == ':'
	}
	for i, part := range []amount{e.minutes, e.seconds} {
		if part == never {
			break
		}
		next := at
		if colon {
			if next >= len(text) || text[next] != ':' {
				next = -1
			} else {
				next++
			}
		}
		n := 0
		if next >= 0 {
			n, next = twoDigits(text, next, false)
		}
		if next < 0 || n > 59 {
			if part == always {
				return 0, -1
			}
			break
		}
		at = next
		total += n * [2]int{60, 1}[i]
	}
	if total > 18*3600 {
		return 0, -1
	}
	return total, at
}

func twoDigits(text string, at int, one bool) (n, end int) {
	if at+2 <= len(text) && allDigits(text[at:at+2]) {
		return int(atoi(text[at : at+2])), at + 2
	}
	if one && at < len(text) && isDigit(text[at]) {
		return int(text[at] - '0'), at + 1
	}
	return 0, -1
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// anyOffset is an offset as zones have it: Z, +01:00 and so on.
var anyOffset = offset{minutes: mayBe, seconds: mayBe, colon: true, zero: "Z", shortHour: true}

// zoneID is the id of a zone: of the IANA database, an offset, or UTC, GMT or UT
// with or without an offset. With names it may be the name of a zone as well, such
// as CET or Pacific Standard Time.
type zoneID struct {
	names bool
	known *zoneCache
}

func (e zoneID) read(text string, at int, p *parsed) int {
	if at >= len(text) {
		return -1
	}
	if c := text[at]; c == '+' || c == '-' {
		return anyOffset.read(text, at, p)
	}
	end := at
	for end < len(text) && zoneByte(text[end], e.names) {
		end++
	}
	name := text[at:end]
	for _, utc := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(name, utc); ok && (rest == "" || rest[0] == '+' || rest[0] == '-') {
			p.setOffset(0)
			if rest == "" {
				return end
			}
			signed := anyOffset
			signed.zero = ""
			return signed.read(text, at+len(utc), p)
		}
	}
	if name == "Z" {
		p.setOffset(0)
		return end
	}
	id := name
	if region, ok := american[strings.ToUpper(name)]; ok && e.names {
		id = region
	}
	if zone := e.known.load(id); zone != nil {
		p.zone = zone
		return end
	}
	if !e.names || name == "" {
		return -1
	}
	p.zoneName = name
	return end
}

// american are names of which some are ids as well, of zones without daylight
// saving. As names they stand for the zone of the place, whose time at the moment
// counts: EST is New York's also in summer, as Java has it.
var american = map[string]string{
	"EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago", "MST": "America/Denver",
	"MDT": "America/Denver", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "AKST": "America/Anchorage", "AKDT": "America/Anchorage",
	"HST": "Pacific/Honolulu",
}

// zoneByte reports whether a character may be in the id of a zone or, with names,
// in its name.
func zoneByte(c byte, names bool) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("/_+-:~.", c) >= 0 || names && c == ' '
}

// zoneCache keeps zones that were loaded. Only those that there are get in, so it
// does not grow beyond the database.
type zoneCache struct{ zones sync.Map }

func (c *zoneCache) load(name string) *time.Location {
	if zone, ok := c.zones.Load(name); ok {
		return zone.(*time.Location)
	}
	// Java has no zone Local, and none by the empty name.
	if name == "" || name == "Local" || len(name) > 64 {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	c.zones.Store(name, zone)
	return zone
}

// namedOffset returns the offset, in seconds, that a name of a zone such as CEST
// stands for on a day.
func namedOffset(name string, day int64, second int64) (int, bool) {
	y, m, d := civil(day)
	if y < 1600 || y > 9999 { // before, the calendar of javadate is another
		y, m, d = 1970, 1, 1
	}
	f, err := javadate.Compile("yyyy-MM-dd HH:mm:ss z'|'", time.Unix(0, 0))
	if err != nil {
		return 0, false
	}
	wall := time.Date(int(y), time.Month(m), int(d), 0, 0, int(second), 0, time.UTC)
	ms, err := f.Parse(wall.Format("2006-01-02 15:04:05 ") + name + "|")
	if err != nil {
		return 0, false
	}
	return int(wall.Unix() - ms/1000), true
}
