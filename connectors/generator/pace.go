package generator

import (
	"context"
	"time"
)

const (
	// tick is the shortest wait: what falls due within one is handed over at once.
	tick = 10 * time.Millisecond
	// catchUp is how much of the time that a task was held up is made up for.
	catchUp = time.Second
	// longest keeps the interval of tiny rates within a Duration.
	longest = 365 * 24 * time.Hour
)

// A pace spreads records evenly over time.
type pace struct {
	rate float64   // records a second; 0: no limit
	next time.Time // when the next record is due; zero: at once
}

// wait returns how many records may be made, from 1 to max, once one is due.
func (p *pace) wait(ctx context.Context, max int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if p.rate == 0 {
		return max, nil
	}
	now := time.Now()
	if earliest := now.Add(-catchUp); p.next.IsZero() {
		p.next = now
	} else if p.next.Before(earliest) {
		p.next = earliest
	}
	if early := p.next.Sub(now); early > 0 {
		if early < tick {
			early = tick
		}
		if err := sleep(ctx, early); err != nil {
			return 0, err
		}
		now = now.Add(early)
	}
	n := min(1+int(now.Sub(p.next).Seconds()*p.rate), max)
	p.next = p.next.Add(p.interval(n))
	return n, nil
}

// interval is the time that n records take.
func (p *pace) interval(n int) time.Duration {
	seconds := float64(n) / p.rate
	if seconds > longest.Seconds() {
		return longest
	}
	return time.Duration(seconds * float64(time.Second))
}

// sleep waits, or returns the reason why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
