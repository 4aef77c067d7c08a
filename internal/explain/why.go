package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/memory"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// judge sets the reason why an option lost to the placement, or was chosen.
func (e *Explainer) judge(p *Placed, chosen, o *Option, is bool) error {
	if is {
		o.Chosen, o.Total, o.Why = true, e.res.Timeline.Total, "chosen"
		return nil
	}
	tl, err := e.instead(p, o)
	var full *memory.FullError
	switch {
	case errors.As(err, &full):
		of := ""
		if full.Node != p.Layer.Node {
			of = fmt.Sprintf(" then for %.80q", full.Name)
		}
		o.Why = fmt.Sprintf("no room in the banks%s: %d rows of channel %d wanted, %d of %d left", of, full.Want, full.Channel, full.Left, full.Rows)
		return nil
	case err != nil:
		return err
	}
	if tl != nil {
		o.Total = tl.Total
	}
	switch by := o.Time - chosen.Time; {
	case by > 0:
		last := o.last()
		o.Why = fmt.Sprintf("slower alone by %s: the %s takes %s, bound by %s", ns(by), last.Device, ns(last.Cost.Time), last.Cost.Bound)
		if p.Layer.Exclusive && len(o.Parts) > 1 {
			o.Why += ", and one device works at a time"
		}
	case by < 0:
		o.Why = fmt.Sprintf("faster alone by %s%s", ns(-by), e.busy(p, chosen, o))
	default:
		o.Why = "as fast alone"
	}
	if tl == nil {
		o.Why += "; no place in the plan's order"
		return nil
	}
	switch more := launches(tl) - launches(e.res.Timeline); {
	case more == 1:
		o.Why += "; PIM work would be launched once more"
	case more > 1:
		o.Why += fmt.Sprintf("; PIM work would be launched %d times more", more)
	}
	switch by := tl.Total - e.res.Timeline.Total; {
	case by > 0:
		o.Why += fmt.Sprintf("; the plan would take %s more", ns(by))
	case by < 0:
		o.Why += fmt.Sprintf("; the plan would take %s less", ns(-by))
	default:
		o.Why += "; the plan would take as long"
	}
	return nil
}

// The causes for which an alternative that is not slower alone has lost.
const (
	BySlower = "slower" // it is slower alone
	ByTie    = "tie"    // the plan would take as long
	ByLaunch = "launch" // PIM work would be launched more often
	ByBusy   = "busy"   // a device that it needs more has other work then
	ByChain  = "chain"  // what follows would wait longer for it, or it for what comes before
	ByRoom   = "room"   // there is no room in the banks
	ByOrder  = "order"  // there is no place for it in the plan's order
	ByBetter = "better" // it has not: the plan would take less, and the search has not found it
)

// Cause says why an alternative lost to the placement. Of several that hold, it is the first of launch, busy and chain.
func (e *Explainer) Cause(p *Placed, o *Option) (string, error) {
	if o.Time > p.Alone {
		return BySlower, nil
	}
	chosen, err := e.option(p.Layer, p.Tiles)
	if err != nil {
		return "", err
	}
	tl, err := e.instead(p, o)
	var full *memory.FullError
	switch {
	case errors.As(err, &full):
		return ByRoom, nil
	case err != nil:
		return "", err
	case tl == nil:
		return ByOrder, nil
	case tl.Total < e.res.Timeline.Total:
		return ByBetter, nil
	case tl.Total == e.res.Timeline.Total:
		return ByTie, nil
	case launches(tl) > launches(e.res.Timeline):
		return ByLaunch, nil
	case e.busy(p, &chosen, o) != "":
		return ByBusy, nil
	}
	return ByChain, nil
}

// launches counts the PIM launches of a program that take time.
func launches(tl *run.Timeline) (n int) {
	for i := range tl.Program.Steps {
		if s := &tl.Program.Steps[i]; s.Device == plan.PIM && s.Cost().Launch > 0 {
			n++
		}
	}
	return n
}

func ns(t device.Time) string { return fmt.Sprintf("%.1f ns", t.NS()) }

// last returns the part with the longest time; on a tie the first.
func (o *Option) last() *Part {
	last := &o.Parts[0]
	for i := range o.Parts {
		if o.Parts[i].Cost.Time > last.Cost.Time {
			last = &o.Parts[i]
		}
	}
	return last
}

// works returns the busy time of a device in an option.
func (o *Option) works(dev string) (t device.Time) {
	for i := range o.Parts {
		if o.Parts[i].Device == dev {
			t += o.Parts[i].Cost.Time
		}
	}
	return t
}

// busy names the other work of the plan on the devices that the option would load more than the
// placement does, during the time of the option.
func (e *Explainer) busy(p *Placed, chosen, o *Option) (s string) {
	for _, d := range e.ds {
		if o.works(d.Name()) <= chosen.works(d.Name()) {
			continue
		}
		var names []string
		for i, step := range e.res.Timeline.Program.Steps {
			sp := e.res.Timeline.Spans[i]
			if step.Device != d.Name() || step.Node == p.Layer.Node || sp.Start >= p.Start+o.Time || sp.End <= p.Start || sp.Start == sp.End {
				continue
			}
			if n := fmt.Sprintf("%.80q", e.g.Nodes[step.Node].Name); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		if n := len(names); n > 3 {
			names = append(names[:2], fmt.Sprintf("%d more layers", n-2))
		}
		if n := len(names); n > 1 {
			names = append(names[:n-2], names[n-2]+" and "+names[n-1])
		}
		if len(names) > 0 {
			s += fmt.Sprintf(", but the %s is busy with %s then", d.Name(), strings.Join(names, ", "))
		}
	}
	return s
}

// instead returns the timeline of the plan with an option instead of a layer's tiles, at the
// position of the first or of the last of them, the better of both; nil if neither position
// keeps producers before consumers.
func (e *Explainer) instead(p *Placed, o *Option) (best *run.Timeline, err error) {
	tiles := o.Tiles()
	for _, last := range []bool{false, true} {
		tl, err := e.replaced(p, tiles, last)
		if err != nil {
			return nil, err
		}
		if best == nil || tl != nil && tl.Total < best.Total {
			best = tl
		}
	}
	return best, nil
}

func (e *Explainer) replaced(p *Placed, tiles []plan.Tile, last bool) (*run.Timeline, error) {
	pl := *e.res.Plan
	pl.Segments = slices.Clone(pl.Segments)
	of := func(t plan.Tile) bool { return t.Node == p.Layer.Node }
	in, at := -1, 0 // the segment, and where in it
	for k := range pl.Segments {
		seg := &pl.Segments[k]
		if !slices.ContainsFunc(seg.Tiles, of) {
			continue
		}
		if in < 0 || last {
			in, at = k, slices.IndexFunc(seg.Tiles, of)
			for i, n := 0, 0; last && i < len(seg.Tiles); i++ {
				if of(seg.Tiles[i]) {
					n++
					at = i + 1 - n // without the tiles before
				}
			}
		}
		seg.Tiles = slices.DeleteFunc(slices.Clone(seg.Tiles), of)
	}
	pl.Segments[in].Tiles = slices.Insert(pl.Segments[in].Tiles, at, tiles...)
	if pl.Check(e.g) != nil {
		return nil, nil
	}
	prog, err := program.Build(e.g, &pl, e.ds)
	if err == nil && e.fits != nil {
		err = e.fits(prog)
	}
	if err != nil {
		return nil, err
	}
	return run.Time(prog), nil
}
