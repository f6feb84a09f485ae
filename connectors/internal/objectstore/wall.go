package objectstore

import "time"

// cut rounds a time to a whole number of durations of its local time since 1970, towards 1970, as Confluent's partitioner does.
func cut(t time.Time, d time.Duration) time.Time {
	step := d.Milliseconds()
	if step <= 0 {
		return t
	}
	_, offset := t.Zone()
	local := t.UnixMilli() + int64(offset)*1000
	return atWall(time.UnixMilli(local-local%step), t.Location())
}

// startOfDay returns when the day of a time begins, or one so many days later: at midnight, or behind it where the clock is put forward then.
func startOfDay(t time.Time, later int) time.Time {
	year, month, day := t.Date()
	return atWall(time.Date(year, month, day+later, 0, 0, 0, 0, time.UTC), t.Location())
}

// atWall returns when clocks of a zone show what wall shows in UTC. Of two times it is the first; if they never do, it is as long after the
// change of the clocks as it would have been without one. (time.Date does either, depending on the zone.)
func atWall(wall time.Time, loc *time.Location) time.Time {
	const day = 24 * time.Hour // more than any zone is off UTC
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(loc).Zone()
		return time.Duration(seconds) * time.Second
	}
	before, after := offset(wall.Add(-day)), offset(wall.Add(day))
	early, late := wall.Add(-before), wall.Add(-after)
	if offset(early) != before && offset(late) == after {
		early = late
	}
	return early.In(loc)
}
