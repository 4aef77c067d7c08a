package zoo

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// layers lists the contractions of a graph in order, as testdata/*.tsv does.
func layers(g *graph.Graph) (rows []string, macs int64) {
	dims := func(nd *graph.Node, attr string) string {
		if nd.Op.Name != "Conv" {
			return "-"
		}
		return tensor.Shape(nd.Attrs.Ints(attr)).String()
	}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Op == nil || nd.Op.MACs == nil {
			continue
		}
		group := "-"
		if nd.Op.Name == "Conv" {
			group = fmt.Sprint(nd.Attrs.Int("group"))
		}
		n := g.MACs(g.Whole(nd.ID))
		macs += n
		rows = append(rows, strings.Join([]string{
			nd.Op.Name, g.Nodes[nd.In[1]].Shape.String(), nd.Shape.String(),
			dims(nd, "strides"), dims(nd, "pads"), group, fmt.Sprint(n),
		}, "\t"))
	}
	return rows, macs
}

func parameters(g *graph.Graph) (n int) {
	for _, nd := range g.Nodes {
		if nd.Const != nil {
			n += nd.Shape.Size()
		}
	}
	return n
}

func build(t testing.TB, name string, batch int) *graph.Graph {
	t.Helper()
	g, err := Build(name, batch)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The lists in testdata come from torchvision's own export of each network.
func TestLayersAreTorchvisions(t *testing.T) {
	for _, name := range Names() {
		if name == "toy" {
			continue // see TestToy
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + name + ".tsv")
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			var wantMACs int64
			var wantParameters int
			for line := range strings.Lines(string(text)) {
				line = strings.TrimSpace(line)
				switch {
				case strings.HasPrefix(line, "# total_macs"):
					_, err = fmt.Sscanf(line, "# total_macs %d", &wantMACs)
				case strings.HasPrefix(line, "# total_parameters"):
					_, err = fmt.Sscanf(line, "# total_parameters %d", &wantParameters)
				case !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "op\t"):
					want = append(want, line)
				}
				if err != nil {
					t.Fatal(line, err)
				}
			}
			g := build(t, name, 1)
			got, macs := layers(g)
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("layer %d:\n got %s\nwant %s", i, got[i], want[i])
				}
			}
			if len(got) != len(want) || macs != wantMACs || parameters(g) != wantParameters {
				t.Errorf("%d layers, %d MACs, %d parameters: %d, %d, %d wanted",
					len(got), macs, parameters(g), len(want), wantMACs, wantParameters)
			}
		})
	}
}

// The residual sums and the activations are not contractions: their numbers are
// those of the exported files.
func TestOperatorCounts(t *testing.T) {
	for name, want := range map[string]string{
		"densenet-121":    "AveragePool 3, BatchNormalization 62, Concat 58, Conv 120, Gemm 1, GlobalAveragePool 1, MaxPool 1, Relu 121, Reshape 1",
		"inception-v3":    "AveragePool 9, Concat 11, Conv 94, Gemm 1, GlobalAveragePool 1, MaxPool 4, Relu 94, Reshape 1",
		"efficientnet-b0": "Add 9, Conv 81, Gemm 1, GlobalAveragePool 17, Mul 16, Reshape 1, Sigmoid 16, Swish 49",
		"mnasnet-1.0":     "Add 10, Conv 52, Gemm 1, GlobalAveragePool 1, Relu 35, Reshape 1",
		"mobilenet-v2":    "Add 10, Clip 35, Conv 52, Gemm 1, GlobalAveragePool 1, Reshape 1",
		"resnet-50":       "Add 16, Conv 53, Gemm 1, GlobalAveragePool 1, MaxPool 1, Relu 49, Reshape 1",
		"toy":             "Add 1, Clip 1, Conv 7, Gemm 1, GlobalAveragePool 2, MaxPool 1, Mul 1, Relu 3, Reshape 1, Sigmoid 1, Swish 1",
		"vgg-16":          "Conv 13, Gemm 3, MaxPool 5, Relu 15, Reshape 1",
	} {
		count := map[string]int{}
		for _, nd := range build(t, name, 1).Nodes {
			if nd.Op != nil {
				count[nd.Op.Name]++
			}
		}
		var got []string
		for op, n := range count {
			got = append(got, fmt.Sprint(op, " ", n))
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s:\n got %s\nwant %s", name, s, want)
		}
	}
}

