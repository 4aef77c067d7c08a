package report

import (
	"fmt"

	"pimflow/internal/result"
)

// Loss is how much worse points are whose plans were found at others than with plans of their own, over points that have both. Gains are kept
// apart: they make up for no loss.
type Loss struct {
	N            int
	lost, gained int     // points
	sum, worst   float64 // of losses, as shares of what a search gives
	best         float64 // of gains
}

// Add takes a point with the best of other points' plans, and the same with a plan that was searched for it. Rows with an error do not count.
func (l *Loss) Add(taken, searched *result.Row) {
	if taken.Error != "" || searched.Error != "" {
		return
	}
	l.N++
	switch x := taken.Minimised()/searched.Minimised() - 1; {
	case x > 0:
		l.lost++
		l.sum, l.worst = l.sum+x, max(l.worst, x)
	case x < 0:
		l.gained++
		l.best = max(l.best, -x)
	}
}

func (l *Loss) text() string {
	if l == nil || l.N == 0 {
		return ""
	}
	text := Count(l.N, "point") + " with the plans of others, drawn and searched, too: losses at "
	if l.lost == 0 {
		text += "none"
	} else {
		text += fmt.Sprintf("%d, %.2f %% at most, %.2f %% in the mean of all", l.lost, 100*l.worst, 100*l.sum/float64(l.N))
	}
	if l.gained > 0 {
		text += fmt.Sprintf("; gains at %d, %.2f %% at most", l.gained, 100*l.best)
	}
	return text + "\n"
}
