package candidate

import (
	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Launch is the launch model: how much time a tile adds to its device, which depends on the
// tiles before it. A tile that follows PIM work and waits for nothing that the GPU made
// meanwhile (program.Clocks) shares that work's launch: it is fused. Every part of the search
// that asks one of three questions asks it here: the marginal time of a tile after a state
// (Marginal, State.Place, After), whether it may be fused (State.Place, Last), and the least
// launch that is certain (Certain).
//
// In the literature: sequence-dependent setup times (Allahverdi et al. 2008); kernel fusion.
type Launch struct {
	Fuses bool // PIM launches are fused (plan.Fused); otherwise each tile has its own (plan.Each)
}

// LaunchOf is the launch model of a plan's launch mode, plan.Each or plan.Fused.
func LaunchOf(mode string) Launch { return Launch{mode == plan.Fused} }

// Marginal is the time that a tile adds to its device; follows says that it may be fused.
func (l Launch) Marginal(t *Tile, follows bool) device.Time {
	if l.Fuses && follows {
		return t.fused
	}
	return t.Time
}

// fused reports whether a tile is fused; follows says that it may be.
func (l Launch) fused(t *Tile, follows bool) bool { return l.Fuses && follows && t.fused < t.Time }

// task is what the time of a tile depends on.
func (l Launch) task(t *Tile, follows bool) run.Task {
	return run.Task{Lane: t.Lane, Time: l.Marginal(t, follows), Memory: t.memory}
}

// Least is the least time that a tile adds to its device after any state, in any launch mode.
func (t *Tile) Least() device.Time { return t.fused }

// Last is the state after a partition: the device whose launch the next tile there can
// certainly share. That is the PIM if the whole node is there. Otherwise it is device 0, the
// GPU, whose launches are never fused.
func (l Launch) Last(p *Partition) (lane int) {
	if l.Fuses && p.Kind() == plan.PIM {
		return program.Lane(plan.PIM)
	}
	return 0
}

// After is the marginal time of a window after a state. In a window of several nodes the
// first launch may not be on the critical path: nothing is saved.
func (l Launch) After(w *Window, last int) device.Time {
	if last == 0 || len(w.Partitions) > 1 {
		return w.Time
	}
	return l.Alone(w.Partitions[0])
}

// Alone is the time of a partition whose devices work at the same time, each tile fused.
func (l Launch) Alone(p *Partition) (t device.Time) {
	if !l.Fuses {
		return max(p.Busy[0], p.Busy[1])
	}
	return max(p.Least[0], p.Least[1])
}

// Certain is the least launch of the PIM tiles in a list: a tile that follows none takes at
// least so much more than its marginal time. It is 0 without PIM tiles.
func (l Launch) Certain(list []*Tile) (least device.Time) {
	first := true
	for _, t := range list {
		if saved := t.Time - l.Marginal(t, true); t.Device == plan.PIM && (first || saved < least) {
			least, first = saved, false
		}
	}
	return least
}

// Fuse fuses the launches of a program's steps where the model does.
func (l Launch) Fuse(p *program.Program) {
	if l.Fuses {
		p.Fuse()
	}
}

// State is the state of the devices after some tiles: when each is free, and which tiles the
// next one follows. The zero value is an idle machine.
//
// In the literature: machine availability times; the order of events is a vector clock
// (Fidge, Mattern 1988).
type State struct {
	order program.Clocks
	Free  [Lanes]device.Time
}

// Place appends a tile that is ready at an instant, when the steps in after have ended. It
// returns its completion time and the steps that have ended then, if launches are fused: otherwise
// nothing depends on them.
func (s *State) Place(l Launch, t *Tile, ready device.Time, after program.VectorClock) (device.Time, program.VectorClock) {
	end, ended, _ := s.place(l, t, ready, after)
	return end, ended
}

// place is Place, and reports whether the tile may be fused.
func (s *State) place(l Launch, t *Tile, ready device.Time, after program.VectorClock) (end device.Time, ended program.VectorClock, follows bool) {
	if l.Fuses {
		ended, follows = s.order.Advance(t.Lane, after)
	}
	end = max(s.Free[t.Lane], ready) + l.Marginal(t, follows)
	s.Free[t.Lane] = end
	return end, ended, follows
}
