package rest

import (
	"mime"
	"strconv"
	"strings"
)

// accepted returns the first of the offered media types that is most welcome by
// Accept headers, or "" if none is. No header welcomes all; what is no media
// type counts for nothing.
func accepted(headers []string, offers ...string) string {
	if len(headers) == 0 || strings.TrimSpace(strings.Join(headers, "")) == "" {
		return offers[0]
	}
	best, most := "", 0.0
	for _, offer := range offers {
		if q := welcome(headers, offer); q > most {
			best, most = offer, q
		}
	}
	return best
}

// welcome returns the quality that headers give to a media type, by the most
// specific range that covers it.
func welcome(headers []string, offer string) (quality float64) {
	specific := -1
	for item := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		kind, params, err := mime.ParseMediaType(item)
		if err != nil || !strings.Contains(kind, "/") {
			continue
		}
		s := covers(kind, offer)
		if s <= specific {
			continue
		}
		specific, quality = s, 1
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			quality = q
		}
	}
	return quality
}

// covers returns how specific a media range is that covers a type; -1 if it does
// not.
func covers(kind, offer string) int {
	major, _, _ := strings.Cut(offer, "/")
	switch kind {
	case offer:
		return 2
	case major + "/*":
		return 1
	case "*/*":
		return 0
	}
	return -1
}
