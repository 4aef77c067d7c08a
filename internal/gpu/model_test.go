package gpu

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"pimflow/internal/hw"
)

// golden is testdata/golden_vectors.json.
type golden struct {
	Params map[string]float64
	GPUs   map[string]struct {
		SM             int
		GHz            float64
		Mac            map[string]float64
		BW, L2         float64
		Smem, Thr, CTA int
		Regs           int
		L2SM           *float64
		FMA            float64
		WThrough       bool
	}
	Libs     map[string][][5]int
	Ramp     map[string]float64
	Cases    []goldenCase
	Networks map[string]map[string]struct {
		Cycles, Exec float64
		Launches     int
	} `json:"networks_conv3_dw2"`
}

type goldenCase struct {
	GPU, Fn, Dtype   string
	M, N, K          int
	Miss             float64
	Lib              string
	SplitK           []int
	Macs, Outs       float64
	US               float64
	Tile             [5]int
	Split, CTAs, Occ int
	TSM              float64 `json:"t_sm"`
	TDRAM            float64 `json:"t_dram"`
	DRAM, L2, Mac    float64
}

func readGolden(t testing.TB) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// model makes the model of a GPU of the file.
func (g golden) model(t testing.TB, name, dtype string) *Model {
	t.Helper()
	x, ok := g.GPUs[name]
	size := map[string]int{"fp16": 2, "int8": 1, "fp32": 4}[dtype]
	if !ok || size == 0 || x.Mac[dtype] == 0 {
		t.Fatalf("no GPU %s with %s", name, dtype)
	}
	p := g.Params
	m := &Model{
		GPUModel: hw.GPUModel{Eta: p["eta"], Lam: p["lam"], Om: p["om"], Epi: p["epi"], EtaD: p["etad"], EtaS: 0.8,
			EtaDW: p["etadw"], P: p["p"], Ramp: g.Ramp["hw"], TK2: 2},
		GHz: x.GHz, SMs: x.SM, MACs: x.Mac[dtype], FMAs: x.FMA, L2SM: p["l2sm"], GBps: x.BW, L2: x.L2,
		Smem: x.Smem, Threads: x.Thr, CTAs: x.CTA, Registers: x.Regs, ElementSize: size, WriteThrough: x.WThrough,
	}
	if x.L2SM != nil {
		m.L2SM, m.Ramp = *x.L2SM, g.Ramp["sim"]
	}
	return m
}

// near fails unless got is want to 1e-6 of it.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
		t.Errorf("%s = %.9g: %.9g wanted", what, got, want)
	}
}

func TestLibraries(t *testing.T) {
	g := readGolden(t)
	n := 0
	for _, l := range libraries {
		want, ok := g.Libs[l.name]
		if !ok {
			continue
		}
		n++
		var got [][5]int
		for _, x := range l.tiles {
			got = append(got, [5]int{x.M, x.N, x.RowBytes, x.Warps, x.Stages})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v: %v wanted", l.name, got, want)
		}
	}
	if n != len(g.Libs) || !slices.IsSorted(Libraries()) {
		t.Errorf("%d of %d libraries compared; %v", n, len(g.Libs), Libraries())
	}
}

