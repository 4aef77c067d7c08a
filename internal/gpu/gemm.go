package gpu

import (
	"fmt"
	"math"
)

// GEMM is G matrix products of M×K by K×N. A convolution is an implicit one.
//
// In the literature: implicit GEMM (cuDNN, Chetlur et al. 2014).
type GEMM struct {
	M, N, K, G int
	// Bytes of the operands and the result. The input of a convolution counts once, not as
	// its M×K matrix.
	A, B, O    float64
	Conv       bool // A is pixels, gathered tap by tap
	Transposed bool // the first operand of a product is, in the words of BLAS
	Strided    bool // of a convolution that skips pixels
	Taps       int  // of a convolution
	// DRAM traffic in multiples of A, B and O, and Extra bytes.
	MissA, MissB, MissO, Extra float64
}

// String prints the extents.
func (g GEMM) String() string { return dims(g.M, g.N, g.K, g.G) }

// Choice is the fastest tile and split of a GEMM.
type Choice struct {
	Tile  Tile
	Split int // of K
	CTAs  int
	Occ   int // occupancy: CTAs that fit an SM
}

// String prints the choice.
func (c Choice) String() string {
	return fmt.Sprintf("tile %v split %d, %d CTAs, %d an SM", c.Tile, c.Split, c.CTAs, c.Occ)
}

// GEMM times a matrix product with the fastest tile and split of K. Of equal ones, the first
// wins.
//
// The activity is that of the fastest tile without DRAM traffic: the energy of computation
// does not depend on the bandwidth.
func (m *Model) GEMM(g GEMM, tiles []Tile, splits []int) Timing {
	best := m.Fastest(g, tiles, splits)
	t := m.Fastest(GEMM{M: g.M, N: g.N, K: g.K, G: g.G, A: 1, B: 1, O: 1, Conv: g.Conv, Strided: g.Strided, Taps: g.Taps}, tiles, splits)
	best.Activity = Activity{SMs: float64(min(t.Choice.CTAs, m.SMs)), Tensor: t.MACs, L2Moved: t.L2}
	if m.ElementSize >= single {
		best.Activity.Tensor, best.Activity.FMA = 0, t.MACs
	}
	return best
}

// Fastest is GEMM without the activity, in half the time.
func (m *Model) Fastest(g GEMM, tiles []Tile, splits []int) Timing {
	best := Timing{US: math.Inf(1)}
	found := false
	for _, tile := range fitting(tiles, g) {
		for _, s := range splits {
			// A split needs at least 4 k-iterations in each CTA. Estimated.
			if s > 1 && ceilDiv(g.K, m.elements(tile)*s) < 4 {
				continue
			}
			if t := m.candidate(g, tile, s, best.US); !found || t.US < best.US {
				best, found = t, true
			}
		}
	}
	if !found {
		panic("gpu: splits without 1")
	}
	return best
}

// fitting drops tiles that are mostly padding: twice an extent of the matrix or more, where
// an extent counts as at least 64. If none is left, it returns the smallest tile.
func fitting(tiles []Tile, g GEMM) []Tile {
	var fit []Tile
	least := tiles[0]
	for _, t := range tiles {
		if t.M < 2*max(64, g.M) && t.N < 2*max(64, g.N) {
			fit = append(fit, t)
		}
		if t.M*t.N < least.M*least.N {
			least = t
		}
	}
	if fit == nil {
		return []Tile{least}
	}
	return fit
}

// elements is the depth in K of an iteration of a tile.
func (m *Model) elements(t Tile) int { return max(1, t.RowBytes/m.ElementSize) }

// Launchable returns the tiles of a library that fit an SM, with the model's number of
// stages.
func (m *Model) Launchable(library []Tile) []Tile {
	var fit []Tile
	for _, t := range library {
		if m.Stages > 0 {
			t.Stages = m.Stages
		}
		if m.Fits(t) {
			fit = append(fit, t)
		}
	}
	return fit
}

// Fits reports whether a CTA of a tile fits an SM.
func (m *Model) Fits(t Tile) bool { return m.occupancy(t) > 0 }

// occupancy is the number of CTAs of a tile that fit an SM.
func (m *Model) occupancy(t Tile) int {
	// The 32 threads of each warp hold the accumulators of the tile and 64 further registers
	// each, at most 255 in all (CUDA C++ programming guide, compute capability 7.5).
	regs := min(255, t.M*t.N/(32*t.Warps)+64)
	return min(m.Smem/(t.Stages*(t.M+t.N)*t.RowBytes), m.Threads/(32*t.Warps), m.Registers/(regs*32*t.Warps), m.CTAs)
}

