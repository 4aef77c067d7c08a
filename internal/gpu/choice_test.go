package gpu

import (
	"slices"
	"testing"

	"pimflow/internal/hw"
)

// product16 is a product of float16 matrices.
func product16(m, n, k int) GEMM {
	return GEMM{M: m, N: n, K: k, G: 1, A: float64(2 * m * k), B: float64(2 * k * n), O: float64(2 * m * n)}
}

// a100 is the model of an A100, whose shared memory holds every tile.
func a100(t *testing.T) *Model {
	t.Helper()
	m, err := hw.Load("newton+a100")
	if err != nil {
		t.Fatal(err)
	}
	return NewModel(m, m.Memory.Channels)
}

// TestTileChoices: for each tile of a library one product that only this tile runs fastest.
func TestTileChoices(t *testing.T) {
	m := a100(t)
	rows := []struct {
		library string
		tile    Tile
		M, N, K int
	}{
		{"cublas", Tile{256, 128, 64, 8, 2}, 7048, 328, 8},
		{"cublas", Tile{128, 256, 64, 8, 2}, 2592, 1224, 8},
		{"cublas", Tile{256, 64, 64, 4, 2}, 7064, 136, 8},
		{"cublas", Tile{64, 256, 64, 4, 2}, 824, 1960, 8},
		{"cublas", Tile{128, 128, 64, 4, 2}, 5736, 200, 8},
		{"cublas", Tile{128, 64, 64, 4, 2}, 6936, 8, 8},
		{"cublas", Tile{64, 128, 64, 4, 2}, 392, 1848, 8},
		{"cublas", Tile{64, 64, 64, 4, 2}, 8, 8, 8},
		{"cudnn", Tile{256, 128, 64, 8, 2}, 7048, 328, 8},
		{"cudnn", Tile{128, 256, 64, 8, 2}, 2592, 1224, 8},
		{"cudnn", Tile{256, 64, 64, 4, 2}, 7064, 136, 8},
		{"cudnn", Tile{64, 256, 64, 4, 2}, 824, 1960, 8},
		{"cudnn", Tile{128, 128, 64, 4, 2}, 7032, 72, 8},
		{"cudnn", Tile{128, 64, 64, 4, 2}, 136, 8, 8},
		{"cudnn", Tile{64, 128, 64, 4, 2}, 8, 136, 8},
		{"fma", Tile{128, 128, 32, 8, 2}, 1904, 1656, 96},
		{"fma", Tile{128, 64, 32, 4, 2}, 7976, 168, 32},
		{"fma", Tile{64, 128, 32, 4, 2}, 1336, 1280, 96},
		{"fma", Tile{64, 64, 32, 2, 2}, 1184, 1432, 40},
		{"fma", Tile{128, 32, 32, 4, 2}, 5976, 1312, 8},
		{"fma", Tile{32, 128, 32, 4, 2}, 576, 1424, 32},
		{"fma", Tile{32, 32, 32, 4, 2}, 480, 16, 152},
		{"large", Tile{256, 128, 64, 8, 2}, 7008, 208, 8},
		{"large", Tile{256, 64, 64, 4, 2}, 7064, 136, 8},
		{"large", Tile{128, 128, 64, 4, 2}, 72, 72, 8},
		{"trt", Tile{256, 128, 64, 8, 2}, 7648, 328, 8},
		{"trt", Tile{128, 256, 64, 8, 2}, 2592, 1224, 8},
		{"trt", Tile{256, 64, 64, 4, 2}, 7144, 168, 8},
		{"trt", Tile{64, 256, 64, 4, 2}, 824, 1960, 8},
		{"trt", Tile{128, 128, 64, 4, 2}, 5912, 200, 8},
		{"trt", Tile{128, 64, 64, 4, 2}, 3624, 168, 8},
		{"trt", Tile{64, 128, 64, 4, 2}, 392, 1848, 8},
		{"trt", Tile{64, 64, 64, 4, 2}, 696, 1216, 8},
		{"trt", Tile{64, 32, 64, 2, 2}, 3592, 72, 8},
		{"trt", Tile{32, 64, 64, 2, 2}, 208, 1808, 8},
		{"trt", Tile{32, 32, 64, 2, 2}, 8, 8, 8},
		{"trt16", Tile{256, 128, 64, 8, 2}, 7648, 328, 8},
		{"trt16", Tile{128, 256, 64, 8, 2}, 2592, 1224, 8},
		{"trt16", Tile{256, 64, 64, 4, 2}, 7144, 168, 8},
		{"trt16", Tile{64, 256, 64, 4, 2}, 824, 1960, 8},
		{"trt16", Tile{128, 128, 64, 4, 2}, 5912, 200, 8},
		{"trt16", Tile{128, 64, 64, 4, 2}, 3624, 168, 8},
		{"trt16", Tile{64, 128, 64, 4, 2}, 392, 1848, 8},
		{"trt16", Tile{64, 64, 64, 4, 2}, 696, 1216, 8},
		{"trt16", Tile{64, 32, 64, 2, 2}, 3592, 72, 8},
		{"trt16", Tile{32, 64, 64, 2, 2}, 208, 1808, 8},
		{"trt16", Tile{32, 32, 64, 2, 2}, 8, 8, 8},
		{"trt16", Tile{128, 64, 128, 4, 1}, 3728, 176, 40},
		{"trt16", Tile{64, 128, 128, 4, 1}, 432, 1768, 40},
		{"trt16", Tile{64, 64, 128, 4, 1}, 3768, 40, 40},
		{"trt16", Tile{64, 32, 128, 2, 1}, 3464, 8, 40},
		{"trt16", Tile{32, 64, 128, 2, 1}, 72, 2024, 48},
		{"trt16", Tile{32, 32, 128, 2, 1}, 8, 8, 40},
	}
	n := map[string]int{"square": 1} // its only tile has nothing to be compared with
	for _, row := range rows {
		n[row.library]++
		tiles, g := m.Launchable(Library(row.library)), product16(row.M, row.N, row.K)
		best := m.Fastest(g, tiles, []int{1})
		if best.Choice.Tile != row.tile {
			t.Errorf("%s, %v: tile %v: %v wanted", row.library, g, best.Choice.Tile, row.tile)
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(tiles), func(x Tile) bool { return x == row.tile })
		if next := m.Fastest(g, rest, []int{1}); next.US < 1.005*best.US {
			t.Errorf("%s, %v: %.3f us without tile %v, %.3f with it", row.library, g, next.US, row.tile, best.US)
		}
	}
	for _, l := range libraries {
		if n[l.name] != len(l.tiles) {
			t.Errorf("%s: %d rows of %d tiles", l.name, n[l.name], len(l.tiles))
		}
	}
}

// TestSplitChoices: for each split of K one product that only this split runs fastest.
func TestSplitChoices(t *testing.T) {
	m := a100(t)
	tiles, splits := m.Launchable(Library("cublas")), Splits(ProductSplit)
	rows := []struct{ split, M, N, K int }{
		{1, 8, 8, 304}, {2, 1800, 8, 424}, {4, 8, 8, 392}, {8, 8, 8, 776}, {16, 8, 8, 1544},
	}
	if len(rows) != len(splits) {
		t.Errorf("%d rows of %d splits", len(rows), len(splits))
	}
	for _, row := range rows {
		g := product16(row.M, row.N, row.K)
		best := m.Fastest(g, tiles, splits)
		if best.Choice.Split != row.split {
			t.Errorf("%v: split %d: %d wanted", g, best.Choice.Split, row.split)
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(splits), func(s int) bool { return s == row.split })
		if next := m.Fastest(g, tiles, rest); next.US < 1.005*best.US {
			t.Errorf("%v: %.3f us without split %d, %.3f with it", g, next.US, row.split, best.US)
		}
	}
}
