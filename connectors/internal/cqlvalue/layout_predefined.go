package cqlvalue

// The parts that the constants of DateTimeFormatter are made of.
var (
	isoDate = []element{
		number{field: fieldYear, min: 4, max: 10, sign: signExceeds}, literal{text: "-"},
		number{field: fieldMonth, min: 2, max: 2}, literal{text: "-"},
		number{field: fieldDay, min: 2, max: 2},
	}
	isoTime = []element{
		number{field: fieldHour, min: 2, max: 2}, literal{text: ":"},
		number{field: fieldMinute, min: 2, max: 2},
		optional{literal{text: ":"}, number{field: fieldSecond, min: 2, max: 2}, optional{fraction{min: 0, max: 9, point: true}}},
	}
	isoOffset     = []element{offset{minutes: always, seconds: mayBe, colon: true, zero: "Z"}}
	lenientOffset = []element{offset{minutes: mayBe, seconds: mayBe, zero: "Z", shortHour: true, lenient: true}}
)

// join returns the elements of several parts.
func join(parts ...[]element) (all []element) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func text(s string) []element { return []element{literal{text: s, fold: true}} }

// predefined returns the elements of a constant of DateTimeFormatter.
func predefined(name string, known *zoneCache) ([]element, bool) {
	bracketed := optional(join(text("["), []element{zoneID{known: known}}, text("]")))
	switch name {
	case "ISO_LOCAL_DATE":
		return isoDate, true
	case "ISO_LOCAL_TIME":
		return isoTime, true
	case "ISO_LOCAL_DATE_TIME":
		return join(isoDate, text("T"), isoTime), true
	case "ISO_OFFSET_DATE":
		return join(isoDate, isoOffset), true
	case "ISO_OFFSET_TIME":
		return join(isoTime, isoOffset), true
	case "ISO_OFFSET_DATE_TIME":
		return join(isoDate, text("T"), isoTime, lenientOffset), true
	case "ISO_INSTANT":
		return join(isoDate, text("T"), isoTime, isoOffset), true
	case "ISO_ZONED_DATE_TIME":
		return join(isoDate, text("T"), isoTime, lenientOffset, []element{bracketed}), true
	case "ISO_DATE":
		return join(isoDate, []element{optional(isoOffset)}), true
	case "ISO_TIME":
		return join(isoTime, []element{optional(isoOffset)}), true
	case "ISO_DATE_TIME":
		return join(isoDate, text("T"), isoTime, []element{optional(append(join(isoOffset), bracketed))}), true
	case "BASIC_ISO_DATE":
		date := adjoin([]element{number{field: fieldYear, min: 4, max: 4}, number{field: fieldMonth, min: 2, max: 2},
			number{field: fieldDay, min: 2, max: 2}})
		return append(date, optional(lenientOffset)), true
	case "ISO_ORDINAL_DATE":
		return []element{number{field: fieldYear, min: 4, max: 10, sign: signExceeds}, literal{text: "-"},
			number{field: fieldDayOfYear, min: 3, max: 3}, optional(isoOffset)}, true
	case "RFC_1123_DATE_TIME":
		return join([]element{optional{word{fieldWeekday, weekdaysShort, 1}, literal{text: ", "}},
			number{field: fieldDay, min: 1, max: 2}, literal{text: " "}, word{fieldMonth, monthsShort, 1}, literal{text: " "},
			number{field: fieldYear, min: 4, max: 4}, literal{text: " "}}, isoTime[:3],
			[]element{optional{literal{text: ":"}, number{field: fieldSecond, min: 2, max: 2}}, literal{text: " "},
				offset{minutes: always, zero: "GMT"}}), true
	}
	return nil, false
}

// cqlTimestamp returns the layout that stands for the texts of timestamps that
// CQL knows: a date, a time behind a T or blank, a zone.
func cqlTimestamp(known *zoneCache) *layout {
	elements := join(isoDate, []element{
		optional(join([]element{optional{literal{text: "T"}}, optional{literal{text: " "}}}, isoTime)),
		optional{literal{text: " "}, zoneID{known: known, names: true}},
		optional{offset{minutes: always, colon: true, zero: "Z"}},
		optional{offset{minutes: mayBe, zero: "Z"}},
		midnight{},
	})
	return &layout{pattern: cqlTimestampName, elements: elements, strict: true}
}

// midnight is the hour of texts that have none.
type midnight struct{}

func (midnight) read(_ string, at int, p *parsed) int {
	if _, ok := p.get(fieldHour); !ok {
		p.set(fieldHour, 0)
	}
	return at
}