// Shapes, MACs and parameters of toy, worked out by hand.
func TestToy(t *testing.T) {
	g := build(t, "toy", 1)
	got, macs := layers(g)
	want := []string{
		"Conv\t16x8x3x3\t1x16x16x16\t1x1\t1x1x1x1\t1\t294912",
		"Conv\t32x16x1x1\t1x32x8x8\t1x1\t0x0x0x0\t1\t32768",
		"Conv\t32x1x3x3\t1x32x8x8\t1x1\t1x1x1x1\t32\t18432",
		"Conv\t8x32x1x1\t1x8x1x1\t1x1\t0x0x0x0\t1\t256",
		"Conv\t32x8x1x1\t1x32x1x1\t1x1\t0x0x0x0\t1\t256",
		"Conv\t16x32x1x1\t1x16x8x8\t1x1\t0x0x0x0\t1\t32768",
		"Conv\t32x16x1x1\t1x32x8x8\t1x1\t0x0x0x0\t1\t32768",
		"Gemm\t10x32\t1x10\t-\t-\t-\t320",
	}
	if !slices.Equal(got, want) || macs != 412480 {
		t.Errorf("%s\n%d MACs", strings.Join(got, "\n"), macs)
	}
	if n := parameters(g); n != 1168+544+320+264+288+528+544+330 {
		t.Errorf("%d parameters", n)
	}
}

func TestBatch(t *testing.T) {
	for _, name := range Names() {
		_, one := layers(build(t, name, 1))
		g := build(t, name, 3)
		_, three := layers(g)
		if three != 3*one {
			t.Errorf("%s: %d MACs for 3 images, %d for 1", name, three, one)
		}
		if out := g.Nodes[g.Outputs[0].ID].Shape; out[0] != 3 {
			t.Errorf("%s: output %v", name, out)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		batch int
		want  string
	}{
		{"resnet-5", 1, `network "resnet-5" is not known (did you mean "resnet-50"?)`},
		{"toy", 0, `network "toy": batch 0: 1 to 65536 wanted`},
	} {
		if _, err := Build(c.name, c.batch); err == nil || err.Error() != c.want {
			t.Errorf("Build(%q, %d): %v", c.name, c.batch, err)
		}
	}
}

func TestListIsSorted(t *testing.T) {
	if !slices.IsSorted(Names()) || len(Names()) != len(List()) {
		t.Error(Names())
	}
	for _, e := range List() {
		if e.About == "" || e.Source == "" || len(e.Input) != 3 {
			t.Errorf("%+v", e)
		}
	}
}

// The bits of weights are part of what a seeded network is: they may not depend
// on the platform, on the order of asking, or on the Go release.
func TestWeightsAreTheSameEverywhere(t *testing.T) {
	// splitmix64 of seed 0, first output 0xe220a8397b1dcdaf (the reference C
	// program): its upper 24 bits, 0xe220a8, are a little below 7/8 of 2^24.
	if v := uniform(0, 1, 1)[0]; v != (2*0xe220a8+1-0x1p24)/0x1p24 {
		t.Errorf("first value of seed 0: %v", v)
	}
	a, b := build(t, "toy", 1), build(t, "toy", 5)
	last := len(a.Nodes) - 1
	for i := range a.Nodes {
		x, y := a.Nodes[i].Const, b.Nodes[last-i].Const
		if x != nil {
			x.Floats()
		}
		if y != nil {
			y.Floats() // in the other order
		}
	}
	for i := range a.Nodes {
		if x, y := a.Nodes[i].Const, b.Nodes[i].Const; x != nil && !slices.Equal(x.Floats(), y.Floats()) {
			t.Errorf("%s differs", a.Nodes[i].Name)
		}
	}
}

func TestWeightsDifferAndAreCentred(t *testing.T) {
	g := build(t, "mobilenet-v2", 1)
	seen := map[float32]string{}
	for i := range g.Nodes {
		nd := &g.Nodes[i]
		if nd.Const == nil || nd.Shape.Size() < 1000 {
			continue
		}
		v := nd.Const.Floats()
		if other, dup := seen[v[0]]; dup {
			t.Errorf("%s starts as %s does", nd.Name, other)
		}
		seen[v[0]] = nd.Name
		sum, sq := 0.0, 0.0
		for _, x := range v {
			sum, sq = sum+float64(x), sq+float64(x)*float64(x)
		}
		n := float64(len(v))
		if mean, sd := sum/n, math.Sqrt(sq/n); math.Abs(mean) > 5*sd/math.Sqrt(n) {
			t.Errorf("%s: mean %g, standard deviation %g of %g values", nd.Name, mean, sd, n)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				build(b, name, 1)
			}
		})
	}
}
