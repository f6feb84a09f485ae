package framework

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// VersionRange is a range of plugin versions in Maven's notation (KIP-891):
// [1.0,2.0), (,3.0], [1.5], several of them separated by commas. A bare version
// means that version alone; "" and latest mean any.
type VersionRange struct {
	parts []interval
}

type interval struct {
	low, high         string // "": open
	lowOpen, highOpen bool   // bound itself excluded
}

// ParseVersionRange reads a range.
func ParseVersionRange(text string) (VersionRange, error) {
	rest := strings.TrimSpace(text)
	if rest == "" || rest == "latest" {
		return VersionRange{}, nil
	}
	if !strings.ContainsAny(rest[:1], "[(") {
		if strings.ContainsAny(rest, "[](),") {
			return VersionRange{}, fmt.Errorf("Invalid version specification: %s", text)
		}
		return VersionRange{[]interval{{low: rest, high: rest}}}, nil
	}
	var r VersionRange
	for rest != "" {
		end := strings.IndexAny(rest, "])")
		if !strings.ContainsAny(rest[:1], "[(") || end < 0 {
			return VersionRange{}, fmt.Errorf("Invalid version specification: %s", text)
		}
		part, ok := parseInterval(rest[0], rest[1:end], rest[end])
		if !ok {
			return VersionRange{}, fmt.Errorf("Invalid version specification: %s", text)
		}
		r.parts = append(r.parts, part)
		rest = strings.TrimLeft(rest[end+1:], ", ")
	}
	return r, nil
}

func parseInterval(open byte, inner string, shut byte) (interval, bool) {
	if strings.ContainsAny(inner, "[(") {
		return interval{}, false
	}
	low, high, ranged := strings.Cut(inner, ",")
	low, high = strings.TrimSpace(low), strings.TrimSpace(high)
	if !ranged {
		return interval{low: low, high: low}, low != "" && open == '[' && shut == ']'
	}
	if strings.Contains(high, ",") || low != "" && high != "" && CompareVersions(low, high) > 0 {
		return interval{}, false
	}
	return interval{low, high, open == '(', shut == ')'}, true
}

// Contains tells whether a version lies in the range.
func (r VersionRange) Contains(version string) bool {
	if len(r.parts) == 0 {
		return true
	}
	for _, p := range r.parts {
		if p.contains(version) {
			return true
		}
	}
	return false
}

func (p interval) contains(v string) bool {
	if p.low != "" {
		if c := CompareVersions(v, p.low); c < 0 || c == 0 && p.lowOpen {
			return false
		}
	}
	if p.high != "" {
		if c := CompareVersions(v, p.high); c > 0 || c == 0 && p.highOpen {
			return false
		}
	}
	return true
}

// String prints the range as Maven does.
func (r VersionRange) String() string {
	var b strings.Builder
	for i, p := range r.parts {
		if i > 0 {
			b.WriteByte(',')
		}
		open, shut := "[", "]"
		if p.lowOpen {
			open = "("
		}
		if p.highOpen {
			shut = ")"
		}
		b.WriteString(open + p.low + "," + p.high + shut)
	}
	return b.String()
}

// qualifiers before and after a release, in Maven's order; others come behind sp.
var qualifiers = map[string]int{"alpha": 1, "a": 1, "beta": 2, "b": 2, "milestone": 3, "m": 3, "rc": 4, "cr": 4, "snapshot": 5, "": 6, "ga": 6, "final": 6, "release": 6, "sp": 7}

// CompareVersions compares versions as Maven does: numbers by value, known
// qualifiers (alpha, beta, milestone, rc, snapshot) before the release, other
// text behind it, missing parts as zero. It returns -1, 0 or 1.
func CompareVersions(a, b string) int {
	x, y := versionParts(a), versionParts(b)
	for i := range max(len(x), len(y)) {
		if c := comparePart(part(x, i), part(y, i)); c != 0 {
			return c
		}
	}
	return 0
}

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// comparePart compares two parts; "" is one that is missing, worth 0 beside a
// number and a release beside a word.
func comparePart(a, b string) int {
	m, aNum := number(a)
	n, bNum := number(b)
	switch {
	case aNum && bNum:
		return cmp.Compare(m, n)
	case aNum:
		if b == "" {
			return cmp.Compare(m, 0)
		}
		return 1
	case bNum:
		if a == "" {
			return cmp.Compare(0, n)
		}
		return -1
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), unknownOrder(a, b))
}

func rank(q string) int {
	if r, ok := qualifiers[q]; ok {
		return r
	}
	return 8
}

func unknownOrder(a, b string) int {
	if rank(a) == 8 && rank(b) == 8 {
		return cmp.Compare(a, b)
	}
	return 0
}

func number(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// versionParts parts at dots, dashes and between digits and letters.
func versionParts(v string) []string {
	var parts []string
	start := 0
	lower := strings.ToLower(v)
	for i := 0; i <= len(lower); i++ {
		atEnd := i == len(lower)
		if atEnd || lower[i] == '.' || lower[i] == '-' || lower[i] == '_' || lower[i] == '+' {
			if i > start {
				parts = append(parts, lower[start:i])
			}
			start = i + 1
			continue
		}
		if i > start && unicode.IsDigit(rune(lower[i])) != unicode.IsDigit(rune(lower[i-1])) {
			parts = append(parts, lower[start:i])
			start = i
		}
	}
	return parts
}