// TestCases compares every field of every kernel case.
func TestCases(t *testing.T) {
	g := readGolden(t)
	lib := map[string][]Tile{}
	for _, l := range libraries {
		lib[l.name] = l.tiles
	}
	for i, c := range g.Cases {
		m := g.model(t, c.GPU, cmp.Or(c.Dtype, "fp16")) // direct and stream name none
		what := c.Fn + " " + c.GPU
		switch c.Fn {
		case "gemm":
			b := float64(m.ElementSize)
			p := GEMM{M: c.M, N: c.N, K: c.K, G: 1, A: float64(c.M*c.K) * b, B: float64(c.N*c.K) * b, O: float64(c.M*c.N) * b,
				MissA: c.Miss, MissB: c.Miss, MissO: c.Miss}
			x := m.GEMM(p, lib[c.Lib], c.SplitK)
			near(t, what+" us", x.US, c.US)
			near(t, what+" t_sm", x.SM, c.TSM)
			near(t, what+" t_dram", x.DRAM, c.TDRAM)
			near(t, what+" dram", x.Bytes, c.DRAM)
			near(t, what+" l2", x.L2, c.L2)
			near(t, what+" mac", x.MACs, c.Mac)
			want := Choice{Tile{c.Tile[0], c.Tile[1], c.Tile[2], c.Tile[3], c.Tile[4]}, c.Split, c.CTAs, c.Occ}
			if x.Choice != want {
				t.Errorf("case %d: %v: %v wanted", i, x.Choice, want)
			}
		case "direct":
			near(t, what, m.Direct(Direct{MACs: c.Macs, Outs: c.Outs, Bytes: c.DRAM}).US, c.US)
		case "stream":
			near(t, what, m.Stream(Stream{Bytes: c.DRAM, L2: c.L2}).US, c.US)
		default:
			t.Errorf("case %d: %s", i, c.Fn)
		}
	}
	if len(g.Cases) != 96 {
		t.Errorf("%d cases", len(g.Cases))
	}
}

// TestSupplement compares what the golden file does not exercise: traffic that
// is fetched again, tiles that do not fit, 128-byte rows, int8, fp32, groups,
// and bytes beyond the operands. Values of the same prototype.
func TestSupplement(t *testing.T) {
	g := readGolden(t)
	for _, c := range []struct {
		gpu, dtype string
		m, n, k, g int
		lib        []Tile
		splits     []int
		a, b, o, x float64
		tile       Tile
		split      int
		ctas, occ  int
		us, bytes  float64
	}{
		{"T4", "fp16", 8192, 8192, 512, 1, cublasTiles, Splits(1), 1, 1, 1, 0, Tile{256, 128, 64, 8, 2}, 1, 2048, 1, 2244.503460596, 411041792},
		{"RTX2060sim_16ch", "fp16", 65536, 1024, 256, 1, cudnnTiles, Splits(1), 0, 1, 2, 0, Tile{256, 64, 64, 4, 2}, 1, 4096, 1, 2190.529843178, 268959744},
		{"RTX2060sim_32ch", "fp16", 1, 8, 32, 1, cudnnTiles, Splits(1), 0, 1, 2, 0, Tile{128, 64, 64, 4, 2}, 1, 1, 2, 2.386889700, 544},
		{"RTX2060sim_32ch", "fp16", 1, 96, 8, 1, cudnnTiles, Splits(1), 0, 1, 2, 0, Tile{64, 128, 64, 4, 2}, 1, 1, 2, 2.386889700, 1920},
		{"T4", "fp16", 196, 256, 1024, 1, trt16Tiles, Splits(1), 0, 1, 0, 100000, Tile{32, 32, 128, 2, 1}, 1, 56, 8, 11.730690954, 624288},
		{"T4", "int8", 784, 128, 1152, 1, cudnnTiles, Splits(1), 1, 1, 1, 0, Tile{128, 64, 64, 4, 2}, 1, 14, 2, 15.662287638, 1150976},
		{"TITANRTX", "int8", 49, 320, 960, 1, trtTiles, Splits(1), 0, 0, 0, 0, Tile{32, 32, 64, 2, 2}, 1, 20, 8, 5.761710106, 0},
		{"T4", "fp32", 3136, 64, 576, 1, fmaTiles, []int{1, 2, 4, 8}, 0, 0, 0, 0, Tile{32, 32, 32, 4, 2}, 1, 196, 7, 46.793817172, 0},
		{"T4", "fp16", 3136, 4, 576, 32, trt16Tiles, Splits(1), 1, 1, 1, 0, Tile{64, 32, 64, 2, 2}, 1, 1568, 5, 468.114510811, 116555776},
		{"T4", "fp16", 35, 2048, 2560, 1, cublasTiles, Splits(ProductSplit), 1, 1, 1, 0, Tile{64, 64, 64, 4, 2}, 2, 64, 4, 49.282395999, 10808320},
	} {
		m := g.model(t, c.gpu, c.dtype)
		b := float64(m.ElementSize * c.g)
		x := m.GEMM(GEMM{M: c.m, N: c.n, K: c.k, G: c.g, A: float64(c.m*c.k) * b, B: float64(c.n*c.k) * b, O: float64(c.m*c.n) * b, MissA: c.a, MissB: c.b, MissO: c.o, Extra: c.x}, c.lib, c.splits)
		what := c.gpu + " " + c.dtype + " " + dims(c.m, c.n, c.k, c.g)
		near(t, what+" us", x.US, c.us)
		near(t, what+" bytes", x.Bytes, c.bytes)
		if want := (Choice{c.tile, c.split, c.ctas, c.occ}); x.Choice != want {
			t.Errorf("%s: %v: %v wanted", what, x.Choice, want)
		}
	}
}

