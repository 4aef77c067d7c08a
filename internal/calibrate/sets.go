package calibrate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

// strided reports whether a convolution skips pixels.
func (r *Row) strided() bool { return max(r.StrideH, r.StrideW) > 1 }

// Set is measurements of one kind of work on one GPU with one stack of software: what
// is scored and reported together. Each has a start of its own.
type Set struct {
	Name    string
	Op      string
	Fitted  bool // its rows are fitted: the GPU is of the calibrated architecture
	N       int  // kernels or networks within the model's scope
	Left    int  // rows outside it
	Why     string
	gpu     string // normal name
	dtype   string
	stack   stack
	splits  bool       // kernels may split K
	kernels []kernel   // in a set of kernels
	others  []kernel   // of another mode (Row.other): scored, never fitted
	nets    []*Network // in a set of networks
}

// floor is the least time of the measuring loop, in us.
func (s *Set) floor() float64 { return s.stack.floor[s.Name] }

// leave counts a row outside the model's scope.
func (s *Set) leave(why string) {
	s.Left++
	if !strings.Contains(s.Why, why) {
		s.Why = strings.TrimPrefix(s.Why+"; "+why, "; ")
	}
}

// kernel is a measured row, as input of the model and the roofline.
type kernel struct {
	row    *Row
	gemm   gpu.GEMM // where direct and stream are nil
	stream *gpu.Stream
	known  gpu.Tile // the tile in the kernel's name; zero: none
	direct *gpu.Direct
	macs   float64
	bytes  float64 // to and from the DRAM, each value once
}

// stack is a row of the table of software stacks: the software of a dataset.
type stack struct {
	prefix  string         // of the dataset
	library string         // of convolutions
	nchw    bool           // a strided 1x1 convolution reads whole rows
	dp4a    bool           // products of int8 do not run on the tensor cores
	strides bool           // strided convolutions wait longer (hw.GPUModel.Stride)
	split   int            // most parts that a convolution is split into; 0: as the GPU's file says
	splits  map[string]int // the same on some architectures
	pad     map[string]int
	floor   map[string]float64 // us, by set
}

// stacks are the stacks of the public datasets; any other dataset has the last row. A
// convolution whose channels are no multiple of pad has no tensor-core kernel in the stack.
//
// The floors of DeepBench's loop on T4 are from its data: no row is below, and many rows of
// small work are at the floor. V100's data show none.
var stacks = []stack{
	{prefix: "deepbench", library: "cudnn", nchw: true, dp4a: true, pad: map[string]int{"fp16": 8, "int8": 32},
		splits: map[string]int{"volta": 16}, // cuDNN 7's kernels there, inferred from DeepBench's times: without splits the error doubles
		floor:  map[string]float64{"T4 fp16 conv": 17, "T4 fp16 gemm": 9, "T4 int8 conv": 18}},
	{prefix: "trtex", strides: true, pad: map[string]int{"fp16": 8, "int8": 8}},
	{prefix: "trtv100", library: "trt16", strides: true, split: 1, dp4a: true, pad: map[string]int{"fp16": 8, "int8": 4}},
	{prefix: "miopen", library: "trt16", strides: true, nchw: true, pad: map[string]int{"fp16": 8, "int8": 8}},
	{prefix: "neusight", floor: map[string]float64{
		"V100 fp32 add neusight": 32.4, "V100 fp32 relu neusight": 39.3,
		"A100 fp32 add neusight": 26.6, "A100 fp32 relu neusight": 31.6,
	}},
	{prefix: "", strides: true, pad: map[string]int{"fp16": 8, "int8": 8}},
}

// normal is a GPU's name without case and punctuation: TITANRTX equals titan-rtx.
func normal(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ .", r) {
			return -1
		}
		return r
	}, name))
}

// elementSize is the bytes of an element.
var elementSize = map[string]int{"fp16": 2, "int8": 1, "fp32": 4}

// makeSets groups rows into sets. Rows outside the model's scope are counted by reason.
func makeSets(m *Measured, boards map[string]*hw.Board, architecture string) []*Set {
	byName := map[string]*Set{}
	named := func(name, gpuName string) *Set {
		s := byName[name]
		if s == nil {
			s = &Set{Name: name, gpu: normal(gpuName)}
			if b := boards[s.gpu]; b != nil {
				s.Fitted = b.Architecture == architecture
			}
			byName[name] = s
		}
		return s
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		st := stacks[slices.IndexFunc(stacks, func(s stack) bool { return strings.HasPrefix(r.Dataset, s.prefix) })]
		name := fmt.Sprintf("%s %s %s", r.GPU, r.Dtype, r.Op)
		if r.Dataset != "" && st.prefix != "deepbench" && st.prefix != "trtex" {
			name += " " + r.Dataset
		}
		s := named(name, r.GPU)
		s.Op, s.dtype, s.stack = r.Op, r.Dtype, st
		if why := unmodelled(r, st, boards[s.gpu]); why != "" {
			s.leave(why)
			continue
		}
		k := lower(r, st, boards[s.gpu])
		if r.other() {
			s.others = append(s.others, k)
			continue
		}
		s.N++
		s.kernels = append(s.kernels, k)
		if k.direct == nil && k.stream == nil && !s.splits {
			m := gpu.NewModel(boards[s.gpu].Machine(elementSize[r.Dtype]), 1)
			_, splits := tiles(st, r.Op, r.Dtype, boards[s.gpu], m)
			s.splits = len(splits) > 1
		}
	}
	for i := range m.Networks {
		n := &m.Networks[i]
		s := named(n.set(), n.GPU)
		s.Op, s.dtype = "network", n.dtype()
		if why := n.unmodelled(boards[s.gpu]); why != "" {
			s.leave(why)
			continue
		}
		s.N++
		s.nets = append(s.nets, n)
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b *Set) int { return strings.Compare(a.Name, b.Name) })
}

