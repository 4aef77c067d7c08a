package pim

import (
	"fmt"
	"io"

	"pimflow/internal/dram"
)

// PublishedLayer is what PIMFlow's published generator pim_codegen is called
// with: a convolution and the PIM channels. It knows no batch, no groups and no
// dilation, and a fully connected layer is a 1x1 convolution with H and W 1.
type PublishedLayer struct {
	OC, IC, H, W, KH, KW, PH, PW, Stride int

	Channels int // PIM channels
	// Buffers is the most groups that channels may be cut into (gw), each with inputs
	// of its own. Groups without a channel are not tried: what the original does
	// then (a division by zero) has no meaning.
	Buffers int

	Repairs Repairs
}

// Repairs mends faults of the published generator, each by itself; the zero value
// is the generator as published.
type Repairs struct {
	Work        bool // what is split or shared keeps all its computations
	Activations bool // results that go on in the next group of rows activate them
}

// PublishedCode is what the published generator writes for a layer. It is for
// timing: the addresses do not tell weights apart (a convolution has row 0 only), and some computations are lost where pieces do not divide.
type PublishedCode struct {
	Channels []dram.Stream // the artifact simulates the first only
	Groups   []int         // chosen for each segment

	texts []string        // of buffer writes, by segment
	parts [][]dram.Stream // of Channels, by segment
}

// Published generates the commands of a convolution as the artifact does
// (PIMFlow, pim/main.cc), losses and repetitions included; the error names an
// argument out of range.
func Published(l PublishedLayer) (*PublishedCode, error) {
	for _, a := range []struct {
		name       string
		value, min int
	}{
		{"oc", l.OC, 1}, {"ic", l.IC, 1}, {"h", l.H, 1}, {"w", l.W, 1}, {"kh", l.KH, 1}, {"kw", l.KW, 1},
		{"ph", l.PH, 0}, {"pw", l.PW, 0}, {"stride", l.Stride, 1},
		{"h + 2 ph - kh", l.H + 2*l.PH - l.KH, 0}, {"w + 2 pw - kw", l.W + 2*l.PW - l.KW, 0},
	} {
		if a.value < a.min {
			return nil, fmt.Errorf("published generator: %s: %d: at least %d wanted", a.name, a.value, a.min)
		}
	}
	pixels := ((l.H+2*l.PH-l.KH)/l.Stride + 1) * ((l.W+2*l.PW-l.KW)/l.Stride + 1)
	k := publishedCeil(l.IC*l.KH*l.KW, publishedLanes) * publishedLanes
	groups := publishedCeil(l.OC, publishedBanks)

	var segments []publishedSegment
	if k <= publishedBuffer {
		s := publishedSegment{units: publishedFold(pixels, k, groups)}
		if l.KH > 1 || l.KW > 1 {
			// Count, stride and count of a strided write, with h and kh where w and kw would be right.
			s.text = fmt.Sprintf("%d %d %d", l.IC*l.KH, l.IC*(l.H-l.KH), l.IC*l.KH)
		}
		segments = append(segments, s)
	} else {
		segments = append(segments, publishedSegment{units: publishedFold(k/publishedBuffer*pixels, publishedBuffer, groups)})
		if rest := k % publishedBuffer; rest > 0 {
			segments = append(segments, publishedSegment{units: publishedFold(pixels, rest, groups)})
		}
	}
	return publishedSchedule(segments, l.Channels, l.Buffers, l.Repairs)
}

// PublishedGemv generates the commands of a matrix of rows x cols times a vector
// as the artifact's TVM back end does for fully connected layers
// (OutputNewtonTrace, then the scheduler of Published).
func PublishedGemv(rows, cols, channels, buffers int, r Repairs) (*PublishedCode, error) {
	if rows < 1 || cols < 1 {
		return nil, fmt.Errorf("published generator: a matrix of %d x %d: at least 1 x 1 wanted", rows, cols)
	}
	groups := publishedCeil(rows, publishedBanks)
	unit := publishedUnit{count: cols / publishedBuffer, groups: groups, acts: 4, inputs: publishedBuffer, step: 1}
	if groups == 1 {
		unit.acts = publishedCeil((rows-1)%publishedBanks+1, 4) // the template is the first group, here also the last
	}
	unit.pieces = []publishedPiece{{0, publishedBuffer / publishedLanes}}
	s := publishedSegment{}
	if unit.count > 0 {
		s.units = append(s.units, unit)
	}
	if rest := cols % publishedBuffer; rest > 0 {
		unit.chunk, unit.count, unit.inputs = unit.count, 1, publishedCeil(rest, publishedLanes)*publishedLanes
		unit.pieces = []publishedPiece{{0, publishedCeil(rest, publishedLanes)}}
		s.units = append(s.units, unit)
	}
	return publishedSchedule([]publishedSegment{s}, channels, buffers, r)
}

// WriteTrace prints the program of a channel as the generator's .pim file.
func (p *PublishedCode) WriteTrace(w io.Writer, channel int) error {
	for i, part := range p.parts {
		text := fmt.Sprintf("GWRITE_%d %s", p.Groups[i], p.texts[i])
		if err := dram.WriteTrace(w, part[channel], text); err != nil {
			return err
		}
	}
	return nil
}

// The generator's machine: inputs a column access multiplies, banks that do so at
// once, inputs the buffer holds (Newton, MICRO 2020, and pim/main.cc).
const (
	publishedLanes  = 16
	publishedBanks  = 16
	publishedBuffer = 512
)

