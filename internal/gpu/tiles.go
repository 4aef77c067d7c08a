package gpu

import (
	"fmt"
	"slices"
)

// Tile is a kernel of a library: the part of a matrix product that one CTA computes, and the
// way in which it does.
//
// In the literature: a thread-block tile (CUTLASS).
type Tile struct {
	M, N     int
	RowBytes int // bytes of K in an operand row of shared memory
	Warps    int
	Stages   int // buffers of shared memory; 2 is double buffering
}

// String prints the tile, as 128x64 64B 4w 2st.
func (t Tile) String() string {
	return fmt.Sprintf("%dx%d %dB %dw %dst", t.M, t.N, t.RowBytes, t.Warps, t.Stages)
}

// The tiles of the libraries. Extents are from the names of the kernels of cuDNN 7, cuBLAS
// and TensorRT 8 for Turing's tensor cores. Rows, warps and stages are estimated where the
// names do not contain them.
var (
	cudnnTiles = []Tile{
		{256, 128, 64, 8, 2}, {128, 256, 64, 8, 2},
		{256, 64, 64, 4, 2}, {64, 256, 64, 4, 2}, {128, 128, 64, 4, 2}, {128, 64, 64, 4, 2}, {64, 128, 64, 4, 2},
	}
	cublasTiles = slices.Concat(cudnnTiles, []Tile{{64, 64, 64, 4, 2}})
	trtTiles    = slices.Concat(cublasTiles, []Tile{{64, 32, 64, 2, 2}, {32, 64, 64, 2, 2}, {32, 32, 64, 2, 2}})
	// TensorRT's fp16 kernels also hold 128-byte rows in a single stage.
	trt16Tiles = slices.Concat(trtTiles, []Tile{
		{128, 64, 128, 4, 1}, {64, 128, 128, 4, 1}, {64, 64, 128, 4, 1},
		{64, 32, 128, 2, 1}, {32, 64, 128, 2, 1}, {32, 32, 128, 2, 1},
	})
)

// fmaTiles are those of fp32 kernels without tensor cores: cuBLAS's and cuDNN's names for
// Turing have these extents; rows, warps and stages are estimated.
var fmaTiles = []Tile{
	{128, 128, 32, 8, 2}, {128, 64, 32, 4, 2}, {64, 128, 32, 4, 2}, {64, 64, 32, 2, 2},
	{128, 32, 32, 4, 2}, {32, 128, 32, 4, 2}, {32, 32, 32, 4, 2},
}

// library is a row of the table of tile libraries.
type library struct {
	name  string
	tiles []Tile
}

// libraries are the tile libraries that hw.GPU.Library may name.
var libraries = []library{
	{"cublas", cublasTiles},
	{"cudnn", cudnnTiles},
	{"fma", fmaTiles},
	// Only the largest: a bound on the choice of a library's heuristics.
	{"large", []Tile{{256, 128, 64, 8, 2}, {256, 64, 64, 4, 2}, {128, 128, 64, 4, 2}}},
	{"square", []Tile{{64, 64, 64, 4, 2}}}, // one tile: for checking by hand
	{"trt", trtTiles},
	{"trt16", trt16Tiles},
}

// Libraries returns the names of the tile libraries, sorted.
func Libraries() []string {
	var names []string
	for _, l := range libraries {
		names = append(names, l.name)
	}
	return names
}

// Library returns the tiles of a library, or nil where there is none of the name.
func Library(name string) []Tile {
	for _, l := range libraries {
		if l.name == name {
			return l.tiles
		}
	}
	return nil
}

// Splits are the numbers of parts that a kernel may split K into: powers of two up to most.
//
// In the literature: split-K.
func Splits(most int) []int {
	var splits []int
	for s := 1; s <= most; s *= 2 {
		splits = append(splits, s)
	}
	return splits
}

// ProductSplit is the greatest number of parts that cuBLAS splits K into. Estimated.
const ProductSplit = 16
