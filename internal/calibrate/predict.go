package calibrate

import (
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
)

// startOf is the start of a set's kernels in us. A set without its own start has that of the
// board's launches.
func startOf(b *hw.Board, set string) float64 {
	if us, ok := b.Start[set]; ok {
		return us
	}
	return b.Start[b.LaunchFrom]
}

// tiles are the tiles of a set's kernels that fit an SM of the board, and the splits of K.
func tiles(st stack, op, dtype string, b *hw.Board, m *gpu.Model) ([]gpu.Tile, []int) {
	library, splits := b.GPU.Library, b.GPU.ConvSplit
	switch {
	case dtype == "fp32":
		library, splits = "fma", 1
		if op == "gemm" {
			splits = gpu.ProductSplit
		}
	case op == "gemm":
		library, splits = "cublas", gpu.ProductSplit
	case st.library != "":
		library = st.library
	case dtype == "int8" && library == "trt16":
		library = "trt" // only fp16 kernels have the longer rows
	}
	if n := max(st.split, st.splits[b.Architecture]); op == "conv" && n > 0 {
		splits = n
	}
	return m.Launchable(gpu.Library(library)), gpu.Splits(splits)
}

// predict writes the times of a set's kernels in us. If chosen, the model takes its own tile,
// not the tile in the kernel's name.
func predict(s *Set, b *hw.Board, chosen bool, out []float64) {
	m := gpu.NewModel(b.Machine(elementSize[s.dtype]), b.Memory.Channels)
	library, splits := tiles(s.stack, s.Op, s.dtype, b, m)
	start := startOf(b, s.Name)
	for i, k := range s.kernels {
		var us float64
		switch {
		case k.stream != nil:
			us = m.Stream(*k.stream).US
		case k.direct != nil:
			us = m.Direct(*k.direct).US
		case k.known.M > 0 && !chosen && m.Fits(k.known):
			us = m.Fastest(k.gemm, []gpu.Tile{k.known}, splits).US
		default:
			us = m.Fastest(k.gemm, library, splits).US
		}
		out[i] = max(s.floor(), start+us)
	}
}
