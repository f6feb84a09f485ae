package config

import (
	"slices"
	"strings"
)

// UnknownKey is a key that nobody declares, with the declared key that is
// nearest to it; Nearest is "" where none is near.
type UnknownKey struct {
	Key, Nearest string
}

// Unknown lists the keys of p that none of the describers declares and that lie
// below no Map of theirs, in alphabetical order. They are no error in Kafka
// Connect; the list is meant for one warning. p is decoded into the describers,
// for their dynamic keys.
func Unknown(p Props, describers ...Describer) []UnknownKey {
	names := map[string]int{}
	var prefixes []string
	for _, d := range describers {
		s := run(p, p, d)
		for _, k := range s.keys {
			names[k.base().name] = 1
		}
		for _, m := range s.maps {
			prefixes = append(prefixes, m.prefix)
		}
	}
	var unknown []UnknownKey
	for _, key := range p.Keys() {
		below := slices.ContainsFunc(prefixes, func(pre string) bool { return strings.HasPrefix(key, pre) })
		if names[key] == 0 && !below {
			unknown = append(unknown, UnknownKey{key, nearest(key, names)})
		}
	}
	return unknown
}

// IgnoredKey is a key in use that has no effect, or is deprecated.
type IgnoredKey struct {
	Key, Reason string
	Deprecated  bool
}

// Ignored lists the keys of p that are declared as ignored or deprecated, in the
// order of declaration: the list is meant for one warning. p is decoded into the
// describers.
func Ignored(p Props, describers ...Describer) []IgnoredKey {
	var out []IgnoredKey
	for _, d := range describers {
		for _, k := range run(p, p, d).keys {
			b := k.base()
			if _, used := p.Get(b.name); !used {
				continue
			}
			if b.ignored != "" {
				out = append(out, IgnoredKey{b.name, b.ignored, false})
			} else if b.deprecated != "" {
				out = append(out, IgnoredKey{b.name, b.deprecated, true})
			}
		}
	}
	return out
}

// nearest returns the name with the smallest edit distance to key, if that is at
// most a third of its length.
func nearest(key string, names map[string]int) string {
	best, distance := "", len(key)/3+1
	for name := range names {
		d := editDistance(strings.ToLower(key), strings.ToLower(name), distance)
		if d < distance || d == distance && best != "" && name < best {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace, or swap with their
// neighbours, to make b of a; more than limit is as good as limit+1.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