// unmodelled is the reason that a row is outside the model's scope, "" if it is not.
func unmodelled(r *Row, st stack, b *hw.Board) string {
	switch {
	case b == nil:
		return "no GPU file of that name"
	case r.elementwise():
		return ""
	case r.Op == "conv" && r.Dtype != "fp32" && r.C%st.pad[r.Dtype] != 0:
		return fmt.Sprintf("C is no multiple of %d: not on the tensor cores", st.pad[r.Dtype])
	case r.Op == "gemm" && r.Dtype == "int8" && st.dp4a:
		return "cuBLAS 10 multiplies int8 on the FMA units (DP4A)"
	case r.Dtype == "int8" && st.dp4a && b.Architecture == "volta":
		return "Volta multiplies int8 on the FMA units (DP4A)"
	case r.Dtype == "fp32" && b.GPU.Model.EtaFMA == 0:
		return "no eta_fma, which products on the FMA units have, in the GPU's file"
	case r.Op == "conv" && r.H == 1 && r.W == 1 && !st.nchw:
		return "one pixel: a fully connected layer"
	}
	m := gpu.NewModel(b.Machine(elementSize[r.Dtype]), b.Memory.Channels)
	if list, _ := tiles(st, r.Op, r.Dtype, b, m); list == nil {
		return "no kernel of the library fits an SM"
	}
	return ""
}

// lower is the kernel of a row.
func lower(r *Row, st stack, b *hw.Board) kernel {
	size := elementSize[r.Dtype]
	m := gpu.NewModel(b.Machine(size), b.Memory.Channels)
	bytes := func(n ...int) float64 {
		x := float64(size)
		for _, n := range n {
			x *= float64(n)
		}
		return x
	}
	if r.elementwise() {
		n := 2 + float64(strings.Count(r.Op, "add")) // an operand or two in, one out
		x := bytes(r.N, r.C) * n
		return kernel{row: r, stream: &gpu.Stream{Bytes: x * m.Miss(x), Written: x / n * m.Miss(x), L2: x}, bytes: x * m.Miss(x)}
	}
	if r.Op == "gemm" {
		g := gpu.GEMM{Transposed: r.Transposed == "T", M: r.M, N: r.Cols, K: r.Depth, G: 1, A: bytes(r.M, r.Depth), B: bytes(r.Cols, r.Depth), O: bytes(r.M, r.Cols)}
		return product(r, m, g)
	}
	A, B, O := bytes(r.N, r.C, r.H, r.W), bytes(r.K, r.C/r.Groups, r.R, r.S), bytes(r.N, r.K, r.P(), r.Q())
	if r.R == 1 && r.S == 1 {
		A /= float64(r.StrideH * r.StrideW)
		if st.nchw { // whole sectors of a row are read
			A *= (1 + float64(r.StrideW)) / 2
		}
	}
	macs := float64(r.N*r.P()*r.Q()) * float64(r.K) * float64(r.C/r.Groups*r.R*r.S)
	if r.Groups == r.C && r.Groups > 1 {
		d := &gpu.Direct{MACs: macs, Outs: O / float64(size), Plane: r.P() * r.Q(), Bytes: (A + O) * m.Miss(A+O), In: A, Out: O, Strided: r.strided(), Large: r.R*r.S > 9 || r.strided()}
		return kernel{row: r, direct: d, macs: macs, bytes: d.Bytes}
	}
	g := gpu.GEMM{Conv: true, M: r.N * r.P() * r.Q(), N: r.K / r.Groups, K: r.C / r.Groups * r.R * r.S, G: r.Groups, A: A, B: B, O: O}
	if st.strides || r.Dtype == "fp32" {
		g.Strided, g.Taps = r.strided(), r.R*r.S
	}
	k := product(r, m, g)
	k.known = tileIn(r.Kernel, size)
	return k
}

// product is a matrix product, run repeatedly on the same operands.
func product(r *Row, m *gpu.Model, g gpu.GEMM) kernel {
	miss := m.Miss(g.A + g.B + g.O)
	g.MissA, g.MissB, g.MissO = miss, miss, miss
	return kernel{row: r, gemm: g, macs: float64(g.M) * float64(g.N) * float64(g.K) * float64(g.G), bytes: miss * (g.A + g.B + g.O)}
}

// The names of xmma's kernels, and of cuDNN's, with their tiles.
var (
	xmmaTile  = regexp.MustCompile(`tilesize(\d+)x(\d+)x(\d+)_stage(\d+)_warpsize(\d+)x(\d+)x(\d+)`)
	cudnnTile = regexp.MustCompile(`cudnn(?:_int8)?_(\d+)x(\d+)_`)
)

// tileIn reads a tile from a kernel's name. Without them in the name, rows have 64 bytes, there
// is one stage, and a tile of more than 128x128 has 8 warps. Estimated.
func tileIn(name string, size int) gpu.Tile {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	if x := xmmaTile.FindStringSubmatch(name); x != nil {
		return gpu.Tile{M: number(x[1]), N: number(x[2]), RowBytes: number(x[3]) * size, Stages: max(1, number(x[4])),
			Warps: number(x[5]) * number(x[6]) * number(x[7])}
	}
	if x := cudnnTile.FindStringSubmatch(name); x != nil {
		t := gpu.Tile{M: number(x[1]), N: number(x[2]), RowBytes: 64, Stages: 1, Warps: 4}
		if t.M*t.N > 128*128 {
			t.Warps = 8
		}
		return t
	}
	return gpu.Tile{}
}

// Same reports whether two names are of the same GPU, as T4 and t4.
func Same(a, b string) bool { return normal(a) == normal(b) }
