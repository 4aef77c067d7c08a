package calibrate

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"testing"

	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

var long = flag.Bool("long", false, "cross-validate every variant of the model that was tried (go test -run Variants -v -long)")

// more is what a variant adds to the model; the zero value adds nothing.
type more struct {
	choice    float64 // 1/q: a library takes a tile with a chance in proportion to its time to the power of -q
	gather    float64 // factor on fetching the operands of a convolution of several taps
	kxk       float64 // and on its products
	oneByOne  float64 // factor on fetching the operands of a 1x1 convolution
	missing   float64 // by how much more a k-iteration waits when all operands come from the DRAM
	wave      float64 // cycles that each wave of CTAs starts with
	missFrom  float64 // the share of the L2 above which a working set begins to miss, and half of that where all does
	narrow    float64 // factor on products and fetching in convolutions' tiles of 64 columns and at least 128 rows
	kpixels   float64 // factor on fetching the pixels of a convolution of several taps
	perPlane  float64 // cycles of a plane in a depthwise kernel
	noThin    bool    // no tiles of 64 rows in convolutions
	trtTiles  bool    // small tiles in them too
	moreTiles bool    // one of 64x64
}

// predict is predict once more, written for reading, with the extras.
func (e *more) predict(s *Set, b *hw.Board, chosen bool, out []float64) {
	m := gpu.NewModel(b.Machine(elementSize[s.dtype]), b.Memory.Channels)
	list, splits := tiles(s.stack, s.Op, s.dtype, b, m)
	if s.Op == "conv" && s.stack.prefix == "deepbench" {
		switch {
		case e.trtTiles:
			list = m.Launchable(gpu.Library("trt"))
		case e.moreTiles:
			list = m.Launchable(gpu.Library("cublas"))
		case e.noThin:
			var wide []gpu.Tile
			for _, t := range list {
				if t.M > 64 {
					wide = append(wide, t)
				}
			}
			list = wide
		}
	}
	for i, k := range s.kernels {
		us := 0.0
		switch {
		case k.stream != nil:
			us = m.Stream(*k.stream).US
		case k.direct != nil:
			d := *k.direct
			us = m.Direct(d).US
			if e.perPlane > 0 {
				us += e.perPlane * d.Outs / float64(d.Plane) / float64(m.SMs) / (m.GHz * 1e3)
			}
		case k.known.M > 0 && !chosen && m.Fits(k.known):
			us = e.product(m, k, []gpu.Tile{k.known}, splits)
		default:
			us = e.product(m, k, list, splits)
		}
		out[i] = max(s.floor(), startOf(b, s.Name)+us)
	}
}

func (e *more) product(m *gpu.Model, k kernel, list []gpu.Tile, splits []int) float64 {
	g := k.gemm
	taps := k.row.R * k.row.S // 0 of a product
	if e.missFrom > 0 {
		miss := min(max((g.A+g.B+g.O)/m.L2/e.missFrom-1, 0), 1)
		g.MissA, g.MissB, g.MissO = miss, miss, miss
	}
	var fit []gpu.Tile
	small := list[0]
	for _, t := range list {
		if t.M < 2*max(64, g.M) && t.N < 2*max(64, g.N) {
			fit = append(fit, t)
		}
		if t.M*t.N < small.M*small.N {
			small = t
		}
	}
	if fit == nil {
		fit = []gpu.Tile{small}
	}
	var times []float64
	best := math.Inf(1)
	for _, t := range fit {
		for _, split := range splits {
			if kb := t.RowBytes / m.ElementSize; split == 1 || (g.K+kb*split-1)/(kb*split) >= 4 {
				times = append(times, e.candidate(m, g, taps, t, split))
				best = min(best, times[len(times)-1])
			}
		}
	}
	if e.choice == 0 {
		return best
	}
	sum, weights := 0.0, 0.0
	for _, t := range times {
		w := math.Pow(t/best, -1/e.choice)
		sum, weights = sum+w*t, weights+w
	}
	return sum / weights
}

