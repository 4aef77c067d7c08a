package published

import (
	"context"
	"fmt"
	"maps"

	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// Step is one step of the bridge from the published accounting to this project's.
type Step struct {
	Name  string
	About string // what changes, and the source of each number
	apply func(*Accounting)
}

// Steps lists the bridge in order; each step keeps the changes of those before.
var Steps = []Step{
	{"published", "the artifact's generator, rules and sums, mistakes included", func(*Accounting) {}},
	{"no dropped work", "the generator computes every product; squeeze-excite layers have all their inputs", func(a *Accounting) {
		a.System.Repairs.Work = true
		a.System.Columns1 = false
	}},
	{"activations", "a run of results that crosses from one set of activated rows to the next activates again", func(a *Accounting) {
		a.System.Repairs.Activations = true
	}},
	{"precharge and tRC", "open rows are precharged before others are activated: tRTP 2 + tRP 11 ck after the last column access, tRC 35 ck after the activation (GDDR6_3500 of the artifact's Ramulator)", func(a *Accounting) {
		a.timing("comp_act_ck", 2+11)
		a.timing("act_act_ck", 35)
	}},
	{"refresh", "tRFC 105 ns and tREFI 1666.5 ns of GDDR6 (aim_simulator: 210 and 3333 cycles of 0.5 ns) for the artifact's 400 and 2171 ns of DDR3", func(a *Accounting) {
		a.timing("rfc_ck", 92)
		a.timing("refi_ck", 1458)
	}},
	{"PIM launches", "a piece of PIM work is launched and awaited like a GPU kernel (estimated)", func(a *Accounting) {
		a.Machine.Link.Launch = a.Machine.GPU.Launch
	}},
	{"fused kernels", "one GPU kernel a convolution, with bias, activation and residual inside, as inference libraries of today", func(a *Accounting) {
		a.Machine.GPU.Fused = true
		a.Machine.GPU.ConvLaunches = 0
	}},
	{"row-exact cuts", "every row cut, not tenths of the input", func(a *Accounting) { a.Splits = everyRow }},
	{"our pipelines", "two and three convolutions of any kind on alternating devices, at nine cuts", func(a *Accounting) { a.Chains = chains }},
	{"our mapping", "the generator of this project", func(a *Accounting) { a.Ours = true }},
	{"whole program", "segments overlap where they do not depend on each other; one pass with a warm L2", func(a *Accounting) { a.Overlap = true }},
	{"one rate a channel", "the PIM has the pins' rate that the GPU has, 32 B in 8/7 ns; waits for rows are those of such a GDDR6, in ns (the machine newton)", func(a *Accounting) {
		a.rate(ours())
	}},
	{"GPU calibrated", "kernels fitted to measurements, with the libraries, launches and tensor cores of the measured GPU (the machine newton); PIM work is launched for as long", func(a *Accounting) {
		m := ours()
		a.Machine.GPU, a.Machine.Memory.ChannelL2 = m.GPU, m.Memory.ChannelL2
		a.Machine.Link.Launch = m.GPU.Launch
	}},
}

// ours is the machine that the last steps lead to.
func ours() *hw.Machine {
	m, err := hw.Load("newton")
	if err != nil {
		panic(err) // it is built in
	}
	return m
}

// rate gives the channels the clock and the waits of another machine's. The waits that
// only the artifact has keep their ns.
func (a *Accounting) rate(m *hw.Machine) {
	from, to := &a.Machine.PIM, &m.PIM
	for _, key := range []string{"gwrite_act_extra_ck", "readres_gwrite_ck"} {
		a.timing(key, to.Clock.Cycles(from.Clock.PS(from.Timing[key])))
	}
	for _, key := range []string{"bl_ck", "ccds_ck", "cl_ck", "faw_ck", "rc_ck", "rcdr_ck", "refi_ck", "rfc_ck", "rp_ck"} {
		a.timing(key, to.Timing[key])
	}
	a.timing("comp_act_ck", to.Timing["rtp_ck"]+to.Timing["rp_ck"])
	a.timing("act_act_ck", to.Timing["rc_ck"])
	from.Clock, a.Machine.Memory.ChannelGBps = to.Clock, m.Memory.ChannelGBps
}

// timing changes a parameter of the machine, which the accounting owns.
func (a *Accounting) timing(key string, v int64) {
	if _, ok := a.Machine.PIM.Timing[key]; !ok {
		panic("published: no timing parameter " + key)
	}
	a.Machine.PIM.Timing[key] = v
}

// Row is the sum after a step.
type Row struct {
	Step
	Sum
}

// Bridge sums a network under the policy "pimflow" after each step; change, unless
// nil, is made before the first.
func Bridge(ctx context.Context, g *graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]Row, error) {
	a := New(own(m))
	if change != nil {
		change(a)
	}
	var rows []Row
	for i, st := range Steps {
		st.apply(a)
		s, err := a.Sum(ctx, g, "pimflow")
		if err != nil {
			return nil, fmt.Errorf("step %.80q: %w", st.Name, err)
		}
		rows = append(rows, Row{st, s})
		if progress != nil {
			progress(i+1, len(Steps))
		}
	}
	return rows, nil
}

