package report

import (
	"fmt"

	"pimflow/internal/result"
)

// Loss is how much worse points are whose plans were found at others than with plans of their own, over points that have both.
type Loss struct {
	N     int
	sum   float64
	worst float64
}

// Add takes a point with the best of other points' plans, and the same with a plan that was searched for it. Rows with an error do not count.
func (l *Loss) Add(taken, searched *result.Row) {
	if taken.Error != "" || searched.Error != "" {
		return
	}
	x := taken.Minimised()/searched.Minimised() - 1
	if l.N++; l.N == 1 {
		l.worst = x
	}
	l.sum, l.worst = l.sum+x, max(l.worst, x)
}

// Mean and Worst are shares of what a search gives; below 0 where the plans of others are better.
func (l *Loss) Mean() float64 { return l.sum / float64(max(l.N, 1)) }

// Worst is the largest share.
func (l *Loss) Worst() float64 { return l.worst }

func (l *Loss) text() string {
	if l == nil || l.N == 0 {
		return ""
	}
	return fmt.Sprintf("points with the plans of others lose %.2f %% on average, %.2f %% at most, against searches of their own at %d of them\n", 100*l.Mean(), 100*l.Worst(), l.N)
}
