package javadate

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"
)

// zoneTable has the names of zones that Java knows in English, in its order: name, identifier, what the name tells (standard time, daylight
// saving time, or either), present offset and saving in minutes.
//
//go:embed zones.tsv
var zoneTable string

// A zone is what a name stands for.
type zone struct {
	name, id string
	// kind is S for standard time, D for daylight saving time, E for either, whatever is in force at the time.
	kind           byte
	offsetMS, save int64
	location       func() *time.Location // nil if there is no database
}

var zones = sync.OnceValue(func() []*zone {
	var all []*zone
	locations := make(map[string]func() *time.Location)
	for line := range strings.Lines(zoneTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 {
			continue
		}
		offset, _ := strconv.ParseInt(f[3], 10, 64) // the table is ours
		save, _ := strconv.ParseInt(f[4], 10, 64)
		id := f[1]
		if locations[id] == nil {
			locations[id] = sync.OnceValue(func() *time.Location {
				l, err := time.LoadLocation(id)
				if err != nil {
					return nil
				}
				return l
			})
		}
		all = append(all, &zone{f[0], id, f[2][0], offset * 60_000, save * 60_000, locations[id]})
	}
	return all
})

// before1900 is where Java's tables of offsets begin. What was before counts with the present offset.
const before1900 = -2208988800000

// offsets returns the standard offset at a wall time, and the saving.
func (z *zone) offsets(wall int64) (standard, saving int64) {
	l := z.location()
	if l == nil || wall < before1900 {
		return z.offsetMS, 0
	}
	t := time.UnixMilli(wall).UTC()
	local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), l)
	_, seconds := local.Zone()
	standard = int64(seconds) * 1000
	if local.IsDST() {
		saving = standard - standardBeside(local)
	}
	return standard - saving, saving
}

// standardBeside returns the standard offset before a daylight saving time, or after it where there was another before.
func standardBeside(t time.Time) int64 {
	start, stop := t.ZoneBounds()
	beside := stop
	if before := start.Add(-time.Second); !start.IsZero() && !before.IsDST() || stop.IsZero() {
		beside = before
	}
	_, seconds := beside.Zone()
	return int64(seconds) * 1000
}

// zone reads an offset, GMT with an offset, or the name of a zone.
func (s *subparser) zone(at int) (int, bool) {
	if sign := signOf(s.text[at]); sign != 0 {
		return s.numericZone(at+1, sign, 0, false)
	}
	if hasFold(s.text[s.start:], "GMT") {
		at = s.start + len("GMT")
		if at < len(s.text) {
			if sign := signOf(s.text[at]); sign != 0 {
				return s.numericZone(at+1, sign, 0, true)
			}
		}
		s.setOffset(0)
		return at, true
	}
	for _, z := range zones() {
		if hasFold(s.text[at:], z.name) {
			s.p.setZone(z)
			return at + len(z.name), true
		}
	}
	return 0, false
}

func signOf(c byte) int64 {
	switch c {
	case '+':
		return 1
	case '-':
		return -1
	}
	return 0
}

// setZone sets the zone. A name for either of its times leaves it to the zone which one it is.
func (p *fields) setZone(z *zone) {
	p.zone = z
	switch z.kind {
	case 'S':
		p.stamp[zoneOffset] = 0
		p.set(dstOffset, 0)
	case 'D':
		p.stamp[zoneOffset] = 0
		p.set(dstOffset, z.save)
	}
}

func (s *subparser) setOffset(ms int64) {
	s.p.set(zoneOffset, ms)
	s.p.set(dstOffset, 0)
}

// isoZone reads Z, or an offset whose parts the number of letters X tells.
func (s *subparser) isoZone(at int) (int, bool) {
	if s.text[at] == 'Z' {
		s.setOffset(0)
		return at + 1, true
	}
	sign := signOf(s.text[at])
	if sign == 0 {
		return 0, false
	}
	return s.numericZone(at+1, sign, s.t.count, s.t.count == 3)
}

// numericZone reads hours and minutes, with or without a colon. With one, and outside of X, the hours may have a single digit.
func (s *subparser) numericZone(at int, sign int64, count int, colon bool) (int, bool) {
	hours, n := s.digits(at, 2)
	if n == 0 || n == 1 && (count > 0 || !colon) || hours > 23 {
		return 0, false
	}
	at += n
	minutes := int64(0)
	if count != 1 {
		if colon {
			if at >= len(s.text) || s.text[at] != ':' {
				return 0, false
			}
			at++
		}
		if minutes, n = s.digits(at, 2); n < 2 || minutes > 59 {
			return 0, false
		}
		at += n
	}
	s.setOffset(sign * (hours*60 + minutes) * 60_000)
	return at, true
}

// digits reads up to most digits of ASCII.
func (s *subparser) digits(at, most int) (n int64, length int) {
	for length < most && at+length < len(s.text) {
		c := s.text[at+length]
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
		length++
	}
	return n, length
}
