package generator

import (
	"slices"

	"pimflow/internal/dram"
	"pimflow/internal/pim"
)

// On returns the streams in the commands of a standard. A buffer write becomes the
// column writes that it implies, all of them even where a channel multiplies a part. A row
// is closed right after its last result is read, so that nothing in between waits for it.
// Where a command sets accumulators, it follows each read, and a row is closed for the next
// activation only, since a close in between would change the mode. Work that the generator
// loses stays lost. The error says that package pim has no dialect for the standard.
func (p *Code) On(std *dram.Standard) ([]dram.Stream, error) {
	c, err := pim.NewCommands(std)
	if err != nil {
		return nil, err
	}
	if std.Name == "artifact" {
		return p.Channels, nil
	}
	t := translator{c, len(c.Init) > 0}
	out := make([]dram.Stream, len(p.Channels))
	for i, s := range p.Channels {
		out[i] = t.stream(s)
		if t.late && len(s) > 0 {
			out[i] = slices.Concat(commands(c.Init), out[i], commands(c.Close))
		}
	}
	return out, nil
}

// translator writes streams of the standard artifact in the commands of another one.
type translator struct {
	*pim.Commands
	late bool // a row is closed where the next is opened
}

func commands(ops []dram.Op) (s dram.Stream) {
	for _, o := range ops {
		s = append(s, dram.Do(dram.Command{Op: o}))
	}
	return s
}

func (t translator) stream(s dram.Stream) dram.Stream {
	var out dram.Stream
	opened := false
	for _, it := range s {
		if it.Times > 0 {
			out = append(out, dram.Loop(it.Times, t.stream(it.Body)...))
			continue
		}
		switch op := it.Command.Op; op {
		case artifact.gwrite:
			out = append(out, dram.Loop(it.Command.Fill.Len/lanes, dram.Do(dram.Command{Op: t.Write[0]})))
		case artifact.comp:
			out = append(out, dram.Do(dram.Command{Op: t.Comp[0]}))
		case artifact.readres:
			out = append(append(out, dram.Do(dram.Command{Op: t.Read})), commands(t.Init)...)
		default:
			i := slices.Index(artifact.act[:], op)
			if i < 0 || i >= len(t.Open) { // the first activations have opened these banks
				continue
			}
			if t.late && i == 0 {
				out = append(out, commands(t.Close)...)
			}
			out, opened = append(out, dram.Do(dram.Command{Op: t.Open[i]})), true
		}
	}
	if opened && !t.late {
		out = append(out, commands(t.Close)...)
	}
	return out
}
