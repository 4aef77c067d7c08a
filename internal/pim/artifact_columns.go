package pim

import "pimflow/internal/dram"

// On returns the published streams in the commands of a standard: a buffer write is
// the columns that it implies, whole even where a channel multiplies a part of them,
// and a row is closed as soon as its last result is read, so that nothing in between
// waits for it. Work that the generator loses stays lost. The error is that the
// package has no mapping to the standard.
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
		default:
			for i, o := range publishedOps.act {
				if o == op {
					out, opened = append(out, dram.Do(dram.Command{Op: c.act[i]})), true
				}
			}
		}
	}
	if opened {
		out = append(out, dram.Do(dram.Command{Op: c.close}))
	}
	return out
}
