package search

import (
	"context"
	"math"
	"strconv"
	"strings"

	"pimflow/internal/bound"
	"pimflow/internal/candidate"
	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// Effort is how many tiles iterations of auto's local search place or look at, for each node, before
// no further iteration begins; 0: the search ends at the first local optimum.
type Effort int64

// The named efforts. Normal ends after soon if the plan is then at most near times the lower bound of plans that cut no layer into more
// than two pieces. Both are chosen by BenchmarkEffort: plans of five networks on two machines are at most 0.3 % longer than those of
// High.
const (
	Low    Effort = 0
	Normal Effort = 800_000
	High   Effort = 2_000_000

	soon Effort = 200_000
)

const near = 1.06

var efforts = []struct {
	name string
	Effort
	histories int    // of the lower bound
	from      Effort // which have as many
}{{"low", Low, 0, Low}, {"normal", Normal, bound.Normal, soon}, {"high", High, bound.High, High}}

// Histories is how many histories of a lower bound go with an effort (bound.Options).
func (e Effort) Histories() (n int) {
	for _, x := range efforts {
		if x.from <= e {
			n = x.histories
		}
	}
	return n
}

// maxEffort bounds an effort: the steps of a graph of a million nodes stay within 64 bits.
const maxEffort = math.MaxInt64 / 1_000_000

// ParseEffort reads the name of an effort, or its number of steps.
func ParseEffort(text string) (Effort, error) {
	var names []string
	for _, e := range efforts {
		if e.name == text {
			return e.Effort, nil
		}
		names = append(names, e.name)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n <= maxEffort {
		return Effort(n), nil
	}
	return 0, fault.Usagef("effort %.80q is not known: one of %s, or a number of steps a layer wanted%s", text, strings.Join(names, ", "), nearest.Hint(text, names))
}

// String is the name of an effort, or its number of steps.
func (e Effort) String() string {
	for _, x := range efforts {
		if x.Effort == e {
			return x.name
		}
	}
	return strconv.FormatInt(int64(e), 10)
}

// iterate spends the target's effort on windows, until its time limit, which counts from the begin
// of the search.
func (s *search) iterate(ctx context.Context, c *solution, p Policy, list []*candidate.Window, o candidate.Linear) []*candidate.Window {
	until := ctx
	if s.t.TimeLimit > 0 {
		var cancel context.CancelFunc
		until, cancel = context.WithDeadline(ctx, s.begin.Add(s.t.TimeLimit))
		defer cancel()
	}
	x := proof{search: s, ctx: until, p: p}
	second := func() []*candidate.Window { return s.fromBound(until, c, list, o) }
	list, reached := s.local.Iterate(until, c.store, c.choices, list, o, int64(s.t.Effort), second, x.enough, s.iterated)
	s.reached = Effort(reached)
	return list
}

// proof asks whether plans are the best, by lower bounds of all plans of the tiles that are costed so far.
type proof struct {
	*search
	ctx       context.Context
	p         Policy
	histories int         // of the last bound
	least     device.Time // the last bound, which may have fallen since; 0: none is known
}

// enough reports whether iterations end after an effort, which is now that of next: windows are the best, or near enough to the best for
// the target's effort. The bound is asked again where the effort has doubled.
func (x *proof) enough(list []*candidate.Window, effort int64) (end bool, next int64) {
	next = 2 * effort
	if x.t.Effort != Normal {
		return x.proven(list, effort), next
	}
	if Effort(effort) < soon {
		return x.proven(list, effort), min(next, int64(soon))
	}
	if x.t.Objective != Latency {
		return true, 0
	}
	tl, err := x.time(x.planOf(x.p, list))
	if err != nil { // memory has no room for it
		return false, next
	}
	_, two := x.bound(x.ctx, bound.Options{Below: tl.Total, Histories: x.t.Histories, Two: true})
	return x.ctx.Err() == nil && float64(tl.Total) <= near*float64(two), next
}

// proven reports whether the plan of windows takes no longer than a bound that is worth the effort so far. Bounds fall where more
// tiles are costed: for a plan above an earlier bound of as many histories none is computed.
func (x *proof) proven(list []*candidate.Window, effort int64) bool {
	if x.t.Objective != Latency {
		return false
	}
	tl, err := x.time(x.planOf(x.p, list))
	if err != nil { // memory has no room for it
		return false
	}
	if n := Effort(effort).Histories(); n > x.histories {
		x.histories, x.least = n, 0
	}
	if x.least > 0 && tl.Total > x.least {
		return false
	}
	x.least, _ = x.bound(x.ctx, bound.Options{Below: tl.Total, Histories: x.histories})
	return tl.Total <= x.least && x.ctx.Err() == nil
}

// iterated reports progress: all iterations together count as one more policy.
func (s *search) iterated(steps, of int64) {
	if n := int64(len(s.order)); s.t.Progress != nil {
		s.t.Progress(s.total-int(n-n*min(steps, of)/of), s.total)
	}
}

// histories are the target's, unless a time limit ended the search: then those of the effort that was reached, which
// repeats the bound too.
func (s *search) histories() int {
	if s.reached < s.t.Effort {
		return min(s.t.Histories, s.reached.Histories())
	}
	return s.t.Histories
}
