// Package generator is the command generator that PIMFlow (CGO 2023) published with its
// artifact, faults included: what this project's mapping is compared with.
//
// A convolution or a matrix times a vector goes in; out come the command streams of the
// channels, in the artifact's commands or translated to another DRAM standard, and a
// device whose times they are. The generator computes no values and tells no weights
// apart. It shares nothing with the mapping of package pim but the names of commands and
// the cost of the link.
package generator

import (
	"fmt"
	"io"

	"pimflow/internal/dram"
)

// Layer is the arguments of the published generator pim_codegen: a convolution and the
// PIM channels. The generator knows no batch, no groups and no dilation; a fully connected
// layer is a 1x1 convolution with H and W 1.
type Layer struct {
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

// Code is the commands of a layer. They serve timing only: addresses do not tell weights
// apart (a convolution has row 0 only), and some computations are lost where pieces do not
// divide.
type Code struct {
	Channels []dram.Stream // the artifact simulates the first only
	Groups   []int         // chosen for each segment

	texts []string        // of buffer writes, by segment
	parts [][]dram.Stream // of Channels, by segment
}

// Conv generates the commands of a convolution as the artifact does
// (PIMFlow, pim/main.cc), losses and repetitions included; the error names an
// argument out of range.
func Conv(l Layer) (*Code, error) {
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
	k := ceilDiv(l.IC*l.KH*l.KW, lanes) * lanes
	groups := ceilDiv(l.OC, banks)

	var segments []segment
	if k <= bufferElements {
		s := segment{units: fold(pixels, k, groups)}
		if l.KH > 1 || l.KW > 1 {
			// Count, stride and count of a strided write, with h and kh where w and kw would be right.
			s.text = fmt.Sprintf("%d %d %d", l.IC*l.KH, l.IC*(l.H-l.KH), l.IC*l.KH)
		}
		segments = append(segments, s)
	} else {
		segments = append(segments, segment{units: fold(k/bufferElements*pixels, bufferElements, groups)})
		if rest := k % bufferElements; rest > 0 {
			segments = append(segments, segment{units: fold(pixels, rest, groups)})
		}
	}
	return schedule(segments, l.Channels, l.Buffers, l.Repairs)
}

// Gemv generates the commands of a matrix of rows x cols times a vector
// as the artifact's TVM back end does for fully connected layers
// (OutputNewtonTrace, then the scheduler of Conv).
func Gemv(rows, cols, channels, buffers int, r Repairs) (*Code, error) {
	if rows < 1 || cols < 1 {
		return nil, fmt.Errorf("published generator: a matrix of %d x %d: at least 1 x 1 wanted", rows, cols)
	}
	groups := ceilDiv(rows, banks)
	u := unit{count: cols / bufferElements, groups: groups, acts: 4, inputs: bufferElements, step: 1}
	if groups == 1 {
		u.acts = ceilDiv((rows-1)%banks+1, 4) // the template is the first group, here also the last
	}
	u.pieces = []piece{{0, bufferElements / lanes}}
	s := segment{}
	if u.count > 0 {
		s.units = append(s.units, u)
	}
	if rest := cols % bufferElements; rest > 0 {
		u.chunk, u.count, u.inputs = u.count, 1, ceilDiv(rest, lanes)*lanes
		u.pieces = []piece{{0, ceilDiv(rest, lanes)}}
		s.units = append(s.units, u)
	}
	return schedule([]segment{s}, channels, buffers, r)
}

// WriteTrace prints the program of a channel as the generator's .pim file.
func (p *Code) WriteTrace(w io.Writer, channel int) error {
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
	lanes          = 16
	banks          = 16
	bufferElements = 512
)

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// segment is a list of units that is scheduled on its own.
type segment struct {
	units []unit
	text  string // after GWRITE_g
}

// unit is count equal units of work. A unit is a buffer write and, for
// each 16 output channels, a group: activations and pieces. Only the first group
// counts, as the template of all.
type unit struct {
	count  int
	groups int
	acts   int // activations of a group
	inputs int // of the buffer write
	pieces []piece
	chunk  int // of the inputs, the first unit's
	step   int // chunks from a unit to the next
}

// piece is a run of computations over columns, and the reading of its result.
type piece struct{ col, comps int }

// fold cuts columns of k inputs each into units that fill the buffer.
func fold(columns, k, groups int) []unit {
	fold := bufferElements / k
	u := unit{count: ceilDiv(columns, fold), groups: groups, acts: 4, inputs: fold * k}
	for i := range fold {
		u.pieces = append(u.pieces, piece{i * k / lanes, k / lanes})
	}
	return []unit{u}
}

// schedule distributes segments over channels. For each it tries 1, 2,
// 4, … groups of channels and keeps the one whose first channel has the fewest
// activations, then the shortest text, then the fewest groups (policy_auto).
func schedule(segments []segment, channels, buffers int, r Repairs) (*Code, error) {
	if channels < 1 {
		return nil, fmt.Errorf("published generator: n_channel: %d: at least 1 wanted", channels)
	}
	if buffers < 1 {
		return nil, fmt.Errorf("published generator: gw: %d: at least 1 wanted", buffers)
	}
	code := &Code{Channels: make([]dram.Stream, channels)}
	for _, s := range segments {
		var best []dram.Stream
		groups, acts, size := 0, 0, 0
		for g := 1; g <= min(buffers, channels); g *= 2 {
			n := channels / g
			blocks := make([][][]group, len(s.units))
			for i := range s.units {
				blocks[i] = s.units[i].distribute(n, r)
			}
			streams := s.streams(blocks, g, channels)
			if a, b := traceSize(streams[0], s.text); best == nil || a < acts || a == acts && b < size {
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

// group is what a channel does under one set of activations.
type group []piece

// distribute shares the groups of a unit among n channels (policy_readres_auto).
// It changes the unit, and that stays so for the next number of channels.
func (u *unit) distribute(n int, r Repairs) [][]group {
	for u.groups*len(u.pieces) <= n/2 {
		u.split(n/(u.groups*len(u.pieces)), r)
	}
	q := len(u.pieces)
	total := u.groups * q
	each := min(max(ceilDiv(total, n), 1), q)
	channels := make([][]group, n)
	for j, x := 0, 0; j < total; j, x = j+each, x+1 {
		var g group
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
func (u *unit) split(f int, r Repairs) {
	var parts []piece
	for i, p := range u.pieces {
		each := p.comps / f
		for t := range f {
			if r.Work {
				lo, hi := p.comps*t/f, p.comps*(t+1)/f
				parts = append(parts, piece{p.col + lo, hi - lo})
				continue
			}
			skip := t*each + i
			parts = append(parts, piece{p.col + skip, min(max(p.comps-skip, 0), each)})
		}
	}
	u.pieces = parts
}

// streams writes the units as programs: the list of units is cut into g runs, the
// channels into g groups, and a group does a run.
func (s *segment) streams(blocks [][][]group, g, channels int) []dram.Stream {
	total := 0
	for i := range s.units {
		total += s.units[i].count
	}
	run, n := ceilDiv(total, g), channels/g
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
