package run

import (
	"math"
	"slices"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/program"
)

// Deviating is a program whose times deviate within the errors of its costs (Interval). It remembers what the program takes
// where, which its bounds ask for many times. It is safe for concurrent use.
type Deviating struct {
	network hw.Range
	classes []class
	steps   []deviatingStep
	work    device.Ledger // of all steps, without what follows from times

	mu       sync.Mutex
	known    map[string]outcome // by places of classes, and factor
	sequence Sequence
	spans    []Span
}

// class is a class of uncertain work (device.Uncertainty).
type class struct {
	name    string
	kernels bool // all of it is execution of modelled kernels
}

// deviatingStep is what of a step deviates.
type deviatingStep struct {
	task    Task
	after   []int
	scaled  bool // the factor of whole networks is on its time
	parts   []deviatingPart
	active  device.Energy // of SMs at work
	kernels device.Time   // of parts that are no launches
}

// deviatingPart is an uncertain part of a time.
type deviatingPart struct {
	class  int
	launch bool
	at     [3]device.Time // the lower bound, the time and the upper bound
}

// outcome is what a program takes: its time, and the energy of its work.
type outcome struct {
	time device.Time
	work device.Ledger
}

// energy is with standby, in pJ a nanosecond. No part is both of standby and of work.
func (o *outcome) energy(standby *device.Ledger) device.Ledger {
	l := standby.Times(o.time.NS())
	l.Add(&o.work)
	return l
}

// Deviate is a program on a machine with an error of whole networks; where its Value is 0, it is not known.
func Deviate(network hw.Range, p *program.Program) *Deviating {
	d := &Deviating{network: network, known: map[string]outcome{}}
	index := map[string]int{}
	for i := range p.Steps {
		for _, u := range p.Steps[i].Code.Cost().Uncertain {
			k, ok := index[u.Class]
			if !ok {
				k = len(d.classes)
				index[u.Class] = k
				d.classes = append(d.classes, class{u.Class, true})
			}
			d.classes[k].kernels = d.classes[k].kernels && u.Kind == device.OfKernel
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		c := s.Cost()
		st := deviatingStep{task: Task{program.Lane(s.Device), c.Time, c.Memory}, after: s.After, scaled: s.Device == plan.GPU && c.Source != device.Measured, active: c.Energy[device.GPUActive]}
		for j := range c.Uncertain {
			u := &c.Uncertain[j]
			part := deviatingPart{index[u.Class], u.Kind == device.OfLaunch, [3]device.Time{u.Low, u.Time, u.High}}
			st.parts = append(st.parts, part)
			if !part.launch {
				st.kernels += u.Time
			}
		}
		c.Energy[device.GPUActive] = device.Energy{}
		d.work.Add(&c.Energy)
		d.steps = append(d.steps, st)
	}
	d.spans = make([]Span, len(d.steps))
	return d
}

// at is what the program takes if modelled kernels take network times their time, and each of the classes is at its lower
// bound (-1), its time (0) or its upper bound (1).
func (d *Deviating) at(network float64, names []string, bounds []int8) outcome {
	var room [32]byte
	places := room[:0]
	for _, c := range d.classes {
		bound := int8(0)
		if k := slices.Index(names, c.name); k >= 0 {
			bound = bounds[k]
		}
		places = append(places, byte(1+bound))
	}
	key := append(places, byte(slices.Index(factors(d.network), network)))
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.known[string(key)]
	if !ok {
		o = d.execute(network, places)
		d.known[string(key)] = o
	}
	return o
}

// execute times the steps. SMs are active as much longer as their kernels are. places has the place of each class among the
// times of a part.
func (d *Deviating) execute(network float64, places []byte) (o outcome) {
	d.sequence.Reset()
	o.work = d.work
	for i := range d.steps {
		s := &d.steps[i]
		t := s.task
		longer := s.deviate(&t, network, places)
		var start device.Time
		for _, j := range s.after {
			start = max(start, d.spans[j].End)
		}
		d.spans[i] = d.sequence.Add(t, start)
		o.work[device.GPUActive] = o.work[device.GPUActive].Plus(s.active.Times(longer))
	}
	o.time = end(d.spans)
	return o
}

// deviate sets the time of a step alone. It returns the time of the step's kernels, without launches, over that without
// deviations.
func (s *deviatingStep) deviate(t *Task, network float64, places []byte) (longer float64) {
	kernels := device.Time(0)
	for i := range s.parts {
		p := &s.parts[i]
		at := p.at[places[p.class]]
		if t.Time += at - p.at[1]; !p.launch {
			kernels += at
		}
	}
	t.Time = max(t.Time, 0)
	switch {
	case s.scaled && network != 1:
		t.Time = device.Time(math.Round(network * float64(t.Time)))
		return network
	case s.kernels == 0:
		return 1
	}
	return float64(kernels) / float64(s.kernels)
}
