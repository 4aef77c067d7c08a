package pim

import "math"

// timeline adds up visits to rows, and the refreshes between them: each that is due when a row is closed delays the next
// visit. Of those that are due after the last visit, the last delays nothing.
type timeline struct {
	*refreshes
	t, due float64
}

func newTimeline(r *refreshes) timeline { return timeline{r, 0, r.interval} }

// serve serves the refreshes that are due by some cycle, with those that the delay makes due, and returns the delay.
func (l *timeline) serve(by float64) float64 {
	if by < l.due || l.cycles >= l.interval {
		return 0
	}
	n := math.Floor((by-l.due)/(l.interval-l.cycles)) + 1
	l.due += n * l.interval
	return n * l.cycles
}

// add adds n visits of so many cycles each.
func (l *timeline) add(n, cycles float64) {
	l.t += l.serve(l.t)
	if n > 1 {
		l.t += (n - 1) * cycles
		l.t += l.serve(l.t)
		n = 1
	}
	l.t += n * cycles
}

// end is the cycle of the end, or that of the last refresh that is due before.
func (l *timeline) end() float64 {
	if l.cycles >= l.interval {
		return l.t
	}
	for at := l.t + l.closing; l.due <= l.t; at += l.cycles {
		l.t = max(l.t, at)
		l.due += l.interval
	}
	return l.t
}
