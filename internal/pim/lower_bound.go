package pim

import "pimflow/internal/dram"

// LowerBound is a lower bound on the cycles of any mapping of a cut. MAC counts the products with
// all MAC units of all channels busy and COMPs as close as may be. Move counts the columns
// that hold each input that is read once and each result once, moved by writes and reads as
// close as may be and shared out to all channels. Padding, activations, turns of the bus and
// refreshes do not count.
type LowerBound struct{ MAC, Move dram.Cycle }

// Cycles is the larger of both.
func (f LowerBound) Cycles() dram.Cycle { return max(f.MAC, f.Move) }

// LowerBound is that of the code's cut.
func (c *mappedCode) LowerBound() LowerBound {
	d, l := c.device, c.layer
	products, inputs := 0, 0 // every product of a layer may need the same inputs
	for _, p := range l.products() {
		n, read := p.bound()
		products, inputs = products+n, max(inputs, read)
	}
	wait := func(o dram.Op) int { return int(max(1, d.channel.Wait(o, o))) }
	comps := ceilDiv(products, d.products())
	move := ceilDiv(inputs*l.sources(), d.traits.fill)*wait(d.ops.Write[0]) + ceilDiv(l.results(), d.results)*wait(d.ops.Read)
	return LowerBound{
		MAC:  dram.Cycle(ceilDiv(comps, d.channels) * wait(d.ops.Comp[0])),
		Move: dram.Cycle(ceilDiv(move, d.channels)),
	}
}

// bound counts the products of a single product of matrices that are no padding, and the inputs of a group.
func (l *layer) bound() (products, inputs int) {
	products, inputs = l.outs.Len()*l.channels(), l.channels()
	window := 0
	for _, a := range l.axes {
		if !a.window {
			products, inputs = products*a.Len(), inputs*a.Len()
			continue
		}
		taps, read := a.taps(l.taps.kernel[window], l.taps.dilation[window])
		products, inputs = products*taps, inputs*read
		window++
	}
	return products, inputs
}

// taps counts the taps of all positions of a window axis that are inside the input, and the
// positions of the input that they read.
func (a *axis) taps(kernel, dilation int) (taps, read int) {
	last := map[int]int{} // that was read, by remainder of the dilation; positions only grow
	for _, s := range a.classes(kernel, dilation) {
		taps += s.at.Len() * s.taps.Len()
		if s.taps.Len() == 0 {
			continue
		}
		for p := s.at.Lo; p < s.at.Hi; p++ {
			lo := p*a.stride - a.pad + s.taps.Lo*dilation
			hi := lo + (s.taps.Len()-1)*dilation
			before, ok := last[lo%dilation]
			if !ok || before < lo {
				before = lo - dilation
			}
			read += max(0, (hi-before)/dilation)
			last[lo%dilation] = max(hi, before)
		}
	}
	return taps, read
}
