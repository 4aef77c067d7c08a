package pim

import (
	"math"
	"slices"

	"pimflow/internal/device"
)

// Breakdown is the times that add up to the cost: the launch, both latencies of the link, the
// stream of the slowest channel by command, and "link" or "finish" where they take longer than
// all streams. A stream's terms are its commands, each times the cycles that one more of them
// takes. The rest has the word that Bound has for it; a negative rest is "overlap". "weights" is
// how much longer a channel takes that is written first, "inputs" where these are what is written.
//
// Bound compares launch and latency together, the stream, the link and the finish as
// wholes, and names the largest term of the stream where that is longest.
func (c *mappedCode) Breakdown() []device.Term {
	l, clock := c.device.link, c.device.m.Clock
	terms := []device.Term{{Name: "launch", Time: l.launch}, {Name: "latency", Time: 2 * l.latency}}
	stream := device.Time(clock.PS(c.cost.Stream))
	terms = append(terms, c.streamTerms(stream)...)
	longest := stream // of a channel, with its weights
	if c.layer.dynamic {
		longest = slices.Max(c.cost.Lanes)
		terms = append(terms, device.Term{Name: c.layer.storedWord(), Time: longest - stream})
	}
	w := c.traffic(c.layer)
	_, travel, finish := l.times(w)
	word := "link"
	if finish > travel {
		word = "finish"
	}
	terms = append(terms, device.Term{Name: word, Time: max(travel, finish, longest) - longest})
	if kernel, err := l.kernel(w); err == nil && kernel.Time > 0 { // an error would have been Compile's
		terms = append(terms, device.Term{Name: "finish", Time: kernel.Time - kernel.Launch})
		terms[0].Time += kernel.Launch
	}
	return device.Fill(terms, c.cost.Time)
}

// streamTerms are the terms of the slowest channel's stream, which takes the given time.
func (c *mappedCode) streamTerms(stream device.Time) []device.Term {
	d := c.device
	for _, s := range c.perChannel() {
		r := d.time(s)
		if int64(r.Cycles) != c.cost.Stream || stream == 0 {
			continue
		}
		list, rest := d.scheme.breakdown(d.scheme.work(s), r)
		var terms []device.Term
		left := stream
		for _, x := range list {
			t := device.Time(math.Round(x.cycles * d.m.Clock.Picoseconds()))
			left -= t
			terms = append(terms, device.Term{Name: x.word, Time: t})
		}
		if left < 0 {
			rest = "overlap"
		}
		return device.Fill(append(terms, device.Term{Name: rest, Time: left}), stream)
	}
	return nil
}
