package javaregex

// A node is a part of a pattern's tree: one of the types below.
type node any

type (
	// sequence matches its parts in a row. An empty one matches the empty text.
	sequence []node
	// choice matches the first of its parts with which the rest matches, too.
	choice []node
	// group captures what its body matches, under a number from 1.
	group struct {
		index int
		body  node
	}
	// repeat matches its body from min to max times; max -1 is no end.
	repeat struct {
		body     node
		min, max int
		mode     mode
	}
	// backReference matches what a group has captured.
	backReference struct {
		index                int
		fold, unicodeFolding bool
	}
	// assertion matches no text, at some places.
	assertion struct {
		kind assertionKind
		// unixLines tells of the flag d, unicodeWords of U.
		unixLines, unicodeWords bool
	}
	// look matches no text, where its body matches (or does not) ahead or behind.
	look struct {
		body             node
		behind, negative bool
		min, max         int // characters that the body takes, for looking behind
	}
	// atomic matches its body without giving back.
	atomic struct{ body node }
)

// A set is a node, too: it matches one character.

// A mode is how a repetition goes about its choice.
type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

type assertionKind uint8

const (
	textStart       assertionKind = iota // ^ without the flag m, \A
	matchStart                           // \G
	textEnd                              // \z
	lastLineEnd                          // $ without the flag m, \Z
	lineStart                            // ^ with it
	lineEnd                              // $ with it
	wordBoundary                         // \b
	notWordBoundary                      // \B
)

// lineBreak is \R.
func lineBreak() node {
	return choice{sequence{newSet('\r', '\r'), newSet('\n', '\n')}, vertical}
}

// noEnd is the length of what has no longest match.
const noEnd = -1

// length returns the least and the most characters that a node matches, noEnd for no limit.
func length(n node) (least, most int) {
	switch n := n.(type) {
	case *set:
		return 1, 1
	case sequence:
		for _, part := range n {
			l, m := length(part)
			least, most = least+l, sum(most, m)
		}
	case choice:
		least, most = length(n[0])
		for _, part := range n[1:] {
			l, m := length(part)
			least, most = min(least, l), larger(most, m)
		}
	case group:
		return length(n.body)
	case atomic:
		return length(n.body)
	case repeat:
		l, m := length(n.body)
		if n.max == noEnd || m == noEnd {
			return l * n.min, noEnd
		}
		return l * n.min, m * n.max
	case backReference:
		return 0, noEnd
	}
	return least, most
}

func sum(a, b int) int {
	if a == noEnd || b == noEnd {
		return noEnd
	}
	return a + b
}

func larger(a, b int) int {
	if a == noEnd || b == noEnd {
		return noEnd
	}
	return max(a, b)
}
