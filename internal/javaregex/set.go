package javaregex

import (
	"slices"
	"sync"
	"unicode"
)

// A set is a set of code points: sorted ranges that neither touch nor overlap, low and high in turn.
type set struct {
	ranges []rune
	ascii  [2]uint64 // the same for the first 128
}

// newSet makes a set of ranges in any order.
func newSet(ranges ...rune) *set {
	type span struct{ low, high rune }
	spans := make([]span, 0, len(ranges)/2)
	for i := 0; i+1 < len(ranges); i += 2 {
		spans = append(spans, span{ranges[i], ranges[i+1]})
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.low - b.low) })
	s := &set{}
	for _, p := range spans {
		if n := len(s.ranges); n > 0 && p.low <= s.ranges[n-1]+1 {
			s.ranges[n-1] = max(s.ranges[n-1], p.high)
			continue
		}
		s.ranges = append(s.ranges, p.low, p.high)
	}
	for r := range rune(128) {
		if s.search(r) {
			s.ascii[r/64] |= 1 << (r % 64)
		}
	}
	return s
}

// ofTables makes a set of Unicode tables.
func ofTables(tables ...*unicode.RangeTable) *set {
	var ranges []rune
	add := func(low, high, stride rune) {
		if stride == 1 {
			ranges = append(ranges, low, high)
			return
		}
		for r := low; r <= high; r += stride {
			ranges = append(ranges, r, r)
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return newSet(ranges...)
}

// search looks a code point up in the ranges.
func (s *set) search(r rune) bool {
	low, high := 0, len(s.ranges)/2
	for low < high {
		mid := (low + high) / 2
		switch {
		case r < s.ranges[2*mid]:
			high = mid
		case r > s.ranges[2*mid+1]:
			low = mid + 1
		default:
			return true
		}
	}
	return false
}

// has reports whether r is in the set.
func (s *set) has(r rune) bool {
	if r >= 0 && r < 128 {
		return s.ascii[r/64]&(1<<(r%64)) != 0
	}
	return s.search(r)
}

func (s *set) union(o *set) *set { return newSet(slices.Concat(s.ranges, o.ranges)...) }

func (s *set) negate() *set {
	var ranges []rune
	next := rune(0)
	for i := 0; i < len(s.ranges); i += 2 {
		if s.ranges[i] > next {
			ranges = append(ranges, next, s.ranges[i]-1)
		}
		next = s.ranges[i+1] + 1
	}
	if next <= unicode.MaxRune {
		ranges = append(ranges, next, unicode.MaxRune)
	}
	return newSet(ranges...)
}

func (s *set) intersect(o *set) *set { return s.negate().union(o.negate()).negate() }

// cased are the code points that have another case, in Java's way: by going to upper case and on to lower case.
var cased = sync.OnceValue(func() []rune {
	var all []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.ToUpper(r) != r || unicode.ToLower(r) != r {
			all = append(all, r)
		}
	}
	return all
})

// foldKey is what two code points have in common that differ in case only.
func foldKey(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// folded is a range with the characters that differ from one in it by case. Only ASCII has cases, unless the flag u is set.
func folded(low, high rune, unicodeCase bool) *set {
	ranges := []rune{low, high}
	in := func(r rune) bool { return r >= low && r <= high }
	if !unicodeCase {
		for r := rune('a'); r <= 'z'; r++ {
			if upper := r - 'a' + 'A'; in(r) || in(upper) {
				ranges = append(ranges, r, r, upper, upper)
			}
		}
		return newSet(ranges...)
	}
	for _, r := range cased() {
		if up := unicode.ToUpper(r); in(up) || in(unicode.ToLower(up)) || low == high && foldKey(r) == foldKey(low) {
			ranges = append(ranges, r, r)
		}
	}
	return newSet(ranges...)
}

// The sets that have letters of their own. Without the flag U they are of ASCII.
var (
	digits     = newSet('0', '9')
	spaces     = newSet('\t', '\r', ' ', ' ')
	words      = newSet('0', '9', 'A', 'Z', '_', '_', 'a', 'z')
	horizontal = newSet(' ', ' ', '\t', '\t', 0xA0, 0xA0, 0x1680, 0x1680, 0x180e, 0x180e, 0x2000, 0x200a, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000)
	vertical   = newSet('\n', '\r', 0x85, 0x85, 0x2028, 0x2029)
	lineEnds   = newSet('\n', '\n', '\r', '\r', 0x85, 0x85, 0x2028, 0x2029)
	newline    = newSet('\n', '\n')
	everything = newSet(0, unicode.MaxRune)
)