// candidate times a product with one tile and split. It stops early, with an infinite time,
// once the time is known to reach limit.
func (m *Model) candidate(g GEMM, tile Tile, s int, limit float64) Timing {
	mT, nT := ceilDiv(g.M, tile.M), ceilDiv(g.N, tile.N)
	kb := m.elements(tile)
	n, kit, occ := mT*nT*g.G*s, ceilDiv(g.K, kb*s), m.occupancy(tile)
	area, edge := float64(tile.M*tile.N), float64(tile.M+tile.N)
	reach := edge // in rows of a matrix
	if g.Conv {
		reach = float64(tile.M)*m.Pixels + float64(tile.N)
	}

	mma := area * float64(kb) / (m.MACs * m.Eta)     // a k-iteration on a full SM
	fetch := reach * float64(tile.RowBytes) / m.L2SM // its operands
	if m.ElementSize >= single && m.Winograd > 0 && g.Taps == 9 && !g.Strided {
		mma /= m.Winograd
	}
	t1 := mma * max(1, 4/float64(tile.Warps)) // fewer than 4 warps leave sub-cores idle
	wait := m.Lam
	switch {
	case g.Strided && m.Stride > 0:
		wait *= m.Stride
	case m.WideTaps > 0 && g.Taps >= m.WideTaps && m.Wide > 0:
		wait *= m.Wide
	}
	lone := max(wait+m.Om*t1, t1) // a CTA alone on an SM
	per, epi := max(mma, fetch), m.Epi*area*float64(m.ElementSize)/m.L2SM
	if s > 1 { // partial sums are stored as float32
		epi = m.Epi * area * 4 / m.L2SM
	}
	full, rem := n/(m.SMs*occ), n%(m.SMs*occ)
	last := ceilDiv(rem, m.SMs) // CTAs an SM in the last, partial wave
	var loop, store float64     // cycles of all waves
	for _, w := range []struct{ waves, ctas int }{{full, occ}, {min(1, rem), last}} {
		loop += float64(w.waves*kit) * max(lone, float64(w.ctas)*per)
		store += float64(w.waves*w.ctas) * epi
	}

	t := Timing{
		SM:     m.us(loop + store),
		Bytes:  g.A*g.MissA + g.B*g.MissB + g.O*g.MissO + m.refetch(g, mT, nT, n, occ) + g.Extra,
		L2:     float64(n)*float64(kit)*edge*float64(tile.RowBytes) + g.O,
		MACs:   float64(n) * float64(kit) * area * float64(kb),
		Choice: Choice{tile, s, n, occ},
	}
	t.DRAM = m.dramUS(t.Bytes, m.EtaD)
	if g.Transposed && m.Transposed > 0 {
		t.DRAM *= m.Transposed
	}
	if max(t.SM, t.DRAM) >= limit && !math.IsInf(limit, 1) {
		return Timing{US: math.Inf(1)}
	}
	t.US = m.norm(t.SM, t.DRAM)
	if s > 1 { // float32 partial sums are written and read, and a kernel adds them
		t.US += m.TK2 + 2*float64(s)*float64(g.M)*float64(g.N)*4*float64(g.G)/(2*m.GBps*1e3)
	}
	c := float64(last) // CTAs an SM in most waves
	if full > 0 {
		c = float64(occ)
	}
	main := largest(term{"tensor", max(t1, c*mma)}, term{"l2", c * fetch}, term{"latency", lone})
	t.Bound = largest(term{"dram", t.DRAM}, term{main, m.us(loop)}, term{"l2", m.us(store)})
	return t
}

// refetch is the extra DRAM traffic of an operand that does not stay in the L2 (more than
// 0.75 of it, estimated) and is read again for each wave of tiles. Tiles are rasterised along
// the dimension with less traffic.
func (m *Model) refetch(g GEMM, mT, nT, n, occ int) float64 {
	conc := float64(min(n, m.SMs*occ))
	passes := func(bytes float64, tiles, across int) float64 {
		if bytes <= 0.75*m.L2 {
			return 1
		}
		return math.Ceil(float64(tiles) / max(1, conc/float64(across*g.G)))
	}
	return min(g.A*(passes(g.A, nT, mT)-1), g.B*(passes(g.B, mT, nT)-1))
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
