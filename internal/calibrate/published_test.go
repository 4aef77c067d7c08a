package calibrate

import (
	"math"
	"slices"
	"testing"

	"pimflow/internal/gpu"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// published gives a calibration of t4 the published form of the model and its
// published numbers (testdata of package gpu: params).
func published(t testing.TB) *Calibration {
	c := calibration(t, "t4", func(b *hw.Board) {
		b.GPU.Model.Plane, b.GPU.Model.Stages, b.GPU.Model.Pixels, b.GPU.Model.Transposed, b.GPU.Model.TK2 = 1, 0, 1, 0, 2
		b.GPU.Model.Eta, b.GPU.Model.Lam, b.GPU.Model.Om, b.GPU.Model.Epi = 0.9223635083111562, 586.0647547718755, 0.594111151672819, 3.439267166528735
		b.GPU.Model.EtaD, b.GPU.Model.EtaDW, b.GPU.Model.P, b.GPU.L2SM = 0.7824907976970165, 0.36187484257155916, 4.616272745909954, 20.649893194340137
		b.GPU.Clock = period(1e3 / 1.1405263722114647)
		b.Start["T4 fp16 conv"], b.Start["T4 fp16 gemm"], b.Start["T4 int8 conv"] = 4.3366905061050955, 1.892239373511763, 11.216849092006044
		b.Start["T4 fp16 network TRT8"], b.Start["T4 fp16 network PPL"] = 5.75, 4.5
	})
	v := c.boards["v100"]
	v.GPU.Model, v.GPU.L2SM = c.Board.GPU.Model, c.Board.GPU.L2SM
	v.Start["V100 fp16 conv"], v.Start["V100 fp16 gemm"] = 4.3366905061050955, 3
	for _, op := range []string{"conv", "dwconv"} {
		c.boards["titanrtx"].Start["TITANRTX int8 "+op] = 4.654438422735103
	}
	return c
}

// publishedTable is the published validation on these rows: mean absolute error in %
// and Spearman's rank correlation.
var publishedTable = map[string]struct {
	n          int
	mape, rank float64
}{
	"T4 fp16 conv":                   {67, 7.3, 0.993},
	"T4 fp16 gemm":                   {112, 7.5, 0.993},
	"T4 int8 conv":                   {69, 11.3, 0.945},
	"TITANRTX int8 conv, tile known": {54, 3.9, 0.951},
	"TITANRTX int8 conv":             {54, 11.7, 0.860},
	"TITANRTX int8 dwconv":           {30, 8.9, 0.254},
	"V100 fp16 conv":                 {67, 13.7, 0.975},
	"V100 fp16 gemm":                 {112, 10.5, 0.992},
	"A100 fp16 conv":                 {14, 20.2, 0.916},
	"RTX3090 fp16 conv":              {44, 12.5, 0.905},
}

// TestPublishedTable: the published form with its numbers has the published errors.
func TestPublishedTable(t *testing.T) {
	scores, err := published(t).Score(t.Context(), all(t), false)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, s := range scores {
		t.Logf("%-32s n %3d MAPE %5.2f %% bias %+5.1f %% rank %.3f", s.Set, s.Model.N, 100*s.Model.MAPE, 100*s.Model.Bias, s.Model.Spearman)
		if w, ok := publishedTable[s.Set]; ok {
			found++
			if s.Model.N != w.n || math.Abs(100*s.Model.MAPE-w.mape) > 0.051 || math.Abs(s.Model.Spearman-w.rank) > 0.0006 {
				t.Errorf("%s: n %d, MAPE %.2f, rank %.4f: %v wanted", s.Set, s.Model.N, 100*s.Model.MAPE, s.Model.Spearman, w)
			}
		}
	}
	if found != len(publishedTable) {
		t.Errorf("%d of %d sets compared", found, len(publishedTable))
	}
}

// TestPublishedNetworks is the same for networks, whose concatenations the published
// form leaves out.
func TestPublishedNetworks(t *testing.T) {
	later := []string{"mnasnet1_0", "mobilenet_v2", "resnet50", "vgg16"} // measurements that the published errors are not of
	c, m := published(t), all(t)
	b := c.Board
	d, err := gpu.New(b.Machine(2), b.Memory.Channels)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		source     string
		mape, rank float64
	}{{"TRT8", 6.6, 0.991}, {"PPL", 12.1, 0.973}} {
		var times, measured []float64
		for _, n := range m.Networks {
			if n.set() != "T4 fp16 network "+w.source || slices.Contains(later, n.Name) {
				continue
			}
			g, err := c.graphs.get(t.Context(), &n)
			if err != nil {
				t.Fatal(err)
			}
			us := 0.0
			for i := range g.Nodes {
				if g.Nodes[i].Op == nil || g.Nodes[i].Op.Name == "Concat" {
					continue
				}
				code, err := d.Compile(g, g.Whole(graph.ID(i)))
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range code.(*gpu.Code).Kernels() {
					us += k.US + b.Start["T4 fp16 network "+w.source]
				}
			}
			times, measured = append(times, us), append(measured, n.US)
		}
		s := score(times, measured)
		t.Logf("%s: MAPE %.2f %%, rank %.3f", w.source, 100*s.MAPE, s.Spearman)
		if math.Abs(100*s.MAPE-w.mape) > 1 || math.Abs(s.Spearman-w.rank) > 0.01 {
			t.Errorf("%s: MAPE %.2f, rank %.3f: %v wanted", w.source, 100*s.MAPE, s.Spearman, w)
		}
	}
}
