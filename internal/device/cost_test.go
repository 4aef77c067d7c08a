package device

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// TestCost: what a cost is with a fused launch, and at the bounds of its uncertain parts.
func TestCost(t *testing.T) {
	c := Cost{Time: 100, Launch: 40, Fusible: 30, Ticks: 7, Uncertain: []Uncertainty{{Class: "a", Time: 50, Low: 20, High: 90}, {Class: "b", Time: 10, Low: 10, High: 15}}}
	f := c.Fused()
	if f.Time != 70 || f.Launch != 10 || f.Ticks != 7 || c.Time != 100 {
		t.Errorf("fused %+v", f)
	}
	if low, high := c.Bounds(); low != 100-30 || high != 100+40+5 {
		t.Errorf("bounds %d and %d, want 70 and 145", low, high)
	}
	if at := c.At(func(u *Uncertainty) Time { return -u.Time }); at != 0 {
		t.Errorf("a time below 0: %d", at)
	}
	if e := Of(hw.Range{Value: 2, Low: 1, High: 3}, 5); e != (Energy{10, 5, 15}) {
		t.Errorf("five times 2 pJ, 1 to 3: %v", e)
	}
	d := Bound(costing{c}, func(u *Uncertainty) Time { return u.High })
	code, err := d.Compile(nil, graph.Cut{})
	if err != nil {
		t.Fatal(err)
	}
	if is := code.Cost(); is.Time != 145 || is.Uncertain != nil || is.Launch != 40 {
		t.Errorf("bounded %+v", is)
	}
}

// costing is a device whose code has a cost and nothing else.
type costing struct{ cost Cost }

type costed struct {
	Code
	cost Cost
}

func (d costing) Name() string                                  { return "costing" }
func (d costing) Compile(*graph.Graph, graph.Cut) (Code, error) { return costed{cost: d.cost}, nil }
func (c costed) Cost() Cost                                     { return c.cost }

// TestJudgement: values within and beyond their bound, and those that are not compared, in two parts.
func TestJudgement(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	var a, b Judgement
	for i, c := range []struct{ got, want, bound float64 }{
		{1, 1, 0}, {1.5, 1, 0.5}, {0.5, 1, 0.5}, {0, 0, 0}, {7, nan, 0}, {inf, inf, 0}, {nan, 1, inf},
	} {
		a.Compare(i, c.got, c.want, c.bound)
	}
	if a.Wrong != 0 || a.First != nil || a.Compared != 5 || a.NotFinite != 2 || a.Zero != 1 {
		t.Errorf("within bounds: %+v", a)
	}
	a.Compare(30, 1.75, 1, 0.5)
	a.Compare(20, nan, 1, 0.5)
	a.Compare(25, -1, 1, 0.5)
	a.Compare(26, 7, inf, 0)
	a.Compare(27, -inf, inf, 0)
	if a.Wrong != 5 || a.First.At != 20 || a.First.Wanted != 1 || a.First.Bound != 0.5 {
		t.Errorf("beyond bounds: %+v, the first %+v", a, a.First)
	}
	b.Compare(10, 2, 1, 0)
	b.Compare(11, inf, 1, 0)
	b.Range.Weights = Overrun{Over: 2, Under: 3, Of: 7}
	a.Range.Weights, a.Range.Inputs, a.Range.Results = Overrun{Over: 10, Under: 20, Of: 50}, Overrun{Over: 1}, Overrun{Under: 1}
	a.Merge(b)
	if a.Wrong != 7 || a.First.At != 10 || a.Compared != 10 || a.Range != (Overruns{Overrun{Over: 1}, Overrun{Over: 12, Under: 23, Of: 57}, Overrun{Under: 1}}) {
		t.Errorf("together: %+v, the first %+v", a, a.First)
	}
	if a.Merge(Judgement{}); a.First == nil || a.First.At != 10 {
		t.Errorf("with nothing: %+v", a)
	}
	for _, o := range []Overruns{
		{Inputs: Overrun{Over: 1}}, {Inputs: Overrun{Under: 2}}, {Weights: Overrun{Over: 4}}, {Weights: Overrun{Under: 1}}, {Results: Overrun{Over: 2}}, {Results: Overrun{Under: 4}},
	} {
		if !o.Any() {
			t.Errorf("%+v are none", o)
		}
	}
	if o := (Overruns{Inputs: Overrun{Of: 5}, Results: Overrun{Of: 7}}); o.Any() {
		t.Errorf("%+v are some", o)
	}
	var none Judgement
	if none.Merge(a); none.First == nil || none.First.At != 10 || none.Wrong != 7 {
		t.Errorf("nothing with them: %+v", none)
	}
}

// TestCounts: counts are an object in their order, and read again; other texts are refused.
func TestCounts(t *testing.T) {
	c := Counts{{"b", 2}, {"a", 1}}
	text, err := json.Marshal(c)
	if err != nil || string(text) != `{"b":2,"a":1}` {
		t.Errorf("%s, %v", text, err)
	}
	var again Counts
	if err := json.Unmarshal(text, &again); err != nil || !slices.Equal(again, c) {
		t.Errorf("%v, %v", again, err)
	}
	for bad, want := range map[string]string{
		`[]`: `[]: an object of numbers wanted`, `{"a":"b"}`: `"a": "b": a whole number wanted`, `{"a":1.5}`: `"a": 1.5: a whole number wanted`, `7`: `7: an object of numbers wanted`,
	} {
		if err := json.Unmarshal([]byte(bad), &again); err == nil || err.Error() != want {
			t.Errorf("%s is read as %v: %v, want %s", bad, again, err, want)
		}
	}
}
