package calibrate

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

// all reads every table that comes with the program.
func all(t testing.TB) *Measured {
	t.Helper()
	m := &Measured{}
	for _, name := range Tables() {
		f, err := OpenTable(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Read(name, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return m
}

func board(t testing.TB, name string) *hw.Board {
	t.Helper()
	b, err := hw.LoadBoard(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// calibration has the GPU called name, changed by edit, among all.
func calibration(t testing.TB, name string, edit func(b *hw.Board)) *Calibration {
	t.Helper()
	var boards []*hw.Board
	for _, n := range hw.BoardNames() {
		boards = append(boards, board(t, n))
	}
	b := board(t, name)
	if edit != nil {
		edit(b)
	}
	return New(b, boards)
}

// TestNetworks prints each network under each stack. The bounds are those that the
// documentation gives, rounded up.
func TestNetworks(t *testing.T) {
	c := calibration(t, "t4", nil)
	for _, n := range all(t).Networks {
		if n.set() != "T4 fp16 network "+n.Source {
			continue
		}
		x, err := c.graphs.network(t.Context(), c.Board, roofline{compute: 1, memory: 1}, &n)
		if err != nil {
			t.Fatal(err)
		}
		start := c.Board.Start["T4 fp16 network "+n.Source] * float64(x.kernels)
		e := (x.us+start)/n.US - 1
		t.Logf("%-5s %-17s %3d kernels, %5.0f us and %5.0f us to start them, %5.0f measured: %+.1f %%", n.Source, n.Name, x.kernels, x.us, start, n.US, 100*e)
		if math.Abs(e) > 0.24 {
			t.Errorf("%s under %s: %+.1f %%", n.Name, n.Source, 100*e)
		}
	}
}

// TestShipped: the GPU files hold what a fit to the tables gives, and the fit of the
// published form gives its published numbers within two standard deviations.
func TestShipped(t *testing.T) {
	m, kept := all(t), 0.0
	names := []string{"t4"}
	if *long {
		names = append(names, "rtx2060", "mi100", "v100") // more than a minute
	}
	for _, name := range names {
		c := calibration(t, name, nil)
		if err := c.Fit(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want := board(t, name)
		for _, p := range parameters {
			if got, want := *p.of(&c.Board.GPU), *p.of(&want.GPU); math.Abs(got/want-1) > 1e-3 {
				t.Errorf("%s: %s is %v in the file, %v fitted", name, p.path, want, got)
			}
		}
		for k, us := range want.Start {
			if math.Abs(c.Board.Start[k]/us-1) > 1e-3 {
				t.Errorf("%s: start_us.%s is %v in the file, %v fitted", name, k, us, c.Board.Start[k])
			}
		}
		if g, w := c.Board.GPU, want.GPU; math.Abs(float64(g.Launch)/float64(w.Launch)-1) > 1e-3 || math.Abs(g.Clock.GHz()/w.Clock.GHz()-1) > 1e-3 {
			t.Errorf("%s: launch %d, clock %v: %d, %v wanted", name, g.Launch, g.Clock, w.Launch, w.Clock)
		}
		for _, x := range errorClasses {
			if g, w := *x.of(&c.Board.GPU.Error), *x.of(&want.GPU.Error); math.Abs(g.Low-w.Low) > 0.002 || math.Abs(g.High-w.High) > 0.002 {
				t.Errorf("%s: %s is %v in the file, %v found", name, x.path, w, g)
			}
		}
		scores, err := c.Score(t.Context(), m, true)
		if err != nil {
			t.Fatal(err)
		}
		beatsRoofline(t, scores)
		if name == "t4" {
			kept = c.lost()
		}
	}

	c, before := published(t), published(t)
	if err := c.Fit(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if first := c.lost(); kept > 0.9*first {
		t.Errorf("cross-validated loss %.3f: published form %.3f", kept, first)
	}
	for _, p := range parameters {
		i := slices.IndexFunc(c.Parameters, func(x Parameter) bool { return x.Path == p.path })
		switch p.path {
		case "gpu.model.eta", "gpu.model.lam_ck", "gpu.model.om", "gpu.model.epi", "gpu.model.eta_dram", "gpu.l2_bytes_per_ck_sm", "gpu.model.p", "gpu.model.eta_dw":
		default: // not in the published form, or not fitted there
			continue
		}
		x, want := c.Parameters[i], *p.of(&before.Board.GPU)
		t.Logf("%s: %.4g ± %.1f %%, published %.4g", p.path, x.Value, 100*x.Sigma, want)
		if math.Abs(math.Log(x.Value/want)) > 2*x.Sigma {
			t.Errorf("%s: %v ± %.1f %%: %v wanted", p.path, x.Value, 100*x.Sigma, want)
		}
	}
}

// lost is the loss of the rows of the architecture, each shape left out of the fit.
func (c *Calibration) lost() (sum float64) {
	for _, o := range c.outside {
		if c.boards[o.gpu].Architecture == c.Board.Architecture && !strings.Contains(o.set, " fp32 ") {
			for i, p := range o.predicted {
				l, _ := loss(math.Log(p / o.rows[i].US))
				sum += l
			}
		}
	}
	return sum
}

// beatsRoofline: on every fitted set the model is at least as near as the roofline that is fitted to
// that set alone, each with the shape left out. Element-wise kernels above their floor are a
// roofline.
func beatsRoofline(t *testing.T, scores []SetScore) {
	for _, s := range scores {
		if s.Fitted && s.Model.N >= fewest && s.Folds != nil && s.Folds.MAPE > 1.001*s.Roofline.MAPE {
			t.Errorf("%s: model %+v, cross-validated %+v, roofline %+v", s.Set, s.Model, s.Folds, s.Roofline)
		}
	}
}

// TestRecovers makes measurements of the model itself at other numbers: the fit finds
// these numbers, and still does nearly when a tenth of the rows is three times too slow.
func TestRecovers(t *testing.T) {
	truth := calibration(t, "t4", func(b *hw.Board) {
		b.GPU.Model.Eta, b.GPU.Model.Lam, b.GPU.Model.Epi, b.GPU.Model.EtaD, b.GPU.L2SM = 0.7, 450, 2.5, 0.65, 26
		b.GPU.Clock = period(700)
	})
	m := &Measured{}
	for _, r := range all(t).Rows {
		if (r.GPU == "T4" || r.GPU == "TITANRTX") && r.Dtype != "fp32" {
			m.Rows = append(m.Rows, r)
		}
	}
	for _, s := range makeSets(m, truth.boards, "turing") {
		times := make([]float64, len(s.kernels))
		predict(s, truth.boards[s.gpu], false, times)
		for i, k := range s.kernels {
			k.row.US = times[i]
		}
	}
	for _, slow := range []int{0, 10} { // every so manyth row
		spoiled := &Measured{Rows: slices.Clone(m.Rows)}
		for i := range spoiled.Rows {
			if slow > 0 && i%slow == 3 {
				spoiled.Rows[i].US *= 3
			}
		}
		got := calibration(t, "t4", nil)
		if err := got.Fit(t.Context(), spoiled); err != nil {
			t.Fatal(err)
		}
		if slow > 0 { // the loss holds the parameters together, not each of them
			for _, s := range makeSets(m, got.boards, "turing") {
				times, want := make([]float64, len(s.kernels)), make([]float64, len(s.kernels))
				predict(s, got.boards[s.gpu], false, times)
				for i, k := range s.kernels {
					want[i] = k.row.US
				}
				if x := score(times, want); x.MAPE > 0.04 {
					t.Errorf("1 of %d rows slow: %s is %.1f %% off", slow, s.Name, 100*x.MAPE)
				}
			}
			continue
		}
		for _, p := range parameters {
			if g, w := *p.of(&got.Board.GPU), *p.of(&truth.Board.GPU); math.Abs(math.Log(g/w)) > 2e-3 {
				t.Errorf("%s = %.4g: %.4g wanted", p.path, g, w)
			}
		}
		if g, w := got.Board.GPU.Clock.GHz(), truth.Board.GPU.Clock.GHz(); math.Abs(math.Log(g/w)) > 2e-3 {
			t.Errorf("clock %.4g GHz: %.4g wanted", g, w)
		}
	}
}

// TestFile: what is written loads again, predicts the same, and is the same each time.
func TestFile(t *testing.T) {
	m := &Measured{}
	for i, r := range all(t).Rows {
		if i%4 == 0 {
			m.Rows = append(m.Rows, r)
		}
	}
	text := func() string {
		c := calibration(t, "t4", nil)
		if err := c.Fit(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := c.Board.Print(&b); err != nil {
			t.Fatal(err)
		}
		again, err := hw.ParseBoard("g.json", b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Board, again); d != "" {
			t.Errorf("read back:\n%s", d)
		}
		want, err := c.Score(t.Context(), m, false)
		if err != nil {
			t.Fatal(err)
		}
		loaded := New(again, []*hw.Board{c.boards["titanrtx"], c.boards["v100"], c.boards["a100"], c.boards["rtx3090"], c.boards["mi100"], c.boards["rtx2060"]})
		loaded.rooflines = c.rooflines
		got, err := loaded.Score(t.Context(), m, false)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("scores of the file:\n%s", d)
		}
		return b.String()
	}
	a, b := text(), text()
	if a != b {
		t.Errorf("two fits differ:\n%s", cmp.Diff(a, b))
	}
	for _, want := range []string{`"source": "fitted to deepbench_conv, deepbench_gemm, trtex_mbv2, trtex_mbv2nores by pimflow calibrate"`, `of measured over modelled time of `} {
		if !strings.Contains(a, want) {
			t.Errorf("no %s in\n%s", want, a)
		}
	}
}

// TestAlone: rows of one capped GPU do not tell its clock from efficiencies; the clock
// of the file stays.
func TestAlone(t *testing.T) {
	m := &Measured{}
	for _, r := range all(t).Rows {
		if r.GPU == "T4" {
			m.Rows = append(m.Rows, r)
		}
	}
	c := calibration(t, "t4", nil)
	clock := c.Board.GPU.Clock
	if err := c.Fit(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Parameters {
		if p.Path == "gpu.clock_ps" || p.Path == "gpu.model.eta_dw" {
			t.Errorf("%s was fitted", p.Path)
		}
	}
	if c.Board.GPU.Clock != clock {
		t.Errorf("clock %v: %v wanted", c.Board.GPU.Clock, clock)
	}
	if err := calibration(t, "a100", nil).Fit(t.Context(), m); err == nil || !strings.Contains(err.Error(), `"ampere"`) {
		t.Errorf("A100 from rows of T4: %v", err)
	}
}

// TestFolds: the folds cover each kernel once, and no shape is in two.
func TestFolds(t *testing.T) {
	c, m := calibration(t, "t4", nil), all(t)
	where, n := map[string]int{}, 0
	for f := range Folds {
		count := 0
		for _, s := range part(makeSets(m, c.boards, "turing"), func(x int) bool { return x == f }) {
			for _, k := range s.kernels {
				if g, ok := where[k.row.shape()]; ok && g != f {
					t.Errorf("%s is in folds %d and %d", k.row.Place, f, g)
				}
				where[k.row.shape()] = f
				count++
			}
		}
		if count < 40 {
			t.Errorf("fold %d has %d kernels", f, count)
		}
		n += count
	}
	total := 0
	for _, s := range makeSets(m, c.boards, "turing") {
		total += len(s.kernels)
		if s.N+s.Left == 0 || s.Left > 0 && s.Why == "" {
			t.Errorf("%s: %d, %d left out: %q", s.Name, s.N, s.Left, s.Why)
		}
	}
	if n != total {
		t.Errorf("%d kernels in folds of %d", n, total)
	}
}

func TestTiles(t *testing.T) {
	for name, want := range map[string]gpu.Tile{
		"sm75_xmma_fprop_implicit_gemm_interleaved_i8i8_tilesize64x32x64_stage1_warpsize2x1x1_g1_tensor8x8x16_simple_t1r1s1": {M: 64, N: 32, RowBytes: 64, Warps: 2, Stages: 1},
		"turing_fp16_i8816cudnn_int8_128x128_ldg16_relu_small_nt_v1|res":                                                     {M: 128, N: 128, RowBytes: 64, Warps: 4, Stages: 1},
		"x_i8816cudnn_int8_256x128_ldg16_relu":                                                                               {M: 256, N: 128, RowBytes: 64, Warps: 8, Stages: 1},
		"CudaDepthwiseConvolution":                                                                                           {},
		"":                                                                                                                   {},
	} {
		if got := tileIn(name, 1); got != want {
			t.Errorf("%s: %v: %v wanted", name, got, want)
		}
	}
	if got := tileIn("tilesize128x64x64_stage3_warpsize2x2x1_g1", 2); got != (gpu.Tile{M: 128, N: 64, RowBytes: 128, Warps: 4, Stages: 3}) {
		t.Error(got)
	}
}

func TestScore(t *testing.T) {
	s := score([]float64{11, 18, 33}, []float64{10, 20, 30})
	if s.N != 3 || math.Abs(s.MAPE-0.1) > 1e-12 || math.Abs(s.Bias-0.1/3) > 1e-12 || s.Spearman != 1 {
		t.Errorf("%+v", s)
	}
	if got, want := fmt.Sprint(ranks([]float64{3, 1, 3, 2})), "[2.5 0 2.5 1]"; got != want {
		t.Errorf("ranks %s: %s wanted", got, want)
	}
	if r := pearson(ranks([]float64{1, 2, 3, 4}), ranks([]float64{1, 2, 4, 3})); math.Abs(r-0.8) > 1e-12 {
		t.Errorf("rank correlation %v: 0.8 wanted", r)
	}
	if r := pearson([]float64{1, 1}, []float64{1, 2}); r != 0 {
		t.Errorf("correlation with a constant %v", r)
	}
	if q := quantile([]float64{1, 2, 3, 4, 5}, 0.1); math.Abs(q-1.4) > 1e-12 || quantile([]float64{7}, 0.9) != 7 {
		t.Errorf("quantile %v", q)
	}
}
