package device

import "math"

// Term is a part of a time with its word, as in Cost.Bound.
//
// In the literature: a cycle breakdown, or CPI stack (Eyerman et al., ASPLOS 2006).
type Term struct {
	Name string
	Time Time
}

// Explainer is Code that knows the breakdown of its time. The breakdown is computed on
// demand, since a search keeps tens of thousands of codes.
type Explainer interface {
	// Breakdown returns terms that add up to the time of Cost, in the device's order. None
	// is 0. A negative term is time in which other terms overlap.
	Breakdown() []Term
}

// Breakdown is the breakdown of the time of code. It is one term, Bound, if the code is no
// Explainer.
func Breakdown(c Code) []Term {
	if e, ok := c.(Explainer); ok {
		return e.Breakdown()
	}
	cost := c.Cost()
	return Fill([]Term{{cost.Bound, cost.Time}}, cost.Time)
}

// Fill makes terms add up to a time: the last that is not 0 takes the rounding error. Terms
// of 0 are left out.
func Fill(terms []Term, t Time) []Term {
	out, sum := make([]Term, 0, len(terms)), Time(0)
	for _, x := range terms {
		if x.Time != 0 {
			out = append(out, x)
			sum += x.Time
		}
	}
	if n := len(out); n > 0 && sum != t {
		if out[n-1].Time += t - sum; out[n-1].Time == 0 {
			out = out[:n-1]
		}
	}
	return out
}

// Scale scales terms from one time to another. Without terms, all of the time is one term
// called rest.
func Scale(terms []Term, from, to Time, rest string) []Term {
	if from == 0 || len(terms) == 0 {
		return Fill([]Term{{rest, to}}, to)
	}
	out, most := make([]Term, len(terms)), 0
	for i, x := range terms {
		out[i] = Term{x.Name, Time(math.Round(float64(x.Time) * (float64(to) / float64(from))))}
		if x.Time > terms[most].Time {
			most = i
		}
	}
	if list := Fill(out, to); len(list) > 0 {
		return list
	}
	return Fill([]Term{{terms[most].Name, to}}, to) // too short for shares
}
