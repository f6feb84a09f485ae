package kafka

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// resetKind says where a consumer starts that has no valid offset.
type resetKind uint8

const (
	resetEarliest resetKind = iota
	resetLatest
	resetNone
	resetAgo
)

// A reset is a decoded auto.offset.reset.
type reset struct {
	kind resetKind
	ago  time.Duration // of resetAgo
}

// parseReset reads auto.offset.reset (Java's AutoOffsetResetStrategy, KIP-1106).
// Case does not count.
func parseReset(text string) (reset, error) {
	switch lower := strings.ToLower(text); {
	case lower == "earliest":
		return reset{kind: resetEarliest}, nil
	case lower == "latest":
		return reset{kind: resetLatest}, nil
	case lower == "none":
		return reset{kind: resetNone}, nil
	case strings.HasPrefix(lower, "by_duration:"):
		ago, err := parseISODuration(text[len("by_duration:"):])
		if err != nil {
			return reset{}, err
		}
		return reset{kind: resetAgo, ago: ago}, nil
	}
	return reset{}, fmt.Errorf("unknown reset policy %q; allowed are earliest, latest, none and by_duration:<ISO 8601 duration>", text)
}

// isoDuration is what Java's Duration.parse accepts, without signs: a consumer
// cannot start in the future.
var isoDuration = regexp.MustCompile(`(?i)^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?$`)

func parseISODuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no ISO 8601 duration without sign, such as PT1H30M or P7D", text)
	m := isoDuration.FindStringSubmatch(text)
	if m == nil || strings.HasSuffix(strings.ToUpper(text), "T") || strings.EqualFold(text, "P") {
		return 0, bad
	}
	var total time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+1], 10, 64)
		if err != nil || n > int64((1<<63-1-total)/unit) {
			return 0, bad
		}
		total += time.Duration(n) * unit
	}
	if frac := m[5]; frac != "" {
		n, err := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
		if err != nil || time.Duration(n) > 1<<63-1-total {
			return 0, bad
		}
		total += time.Duration(n)
	}
	return total, nil
}