func publishedCeil(a, b int) int { return (a + b - 1) / b }

// publishedSegment is a list of units that is scheduled on its own.
type publishedSegment struct {
	units []publishedUnit
	text  string // after GWRITE_g
}

// publishedUnit is count equal units of work. A unit is a buffer write and, for
// each 16 output channels, a group: activations and pieces. Only the first group
// counts, as the template of all.
type publishedUnit struct {
	count  int
	groups int
	acts   int // activations of a group
	inputs int // of the buffer write
	pieces []publishedPiece
	chunk  int // of the inputs, the first unit's
	step   int // chunks from a unit to the next
}

// publishedPiece is a run of computations over columns, and the reading of its result.
type publishedPiece struct{ col, comps int }

// publishedFold cuts columns of k inputs each into units that fill the buffer.
func publishedFold(columns, k, groups int) []publishedUnit {
	fold := publishedBuffer / k
	u := publishedUnit{count: publishedCeil(columns, fold), groups: groups, acts: 4, inputs: fold * k}
	for i := range fold {
		u.pieces = append(u.pieces, publishedPiece{i * k / publishedLanes, k / publishedLanes})
	}
	return []publishedUnit{u}
}

// publishedSchedule distributes segments over channels. For each it tries 1, 2,
// 4, … groups of channels and keeps the one whose first channel has the fewest
// activations, then the shortest text, then the fewest groups (policy_auto).
func publishedSchedule(segments []publishedSegment, channels, buffers int, r Repairs) (*PublishedCode, error) {
	if channels < 1 {
		return nil, fmt.Errorf("published generator: n_channel: %d: at least 1 wanted", channels)
	}
	if buffers < 1 {
		return nil, fmt.Errorf("published generator: gw: %d: at least 1 wanted", buffers)
	}
	code := &PublishedCode{Channels: make([]dram.Stream, channels)}
	for _, s := range segments {
		var best []dram.Stream
		groups, acts, size := 0, 0, 0
		for g := 1; g <= min(buffers, channels); g *= 2 {
			n := channels / g
			blocks := make([][][]publishedGroup, len(s.units))
			for i := range s.units {
				blocks[i] = s.units[i].distribute(n, r)
			}
			streams := s.streams(blocks, g, channels)
			if a, b := publishedText(streams[0], s.text); best == nil || a < acts || a == acts && b < size {
				best, groups, acts, size = streams, g, a, b
			}
		}
		for c, part := range best {
			code.Channels[c] = append(code.Channels[c], part...)
		}
		code.Groups = append(code.Groups, groups)
		code.texts = append(code.texts, s.text)
		code.parts = append(code.parts, best)
	}
	return code, nil
}

// publishedGroup is what a channel does under one set of activations.
type publishedGroup []publishedPiece

// distribute shares the groups of a unit among n channels (policy_readres_auto).
// It changes the unit, and that stays so for the next number of channels.
func (u *publishedUnit) distribute(n int, r Repairs) [][]publishedGroup {
	for u.groups*len(u.pieces) <= n/2 {
		u.split(n/(u.groups*len(u.pieces)), r)
	}
	q := len(u.pieces)
	total := u.groups * q
	each := min(max(publishedCeil(total, n), 1), q)
	channels := make([][]publishedGroup, n)
	for j, x := 0, 0; j < total; j, x = j+each, x+1 {
		var g publishedGroup
		for k := range min(each, total-j) {
			if r.Activations && k > 0 && (j+k)%q == 0 {
				channels[x%n] = append(channels[x%n], g)
				g = nil
			}
			if r.Work {
				g = append(g, u.pieces[(j+k)%q])
				continue
			}
			u.pieces[q-1] = u.pieces[k] // the generator's objects are shared
			g = append(g, u.pieces[q-1])
		}
		channels[x%n] = append(channels[x%n], g)
	}
	return channels
}

// split makes f pieces of each. As published, what f does not divide is lost, and
// piece i starts i columns late and loses as many at the end.
func (u *publishedUnit) split(f int, r Repairs) {
	var parts []publishedPiece
	for i, p := range u.pieces {
		each := p.comps / f
		for t := range f {
			if r.Work {
				lo, hi := p.comps*t/f, p.comps*(t+1)/f
				parts = append(parts, publishedPiece{p.col + lo, hi - lo})
				continue
			}
			skip := t*each + i
			parts = append(parts, publishedPiece{p.col + skip, min(max(p.comps-skip, 0), each)})
		}
	}
	u.pieces = parts
}

// streams writes the units as programs: the list of units is cut into g runs, the
// channels into g groups, and a group does a run.
func (s *publishedSegment) streams(blocks [][][]publishedGroup, g, channels int) []dram.Stream {
	total := 0
	for i := range s.units {
		total += s.units[i].count
	}
	run, n := publishedCeil(total, g), channels/g
	out := make([]dram.Stream, channels)
	for c := range g * n {
		from, to := c/n*run, min((c/n+1)*run, total)
		first := 0 // of the units i
		for i := range s.units {
			u := &s.units[i]
			if lo, hi := max(from-first, 0), min(to-first, u.count); lo < hi {
				out[c] = append(out[c], u.program(lo, hi-lo, blocks[i][c%n]))
			}
			first += u.count
		}
	}
	return out
}
