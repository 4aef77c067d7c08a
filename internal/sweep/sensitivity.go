package sweep

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/evaluate"
	"pimflow/internal/hw"
	"pimflow/internal/space"
)

// energies lists the energies, which no time depends on unless their power is limited, by path or
// by the beginning of paths.
var energies = []string{"gpu.energy", "pim.energy", "link.finish.pj_per_op"}

// isEnergy reports whether a number is an energy.
func isEnergy(path string) bool {
	return slices.ContainsFunc(energies, func(of string) bool { return Within(path, of) })
}

// doubts lists the errors of the models, which bounds of times depend on, and no time.
var doubts = []string{"gpu.error", "link.pim_launch_error"}

// OfBounds reports whether no more than bounds of times depend on a number of a machine.
func OfBounds(path string) bool {
	return slices.ContainsFunc(doubts, func(of string) bool { return Within(path, of) })
}

// Timed reports whether a time can depend on a number of a machine.
func Timed(m *hw.Machine, path string) bool {
	if OfBounds(path) {
		return false
	}
	return !isEnergy(path) || m.PIM.Limit > 0 && Within(path, "pim.energy")
}

// Within reports whether a path equals another or begins with its keys.
func Within(path, of string) bool { return path == of || strings.HasPrefix(path, of+".") }

// Sensitivity is the plan of a machine and the effects of changed constants.
type Sensitivity struct {
	Base      evaluate.Outcome // of the unchanged machine
	Constants []Constant       // the largest effect first, then in the machine's order
	// Noise is the most that a machine's time lost to a plan that was found on another of the machines,
	// as a share. Differences of this size may be the searches'.
	Noise float64
}

// Constant is a number of the machine and its changes.
type Constant struct {
	hw.Constant
	Changes []Change // one for each of the per cents
}

// Change is one value of a constant.
type Change struct {
	Percent int     // the wanted change
	Text    string  // the value, as the machine's file would have it
	Actual  float64 // the change in per cent, after rounding
	Found   Times   // on the changed machine, of the best plan that was found on any of the machines
	Moved   int     // number of layers placed differently in that plan
	Err     error   // instead of Found: why the machine is not valid, or has no plan
	Kept    Times   // of the unchanged machine's plan on the changed machine
	KeptErr error   // instead of Kept
}

// Effect is the largest relative change of the speed-up, with its sign, over all changes of the
// constant, with the best plan.
func (c *Constant) Effect(base float64) float64 {
	most := 0.0
	for _, ch := range c.Changes {
		if e := ch.Found.Speedup()/base - 1; ch.Err == nil && math.Abs(e) > math.Abs(most) {
			most = e
		}
	}
	return most
}

// Vary changes the constants of the machine one at a time by each of the per cents: those that
// times can depend on and that only accepts. Every plan that is found is timed on every machine.
func Vary(ctx context.Context, m *Model, percents []int, only func(path string) bool) (*Sensitivity, error) {
	points := []space.Point{m.point()}
	s := &Sensitivity{}
	var at [][]int // places in points, by constant and change; 0: none
	for _, c := range m.machine().Constants() {
		if !Timed(m.machine(), c.Path) || !only(c.Path) {
			continue
		}
		k := Constant{c, nil}
		var of []int
		for _, percent := range percents {
			ch := k.changed(percent)
			if i := slices.IndexFunc(k.Changes, ch.same); i >= 0 { // small whole numbers round to the same
				of = append(of, of[i])
				ch.Err = k.Changes[i].Err
			} else if ch.Err = k.refused(m.machine(), ch.Text); ch.Err != nil {
				of = append(of, 0)
			} else {
				of = append(of, len(points))
				points = append(points, m.point(c.Path+"="+ch.Text))
			}
			k.Changes = append(k.Changes, ch)
		}
		s.Constants, at = append(s.Constants, k), append(at, of)
	}
	e, done := m.evaluator(), m.counter(3*len(points))
	own, best, err := e.All(ctx, points, done)
	if err != nil {
		return nil, err
	}
	if best[0].Err != nil {
		return nil, best[0].Err
	}
	s.Base = best[0]
	kept, err := e.Each(ctx, points, evaluate.Kept, []string{s.Base.Text}, done)
	if err != nil {
		return nil, err
	}
	for i := range own {
		if found := timeOf(own[i].Row.Total); found > 0 {
			s.Noise = max(s.Noise, 1-float64(timeOf(best[i].Row.Total))/float64(found))
		}
	}
	for i := range s.Constants {
		for k := range s.Constants[i].Changes {
			ch, x := &s.Constants[i].Changes[k], at[i][k]
			if x == 0 {
				ch.KeptErr = ch.Err
				continue
			}
			if err := best[x].Err; err != nil {
				ch.Err = m.reason(err)
			} else {
				ch.Found, ch.Moved = timesOf(&best[x].Row), moved(best[x].Plan, s.Base.Plan)
			}
			if err := kept[x].Err; err != nil {
				ch.KeptErr = m.reason(err)
			} else {
				ch.Kept = timesOf(&kept[x].Row)
			}
		}
	}
	speedup := s.Base.Row.Speedup
	slices.SortStableFunc(s.Constants, func(a, b Constant) int {
		return cmp.Compare(math.Abs(b.Effect(speedup)), math.Abs(a.Effect(speedup)))
	})
	return s, nil
}

// changed returns a change without results.
func (c *Constant) changed(percent int) Change {
	text, value := c.Changed(percent)
	ch := Change{Percent: percent, Text: text}
	if c.Value != 0 {
		ch.Actual = 100 * (value/c.Value - 1)
	}
	return ch
}

func (c Change) same(o Change) bool { return c.Text == o.Text }

// refused says why a machine does not take a value of the constant.
func (c *Constant) refused(m *hw.Machine, text string) error {
	if text == c.Text { // a fraction of 0
		return fmt.Errorf("%s is 0: no per cent of it is another value", c.Path)
	}
	_, err := m.With(c.Path, text)
	return err
}

// Energy is the ratio of the plan's energy to that of the GPU alone at the bounds of one
// constant, all others at their values.
type Energy struct {
	hw.Constant
	Low, High float64 // the ratio with the constant at its lower and upper bound
}

// Energies computes the ratio at the bounds of each energy constant that only accepts, the
// largest change first. ratio is that of the unchanged machine.
func (s *Sensitivity) Energies(ctx context.Context, m *Model, only func(path string) bool) (ratio float64, list []Energy, err error) {
	var points []space.Point
	for _, c := range m.machine().Constants() {
		if c.Range == nil || !isEnergy(c.Path) || !only(c.Path) {
			continue
		}
		list = append(list, Energy{Constant: c})
		for _, bound := range []float64{c.Range.Low, c.Range.High} {
			points = append(points, m.point(c.Path+"="+strconv.FormatFloat(bound, 'g', -1, 64)))
		}
	}
	all, err := m.evaluator().Each(ctx, points, evaluate.Kept, []string{s.Base.Text}, m.counter(len(points)))
	if err != nil {
		return 0, nil, err
	}
	for i := range all {
		if all[i].Err != nil {
			return 0, nil, all[i].Err
		}
	}
	ratio = s.Base.Row.Ratio
	for i := range list {
		list[i].Low, list[i].High = all[2*i].Row.Ratio, all[2*i+1].Row.Ratio
	}
	span := func(e Energy) float64 { return max(math.Abs(e.Low-ratio), math.Abs(e.High-ratio)) }
	slices.SortStableFunc(list, func(a, b Energy) int { return cmp.Compare(span(b), span(a)) })
	return ratio, list, nil
}
