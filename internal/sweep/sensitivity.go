package sweep

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"pimflow/internal/hw"
	"pimflow/internal/platform"
	"pimflow/internal/search"
)

// energies lists the energies, which no time depends on unless their power is limited, by path or
// by the beginning of paths.
var energies = []string{"gpu.energy", "pim.energy", "link.finish.pj_per_op"}

// isEnergy reports whether a number is an energy.
func isEnergy(path string) bool {
	return slices.ContainsFunc(energies, func(of string) bool { return Within(path, of) })
}

// errors lists the errors of the models, which bounds of times depend on, and no time.
var errors = []string{"gpu.error", "link.pim_launch_error"}

// OfBounds reports whether no more than bounds of times depend on a number of a machine.
func OfBounds(path string) bool {
	return slices.ContainsFunc(errors, func(of string) bool { return Within(path, of) })
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
	Base      *search.Result // on the unchanged machine
	Constants []Constant     // the largest effect first, then in the machine's order
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
	p := platform.NewPool(nil)
	base := &point{machine: m.Machine, pool: p}
	if base.find(ctx, m); base.err != nil {
		return nil, base.err
	}
	points := []*point{base}
	s := &Sensitivity{}
	var at [][]*point // by constant and change
	for _, c := range m.Machine.Constants() {
		if !Timed(m.Machine, c.Path) || !only(c.Path) {
			continue
		}
		k := Constant{c, nil}
		var of []*point
		for _, percent := range percents {
			ch := k.changed(percent)
			if i := slices.IndexFunc(k.Changes, ch.same); i >= 0 { // small whole numbers round to the same
				of = append(of, of[i])
			} else {
				of = append(of, k.point(m, p, ch.Text))
				points = append(points, of[len(of)-1])
			}
			k.Changes = append(k.Changes, ch)
		}
		s.Constants, at = append(s.Constants, k), append(at, of)
	}
	var err error
	if s.Noise, err = best(ctx, m, points); err != nil {
		return nil, err
	}
	t, err := platform.Target(m.Machine, p.Makers())
	if err != nil {
		return nil, err
	}
	if s.Base, err = search.Given(m.Graph, base.plan, t); err != nil {
		return nil, err
	}
	for i := range s.Constants {
		for k := range s.Constants[i].Changes {
			ch, x := &s.Constants[i].Changes[k], at[i][k]
			if ch.Err = x.err; x.err == nil {
				ch.Found, ch.Moved = x.of, moved(x.plan, s.Base.Plan)
			}
			ch.Kept, ch.KeptErr = x.kept(m, s.Base.Plan)
		}
	}
	speedup := timesOf(s.Base).Speedup()
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

// point is the machine with the constant changed.
func (c *Constant) point(m *Model, p *platform.Pool, text string) *point {
	x := &point{pool: p}
	if text == c.Text { // a fraction of 0
		x.err = fmt.Errorf("%s is 0: no per cent of it is another value", c.Path)
	} else {
		x.machine, x.err = m.Machine.With(c.Path, text)
	}
	return x
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
	ratio = ratioOf(s.Base)
	for _, c := range m.Machine.Constants() {
		if c.Range != nil && isEnergy(c.Path) && only(c.Path) {
			list = append(list, Energy{Constant: c})
		}
	}
	done := m.counter(2 * len(list))
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i := range list {
		e := &list[i]
		for _, bound := range []struct {
			value float64
			ratio *float64
		}{{e.Range.Low, &e.Low}, {e.Range.High, &e.High}} {
			eg.Go(func() error {
				defer done()
				if err := ctx.Err(); err != nil {
					return err
				}
				changed, err := m.Machine.With(e.Path, strconv.FormatFloat(bound.value, 'g', -1, 64))
				if err != nil {
					return err
				}
				t, err := platform.Target(changed, platform.Makers{})
				if err != nil {
					return err
				}
				r, err := search.Given(m.Graph, s.Base.Plan, t)
				if err == nil {
					*bound.ratio = ratioOf(r)
				}
				return err
			})
		}
	}
	if err := eg.Wait(); err != nil {
		return 0, nil, err
	}
	span := func(e Energy) float64 { return max(math.Abs(e.Low-ratio), math.Abs(e.High-ratio)) }
	slices.SortStableFunc(list, func(a, b Energy) int { return cmp.Compare(span(b), span(a)) })
	return ratio, list, nil
}

// ratioOf returns the plan's energy over that of the GPU alone, each constant at its value.
func ratioOf(r *search.Result) float64 {
	base, of := r.Baseline.Energy(&r.Standby), r.Timeline.Energy(&r.Standby)
	var ratio float64
	ratio, _, _ = of.Ratio(&base)
	return ratio
}
