package pim

import (
	"fmt"

	"pimflow/internal/dram"
	"pimflow/internal/hw"
	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// accumulator is a sum of each MAC unit.
type accumulator struct {
	cleared bool      // a read leaves it ready for the next sum
	set     bool      // products may be added
	v       []float32 // by set of inputs and MAC unit
	whole   []float64 // in place of v, where sums are exact
	used    []bool    // by MAC unit: products have been added since
}

func newAccumulator(cleared bool, sets, units int, exact bool) accumulator {
	a := accumulator{cleared: cleared, set: cleared, used: make([]bool, units)}
	if exact {
		a.whole = make([]float64, sets*units)
	} else {
		a.v = make([]float32, sets*units)
	}
	return a
}

// unread panics if results are lost.
func (ch *performer) unread(when string) {
	for i := range ch.sums {
		for b, u := range ch.sums[i].used {
			if u {
				panic(fmt.Sprintf("pim: bank %d has a result that nothing reads before %s", b, when))
			}
		}
	}
}

// sum returns the accumulator that a command names.
func (ch *performer) sum(c *dram.Command, index []int) *accumulator {
	i := int(c.Acc.At(index))
	if i < 0 || i >= len(ch.sums) {
		panic(fmt.Sprintf("pim: accumulator %d of %d", i, len(ch.sums)))
	}
	return &ch.sums[i]
}

// init sets a sum to 0.
func (ch *performer) init(s *accumulator) {
	if s.set {
		panic("pim: a sum is set that has not been read")
	}
	s.set = true
}

// readFormat is the format of sums that are read out: the machine's, but where they are finished in the
// DRAM and do not pass the pins.
func (d *Device) readFormat() tensor.Type {
	if d.link.Finish.Where == hw.InDRAM {
		return tensor.Float32
	}
	return d.format
}

// readres adds the sums of the banks that have an output to the results.
func (ch *performer) readres(s *accumulator, at int) {
	n := ch.outputs(at, len(s.used))
	for i := range n {
		if !s.used[i] {
			panic(fmt.Sprintf("pim: READRES of bank %d, which has computed nothing", i))
		}
	}
	for k, to := range ch.reads {
		if first := k * len(s.used); s.whole != nil {
			v := s.whole[first : first+n]
			if ch.seen != nil {
				ch.seen(at, Sums{Exact: v})
			}
			for i, v := range v {
				to.Exact[at-ch.lo+i] += v
			}
		} else {
			v := s.v[first : first+n]
			tensor.RoundAll(ch.device.readFormat(), v, v)
			if ch.seen != nil {
				ch.seen(at, Sums{Rounded: v})
			}
			sum := to.Rounded[at-ch.lo:][:n]
			vector.Add(sum, sum, v)
		}
	}
	clear(s.v)
	clear(s.whole)
	clear(s.used)
	s.set = s.cleared
}
