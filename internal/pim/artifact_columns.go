package pim

import (
	"slices"

	"pimflow/internal/dram"
)

// On returns the published streams in the commands of a standard: a buffer write is
// the columns that it implies, whole even where a channel multiplies a part of them,
// and a row is closed as soon as its last result is read, so that nothing in between
// waits for it; where sums are set, one is as soon as the last is read, and a row is
// closed for the next, so that the mode is not changed in between. Work that the
// generator loses stays lost. The error is that the package has no mapping to the standard.
func (p *PublishedCode) On(std *dram.Standard) ([]dram.Stream, error) {
	c, err := newCommands(std)
	if err != nil {
		return nil, err
	}
	if !c.column {
		return p.Channels, nil
	}
	out := make([]dram.Stream, len(p.Channels))
	for i, s := range p.Channels {
		out[i] = translate(s, &c)
		if c.sets() && len(s) > 0 {
			out[i] = append(dram.Stream{dram.Do(dram.Command{Op: c.init})}, append(out[i], dram.Do(dram.Command{Op: c.close}))...)
		}
	}
	return out, nil
}

func translate(s dram.Stream, c *commands) dram.Stream {
	var out dram.Stream
	opened := false
	for _, it := range s {
		if it.Times > 0 {
			out = append(out, dram.Loop(it.Times, translate(it.Body, c)...))
			continue
		}
		switch op := it.Command.Op; op {
		case publishedOps.gwrite:
			out = append(out, dram.Loop(it.Command.Fill.Len/publishedLanes, dram.Do(dram.Command{Op: c.write[0]})))
		case publishedOps.comp:
			out = append(out, dram.Do(dram.Command{Op: c.comp[0]}))
		case publishedOps.readres:
			out = append(out, dram.Do(dram.Command{Op: c.read}))
			if c.sets() {
				out = append(out, dram.Do(dram.Command{Op: c.init}))
			}
		default:
			i := slices.Index(publishedOps.act[:], op)
			if i < 0 || i >= len(c.act) { // opened by the first ones already
				continue
			}
			if c.sets() && i == 0 {
				out = append(out, dram.Do(dram.Command{Op: c.close}))
			}
			out, opened = append(out, dram.Do(dram.Command{Op: c.act[i]})), true
		}
	}
	if opened && !c.sets() {
		out = append(out, dram.Do(dram.Command{Op: c.close}))
	}
	return out
}
