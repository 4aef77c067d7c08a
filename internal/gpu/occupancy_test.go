package gpu

import "testing"

// TestOccupancy: each of shared memory, threads, registers and the number of CTAs limits the CTAs of a tile on an
// SM. A thread has at most 255 registers.
func TestOccupancy(t *testing.T) {
	tile := Tile{M: 128, N: 64, RowBytes: 64, Warps: 4, Stages: 2} // 64 accumulators and 64 more a thread, 24576 B
	full := Model{Smem: 24576 * 8, Threads: 128 * 8, Registers: 128 * 128 * 8, CTAs: 8}
	for _, c := range []struct {
		what   string
		change func(m *Model, t *Tile)
		want   int
	}{
		{"all alike", func(*Model, *Tile) {}, 8},
		{"CTAs", func(m *Model, _ *Tile) { m.CTAs = 5 }, 5},
		{"threads", func(m *Model, _ *Tile) { m.Threads = 128*4 - 1 }, 3},
		{"shared memory", func(m *Model, _ *Tile) { m.Smem = 24576*3 - 1 }, 2},
		{"registers", func(m *Model, _ *Tile) { m.Registers = 128*128*6 - 1 }, 5},
		{"255 registers of 320", func(m *Model, t *Tile) { t.N, m.Smem, m.Registers = 256, 1<<20, 255*128*3 }, 3},
		{"191 registers and 64", func(m *Model, t *Tile) { t.M, t.N, m.Smem, m.Registers = 191, 128, 1<<20, 255*128*3 }, 3},
		{"none fits", func(m *Model, _ *Tile) { m.Smem = 24575 }, 0},
	} {
		m, x := full, tile
		c.change(&m, &x)
		if got := m.occupancy(x); got != c.want || m.Fits(x) != (c.want > 0) {
			t.Errorf("%s: %d CTAs, %d wanted", c.what, got, c.want)
		}
	}
}
