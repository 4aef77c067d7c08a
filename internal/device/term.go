package device

import "math"

// Term is a part of a time and the word for what it goes to, as in Cost.Bound.
type Term struct {
	Name string
	Time Time
}

// Explainer is Code that can say what its time goes to. It is asked for when somebody
// wants to know: a search keeps tens of thousands of codes.
type Explainer interface {
	// Breakdown add up to the time of Cost, in the device's order; none is 0. One may be below
	// 0: what others take at the same time.
	Breakdown() []Term
}

// Breakdown is what the time of code goes to: all of it to Bound where the code does not
// know more.
func Breakdown(c Code) []Term {
	if e, ok := c.(Explainer); ok {
		return e.Breakdown()
	}
	cost := c.Cost()
	return Fill([]Term{{cost.Bound, cost.Time}}, cost.Time)
}

// Fill makes terms add up to a time: the last that is not 0 takes what rounding left.
// Those that are 0 are left out.
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

// Scale makes terms of one time those of another, each in proportion; all is called
// rest where there were none.
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