func (e *more) candidate(m *gpu.Model, g gpu.GEMM, taps int, t gpu.Tile, split int) float64 {
	factor := func(x float64, on bool) float64 {
		if x > 0 && on {
			return x
		}
		return 1
	}
	up := func(a, b int) int { return (a + b - 1) / b }
	size := float64(m.ElementSize)
	kb := t.RowBytes / m.ElementSize
	rows, cols := up(g.M, t.M), up(g.N, t.N)
	n, iterations := rows*cols*g.G*split, float64(up(g.K, kb*split))
	registers := min(255, t.M*t.N/(32*t.Warps)+64)
	occupancy := min(m.Smem/(t.Stages*(t.M+t.N)*t.RowBytes), m.Threads/(32*t.Warps), m.Registers/(registers*32*t.Warps), m.CTAs)

	mma := float64(t.M*t.N*kb) / (m.MACs * m.Eta) * factor(e.kxk, taps > 1)
	fetch := (float64(t.M)*factor(m.Pixels, g.Conv)*factor(e.kpixels, taps > 1) + float64(t.N)) * float64(t.RowBytes) / m.L2SM * factor(e.gather, taps > 1) * factor(e.oneByOne, taps == 1)
	mma *= factor(e.narrow, taps > 0 && t.N == 64 && t.M >= 128)
	fetch *= factor(e.narrow, taps > 0 && t.N == 64 && t.M >= 128)
	if m.ElementSize == 4 && g.Taps == 9 && !g.Strided {
		mma /= cmp.Or(m.Winograd, 1)
	}
	own := mma * max(1, 4/float64(t.Warps))
	wait := m.Lam * (1 + e.missing*(g.A*g.MissA+g.B*g.MissB)/(g.A+g.B))
	switch {
	case g.Strided:
		wait *= cmp.Or(m.Stride, 1)
	case m.WideTaps > 0 && g.Taps >= m.WideTaps:
		wait *= cmp.Or(m.Wide, 1)
	}
	alone := max(wait+m.Om*own, own)
	if split > 1 {
		size = 4
	}
	store := m.Epi * float64(t.M*t.N) * size / m.L2SM
	cycles := 0.0
	for left := n; left > 0; left -= m.SMs * occupancy {
		here := float64(min(occupancy, up(left, m.SMs)))
		cycles += iterations*max(alone, here*max(mma, fetch)) + here*store + e.wave
		if left > 4*m.SMs*occupancy { // all but the last waves are alike
			same := left/(m.SMs*occupancy) - 2
			cycles += float64(same) * (iterations*max(alone, here*max(mma, fetch)) + here*store + e.wave)
			left -= same * m.SMs * occupancy
		}
	}
	running := float64(min(n, m.SMs*occupancy))
	passes := func(bytes float64, tiles, across int) float64 {
		if bytes <= 0.75*m.L2 {
			return 1
		}
		return math.Ceil(float64(tiles) / max(1, running/float64(across*g.G)))
	}
	bytes := g.A*g.MissA + g.B*g.MissB + g.O*g.MissO + min(g.A*(passes(g.A, cols, rows)-1), g.B*(passes(g.B, rows, cols)-1))
	sm, dram := cycles/(m.GHz*1e3), bytes/(m.GBps*m.EtaD*1e3)
	if g.Transposed {
		dram *= cmp.Or(m.Transposed, 1)
	}
	us := max(sm, dram)
	if sm > 0 && dram > 0 {
		us = math.Pow(math.Pow(sm, m.P)+math.Pow(dram, m.P), 1/m.P)
	}
	if split > 1 {
		us += m.TK2 + 2*float64(split)*float64(g.M)*float64(g.N)*4*float64(g.G)/(2*m.GBps*1e3)
	}
	return us
}

// TestNaive: the model and its second implementation agree on every measured kernel.
func TestNaive(t *testing.T) {
	for _, c := range []*Calibration{calibration(t, "t4", nil), published(t)} {
		n := 0
		for _, s := range makeSets(all(t), c.boards, "turing") {
			if len(s.kernels) == 0 {
				continue
			}
			want, got := make([]float64, len(s.kernels)), make([]float64, len(s.kernels))
			for _, chosen := range []bool{false, true} {
				predict(s, c.boards[s.gpu], chosen, want)
				(&more{}).predict(s, c.boards[s.gpu], chosen, got)
				for i := range want {
					n++
					if math.Abs(got[i]/want[i]-1) > 1e-9 {
						t.Errorf("%s: %.9g us: %.9g wanted", s.kernels[i].row.Place, got[i], want[i])
					}
				}
			}
		}
		if n < 1000 {
			t.Errorf("%d kernels compared", n)
		}
	}
}

// validate cross-validates a variant: the loss of the rows left out, and the fitted
// value of an extra with its deviation.
func validate(t *testing.T, m *Measured, edit func(b *hw.Board), e *more, fitted *float64, low, high float64) (*Calibration, float64) {
	c := calibration(t, "t4", edit)
	c.predict = e.predict
	if fitted != nil {
		before := parameters
		defer func() { parameters = before }()
		parameters = append(parameters[:len(parameters):len(parameters)], parameter{path: "extra", of: func(*hw.GPU) *float64 { return fitted }, low: low, high: high})
	}
	kernels := &Measured{Rows: m.Rows}
	if err := c.Fit(t.Context(), kernels); err != nil {
		t.Fatal(err)
	}
	return c, c.lost()
}

