package httpkit

import (
	"context"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Backoff counts the attempts of one request. The zero Backoff is before the first.
type Backoff struct {
	failed int
	first  time.Time
}

// Next takes the error of an attempt and returns the pause before the next one, or false if there is none: the error stays, the attempts or the budget
// are used up. A pause that the server asked for is never cut short.
func (b *Backoff) Next(c RetryConfig, err error) (pause time.Duration, again bool) {
	if ClassOf(err) != Retry {
		return 0, false
	}
	now := time.Now()
	if b.failed++; b.failed == 1 {
		b.first = now
	}
	if b.failed >= c.Attempts {
		return 0, false
	}
	pause = c.First
	for i := 1; i < b.failed && pause < c.Max; i++ {
		pause *= 2
	}
	pause = min(pause, c.Max)
	pause -= time.Duration(rand.Int64N(int64(pause)/2 + 1))
	if e, ok := err.(*Error); ok && e.After > 0 { //nolint:errorlint // ClassOf found it
		pause = max(pause, e.After)
	}
	return pause, now.Add(pause).Sub(b.first) <= c.Budget
}

// A gate keeps requests to an origin back until the time that its responses named. The zero gate is open.
type gate struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// maxGates is how many origins are remembered before those that are open again are forgotten; next links may lead anywhere.
const maxGates = 100

// learn takes what a response says of rate limits.
func (g *gate) learn(origin string, res *Response) {
	now := time.Now()
	after, ok := holdBack(res.Status, res.Header, now)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	if len(g.until) >= maxGates {
		maps.DeleteFunc(g.until, func(_ string, t time.Time) bool { return !t.After(now) })
	}
	if t := now.Add(after); t.After(g.until[origin]) {
		g.until[origin] = t
	}
}

// pause is what is left of the time for which an origin is closed.
func (g *gate) pause(origin string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Until(g.until[origin]))
}

func (g *gate) wait(ctx context.Context, origin string) error {
	for {
		d := g.pause(origin)
		if d == 0 {
			return nil
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// holdBack returns the pause that a response asks for: by Retry-After (RFC 9110) where the request was turned away, by an exhausted RateLimit (the
// drafts of httpapi, old and new) or X-RateLimit in any case.
func holdBack(status int, h http.Header, now time.Time) (time.Duration, bool) {
	var pause time.Duration
	found := false
	take := func(d time.Duration, ok bool) {
		if ok && d > 0 {
			pause, found = max(pause, d), true
		}
	}
	if status >= 400 {
		take(retryAfter(h.Get("Retry-After"), now))
	}
	for _, names := range [][2]string{{"RateLimit-Remaining", "RateLimit-Reset"}, {"X-RateLimit-Remaining", "X-RateLimit-Reset"}, {"X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"}} {
		if remaining, ok := firstNumber(h.Get(names[0])); ok && remaining <= 0 {
			take(reset(h.Get(names[1]), now))
		}
	}
	for _, value := range h.Values("RateLimit") {
		take(rateLimit(value))
	}
	return pause, found
}

// retryAfter reads seconds or a date.
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false
	}
	if s, err := strconv.ParseInt(text, 10, 64); err == nil {
		return seconds(float64(s)), s >= 0
	}
	t, err := http.ParseTime(text)
	return t.Sub(now), err == nil
}

// maxPause keeps a header from stopping a connector for good.
const maxPause = 24 * time.Hour

func seconds(s float64) time.Duration {
	if s > maxPause.Seconds() {
		return maxPause
	}
	return time.Duration(s * float64(time.Second))
}

// epochSeconds tells times from pauses: nobody asks for a pause of sixteen years.
const epochSeconds = 5e8

// reset reads seconds from now, or since 1970 as GitHub and others write, milliseconds too.
func reset(text string, now time.Time) (time.Duration, bool) {
	n, ok := firstNumber(text)
	if !ok {
		return retryAfter(text, now)
	}
	if n > 1000*epochSeconds {
		n /= 1000
	}
	if n > epochSeconds {
		return min(time.Unix(0, int64(n*1e9)).Sub(now), maxPause), true
	}
	return seconds(n), true
}

// firstNumber reads the number in front of parameters and further list members.
func firstNumber(text string) (float64, bool) {
	text, _, _ = strings.Cut(text, ",")
	text, _, _ = strings.Cut(text, ";")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil && n == n && n >= 0
}

// rateLimit reads `"name";r=0;t=30`, and `limit=100, remaining=0, reset=30` of the earlier drafts: the longest pause of the exhausted quotas.
func rateLimit(value string) (time.Duration, bool) {
	var pause time.Duration
	found := false
	old := parameters(strings.ReplaceAll(value, ",", ";"))
	if remaining, ok := old["remaining"]; ok && remaining <= 0 {
		pause, found = seconds(old["reset"]), true
	}
	for member := range strings.SplitSeq(value, ",") {
		p := parameters(member)
		if r, ok := p["r"]; ok && r <= 0 {
			pause, found = max(pause, seconds(p["t"])), true
		}
	}
	return pause, found
}

func parameters(text string) map[string]float64 {
	p := map[string]float64{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if n, ok := firstNumber(value); ok {
			p[strings.TrimSpace(name)] = n
		}
	}
	return p
}