// fork returns a copy that may be changed; both share what they compile.
func (a *Accounting) fork() *Accounting {
	c := *a
	c.Machine = own(a.Machine)
	return &c
}

// own returns a copy of a machine that may be changed.
func own(m *hw.Machine) *hw.Machine {
	c := *m
	c.PIM.Timing = maps.Clone(m.PIM.Timing)
	return &c
}

// Variant is one reading of what the published system's GPU baseline was: which
// tiles its library chose, whether a convolution has a kernel of offsets before
// it, and whether a residual addition behind a convolution on the PIM is a kernel.
// The artifact's traces are not public.
type Variant struct {
	Name     string
	Library  string // of package gpu's tiles
	Offsets  int    // launches before each dense convolution
	Residual bool   // Accounting.Residual
}

// Variants lists the readings; the first is the machine artifact's.
var Variants = []Variant{
	{"cuDNN tiles, 3 launches", "cudnn", 1, false},
	{"cuDNN tiles, 2 launches", "cudnn", 0, false},
	{"large tiles, 2 launches", "large", 0, false},
	{"large tiles, 3 launches", "large", 1, false},
	{"small tiles, 2 launches", "trt", 0, false},
	{"small tiles, 3 launches", "trt", 1, false},
	{"cuDNN tiles, 3 launches, additions", "cudnn", 1, true},
}

// read takes a reading of the GPU.
func (a *Accounting) read(v Variant) {
	a.Machine.GPU.Library, a.Machine.GPU.ConvLaunches, a.Residual = v.Library, v.Offsets, v.Residual
}

// VariantRow is the published accounting under one reading of the GPU.
type VariantRow struct {
	Variant
	Sums []Sum // by policy, as Policies
}

// Compare sums a network under every published policy and every variant; change,
// unless nil, is made to the accounting before.
func Compare(ctx context.Context, g *graph.Graph, m *hw.Machine, change func(*Accounting), progress func(done, total int)) ([]VariantRow, error) {
	var rows []VariantRow
	a := New(own(m))
	if change != nil {
		change(a)
	}
	for _, v := range Variants {
		a.read(v)
		row := VariantRow{Variant: v}
		for _, p := range Policies {
			s, err := a.Sum(ctx, g, p)
			if err != nil {
				return nil, fmt.Errorf("%s: policy %s: %w", v.Name, p, err)
			}
			row.Sums = append(row.Sums, s)
			if progress != nil {
				progress(len(rows)*len(Policies)+len(row.Sums), len(Variants)*len(Policies))
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Reported is what the artifact's README prints for a network: speed-ups of the
// convolutions alone by policy, end to end under pimflow, and the cycles of the GPU alone
// end to end. ok is false for other networks.
func Reported(network string) (convolutions map[string]float64, endToEnd, cycles float64, ok bool) {
	convolutions = map[string]float64{}
	for _, c := range Claims {
		switch {
		case c.Network != network:
			continue
		case c.Measure == Convolutions:
			convolutions[c.Policy] = c.Value
		case c.Measure == EndToEnd:
			endToEnd = c.Value
		case c.Measure == GPUAlone:
			cycles = c.Value
		}
		ok = true
	}
	return convolutions, endToEnd, cycles, ok
}