// TestVariants prints what was tried.
func TestVariants(t *testing.T) {
	if !*long {
		t.Skip("a minute: -long")
	}
	m := all(t)
	plain := func(b *hw.Board) {
		b.GPU.Model.Plane, b.GPU.Model.Stages, b.GPU.Model.Pixels, b.GPU.Model.Transposed = 1, 0, 1, 0
	}
	matrix := func(b *hw.Board) { b.GPU.Model.Pixels = 1 }
	show := func(name string, edit func(b *hw.Board), e *more, fitted *float64, low, high float64) float64 {
		c, lost := validate(t, m, edit, e, fitted, low, high)
		line := fmt.Sprintf("%-36s %6.3f", name, lost)
		for _, set := range []string{"T4 fp16 conv", "T4 fp16 gemm", "T4 int8 conv", "TITANRTX int8 conv", "TITANRTX int8 dwconv", "V100 fp16 conv", "V100 fp16 gemm"} {
			for _, o := range c.outside {
				if o.set == set {
					var measured []float64
					for _, r := range o.rows {
						measured = append(measured, r.US)
					}
					s := score(o.predicted, measured)
					line += fmt.Sprintf("  %5.1f %.3f", 100*s.MAPE, s.Spearman)
				}
			}
		}
		if fitted != nil {
			for _, p := range c.Parameters {
				if p.Path == "extra" {
					line += fmt.Sprintf("  fitted %.3g ± %.0f %%", p.Value, 100*p.Sigma)
				}
			}
		}
		t.Log(line)
		return lost
	}
	t.Logf("%-36s %6s  error and rank of %s", "variant", "loss", "T4 fp16 conv, gemm, int8 conv, TITAN RTX conv (tile known), dwconv, V100 conv, gemm")
	first := show("published form", plain, &more{}, nil, 0, 0)
	kept := show("kept: the next three together", nil, &more{}, nil, 0, 0)
	if kept > 0.9*first {
		t.Errorf("cross-validated loss %.3f: published form %.3f", kept, first)
	}
	show("one stage", func(b *hw.Board) { plain(b); b.GPU.Model.Stages = 1 }, &more{}, nil, 0, 0)
	show("dearer pixels", func(b *hw.Board) { plain(b); b.GPU.Model.Pixels = 1.1 }, &more{}, nil, 0, 0)
	for _, n := range []int{64, 128, 256, 512, 1024} {
		show(fmt.Sprintf("planes of %d", n), func(b *hw.Board) { plain(b); b.GPU.Model.Plane = n }, &more{}, nil, 0, 0)
	}
	kxk, gather, oneByOne, choice, missing, wave, plane := more{kxk: 1.1}, more{gather: 1.1}, more{oneByOne: 1.1}, more{choice: 0.05}, more{missing: 0.3}, more{wave: 300}, more{perPlane: 10}
	narrow, kpixels := more{narrow: 1.1}, more{kpixels: 1.5}
	show("published + start of each plane", plain, &plane, &plane.perPlane, 1e-2, 1e4)
	show("kept, dearer pixels of kxk only", matrix, &kpixels, &kpixels.kpixels, 0.1, 10)
	show("kept, dearer narrow tiles instead", matrix, &narrow, &narrow.narrow, 0.1, 10)
	show("kept + dearer narrow tiles", nil, &narrow, &narrow.narrow, 0.1, 10)
	show("kept + tiles by chance", nil, &choice, &choice.choice, 1e-3, 1)
	show("kept + dearer fetch of kxk", nil, &gather, &gather.gather, 0.1, 10)
	show("kept + dearer products of kxk", nil, &kxk, &kxk.kxk, 0.1, 10)
	show("kept + dearer fetch of 1x1", nil, &oneByOne, &oneByOne.oneByOne, 0.1, 10)
	show("kept + longer wait for the DRAM", nil, &missing, &missing.missing, 1e-3, 10)
	show("kept + start of each wave", nil, &wave, &wave.wave, 1, 1e5)
	for _, x := range []float64{0.6, 0.7, 0.8, 0.9, 1} {
		show(fmt.Sprintf("kept + L2 misses from %.1f", x), nil, &more{missFrom: x}, nil, 0, 0)
	}
	show("kept + cuDNN's tiles and 64x64", nil, &more{moreTiles: true}, nil, 0, 0)
	show("kept + TensorRT's tiles in cuDNN", nil, &more{trtTiles: true}, nil, 0, 0)
	show("kept - cuDNN's tiles of 64 rows", nil, &more{noThin: true}, nil, 0, 0)
}