// TestBound shows one product for each word.
func TestBound(t *testing.T) {
	g := readGolden(t)
	m := g.model(t, "RTX2060sim_32ch", "fp16")
	for want, p := range map[string]GEMM{
		"tensor":  {M: 1 << 13, N: 1 << 12, K: 1 << 12, G: 1},
		"latency": {M: 49, N: 64, K: 1 << 12, G: 1},
		"l2":      {M: 1 << 16, N: 64, K: 16, G: 1},
		"dram":    {M: 64, N: 64, K: 64, G: 1, B: 1e8, MissB: 1},
	} {
		if x := m.GEMM(p, cudnnTiles, Splits(1)); x.Bound != want {
			t.Errorf("%v is bound by %s: %s wanted", p, x.Bound, want)
		}
	}
	for want, d := range map[string]Direct{"fma": {MACs: 1e9, Outs: 1e6, Bytes: 1}, "latency": {MACs: 1e3, Outs: 1e6, Bytes: 1}, "dram": {MACs: 1e3, Outs: 1e6, Bytes: 1e9}} {
		if x := m.Direct(d); x.Bound != want {
			t.Errorf("%v is bound by %s: %s wanted", d, x.Bound, want)
		}
	}
	for want, s := range map[string]Stream{"l2": {L2: 1e9}, "latency": {Bytes: 1e3, L2: 1e3}, "dram": {Bytes: 1e9, L2: 1}} {
		if x := m.Stream(s); x.Bound != want {
			t.Errorf("%v is bound by %s: %s wanted", s, x.Bound, want)
		}
	}
	for want, v := range map[string]GEMV{"l2": {1, 1, 1, 1, 1e9, 0}, "latency": {1, 1, 1, 1, 1, 1}, "dram": {1, 1, 1, 1, 0, 1e9}} {
		if x := m.GEMV(v); x.Bound != want {
			t.Errorf("%v is bound by %s: %s wanted", v, x.Bound, want)
		}
	}
}

// TestHabits: what a depthwise and an element-wise kernel take by the numbers that a GPU file may
// leave out, computed by hand; and overlap at the greatest exponent.
func TestHabits(t *testing.T) {
	m := &Model{GPUModel: hw.GPUModel{EtaDW: 1, EtaD: 1, EtaS: 1, P: 1, Plane: 1}, GHz: 1, SMs: 10, FMAs: 100, L2SM: 10, GBps: 100}
	d := Direct{MACs: 1e6, Outs: 5120, Plane: 64, In: 1e5, Out: 1e5, Large: true} // 80 planes, full SMs
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s: %v: %v wanted", what, got, want)
		}
	}
	near("products only", m.Direct(d).US, 1)
	m.DWStart = 100
	near("and 8 planes an SM", m.Direct(d).US, 1.8)
	m.DWFetch = 3
	near("and 400 kB at 100 GB/s", m.Direct(d).US, 5.8)
	m.EtaDWLarge, m.Large = 0.5, 7
	near("a generic kernel", m.Direct(d).US, 13.8)
	d.Large = false
	near("no generic kernel", m.Direct(d).US, 5.8)
	near("a byte written is a byte", m.Stream(Stream{Bytes: 1e6, Written: 5e5}).US, 10)
	m.Write = 1.2
	near("writes are dearer", m.Stream(Stream{Bytes: 1e6, Written: 5e5}).US, 11)
	m.P = 64
	near("no overflow", m.norm(1e9, 1e9), 1e9*math.Pow(2, 1./64))
}
