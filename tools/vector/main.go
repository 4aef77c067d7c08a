// Command vector writes the vector instructions of package internal/vector: Go assembly for amd64, and the declarations
// of its functions.
//
//	go generate ./internal/vector
//
// A function serves one size of vector. Where a function is named AVX2 its vectors have 8 values of float32 or 4 of
// float64, where it is named AVX512 twice as many. No product is fused with a sum, but for float64 products of float32
// values: those are exact, so that the fused instruction rounds as two do.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	for _, s := range []size{avx2, avx512} {
		for _, t := range s.tiles {
			s.mulAdd(t.rows, t.vectors)
		}
		for _, t := range s.wideTiles {
			s.mulAddWide(t.rows, t.vectors)
		}
		s.sumTaps()
		s.add()
		s.shift()
		s.clamp()
		s.affine()
		s.float16()
		s.bfloat16()
	}
	for _, rows := range []int{8, 4, 1} {
		dots(rows)
	}
	Generate()
}

// size is a size of vector.
type size struct {
	name      string
	bytes     int
	register  func(i int) VecPhysical
	tiles     []tile
	wideTiles []tile
}

// tile is the part of a matrix product that stays in registers.
type tile struct{ rows, vectors int }

var (
	avx2 = size{"AVX2", 32, func(i int) VecPhysical {
		return []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}[i]
	}, []tile{{4, 2}, {1, 2}}, []tile{{4, 2}, {1, 2}}}
	avx512 = size{"AVX512", 64, func(i int) VecPhysical {
		return []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}[i]
	}, []tile{{8, 2}, {1, 2}, {8, 1}, {1, 1}}, []tile{{8, 2}, {1, 2}}}
)

// lanes is the number of float32 values of a vector.
func (s *size) lanes() int { return s.bytes / 4 }

// function begins one. Its arguments are pointers and lengths in bytes or values.
func (s *size) function(name, signature, doc string) {
	TEXT(name+s.name, NOSPLIT, "func("+signature+")")
	Doc(name + s.name + " " + doc)
	Pragma("noescape")
}

// end returns to code that may use the old instructions.
func end() {
	VZEROUPPER()
	RET()
}

// rows is the address of rows that are a step apart, up to 8 of them.
type rows struct {
	bases        []Register // of rows 0 and 4
	step, triple Register
}

func rowsOf(base, step Register, n int) *rows {
	r := &rows{[]Register{base}, step, nil}
	if n > 1 {
		r.triple = GP64()
		LEAQ(Mem{Base: step, Index: step, Scale: 2}, r.triple)
	}
	if n > 4 {
		second := GP64()
		LEAQ(Mem{Base: base, Index: step, Scale: 4}, second)
		r.bases = append(r.bases, second)
	}
	return r
}

// at is so many bytes into a row.
func (r *rows) at(row, bytes int) Mem {
	m := Mem{Base: r.bases[row/4], Disp: bytes}
	switch row % 4 {
	case 1, 2:
		m.Index, m.Scale = r.step, uint8(row%4)
	case 3:
		m.Index, m.Scale = r.triple, 1
	}
	return m
}

// advance moves all rows.
func (r *rows) advance(bytes int) {
	for _, b := range r.bases {
		ADDQ(U32(bytes), b)
	}
}

// mulAdd adds to a tile of c the product of rows of a and columns of b.
func (s *size) mulAdd(rows, vectors int) {
	s.product(fmt.Sprintf("mulAdd%dx%d", rows, vectors), rows, vectors, 4,
		func(a Mem, to VecPhysical) { VBROADCASTSS(a, to) },
		func(a, b, scratch, sum VecPhysical) {
			VMULPS(a, b, scratch)
			VADDPS(scratch, sum, sum)
		},
		func(from, to Op) { VMOVUPS(from, to) })
}

// mulAddWide is mulAdd of float64 values.
func (s *size) mulAddWide(rows, vectors int) {
	s.product(fmt.Sprintf("mulAddWide%dx%d", rows, vectors), rows, vectors, 8,
		func(a Mem, to VecPhysical) { VBROADCASTSD(a, to) },
		func(a, b, _, sum VecPhysical) { VFMADD231PD(a, b, sum) },
		func(from, to Op) { VMOVUPD(from, to) })
}

func (s *size) product(name string, height, vectors, bytes int, spread func(Mem, VecPhysical), multiply func(a, b, scratch, sum VecPhysical), move func(from, to Op)) {
	s.function(name, fmt.Sprintf("c, a, b *float%d, stepC, stepA, stepB, k uintptr", 8*bytes),
		fmt.Sprintf("adds to %d rows of c, %d vectors wide, those of a, k values long, times k rows of b. Rows are steps of bytes apart.", height, vectors))
	c, a, b := argument("c"), argument("a"), argument("b")
	stepC, stepA, stepB, k := argument("stepC"), argument("stepA"), argument("stepB"), argument("k")
	inC, inA := rowsOf(c, stepC, height), rowsOf(a, stepA, height)
	sum := func(i, v int) VecPhysical { return s.register(i*vectors + v) }
	free := height * vectors
	for i := range height {
		for v := range vectors {
			move(inC.at(i, v*s.bytes), sum(i, v))
		}
	}
	Label("loop")
	for v := range vectors {
		move(Mem{Base: b, Disp: v * s.bytes}, s.register(free+v))
	}
	for i := range height {
		spread(inA.at(i, 0), s.register(free+vectors))
		for v := range vectors {
			multiply(s.register(free+vectors), s.register(free+v), s.register(free+vectors+1+v), sum(i, v))
		}
	}
	inA.advance(bytes)
	ADDQ(stepB, b)
	DECQ(k)
	JNZ(LabelRef("loop"))
	for i := range height {
		for v := range vectors {
			move(sum(i, v), inC.at(i, v*s.bytes))
		}
	}
	end()
}

// argument loads a parameter.
func argument(name string) Register { return Load(Param(name), GP64()) }

// sumTaps adds products with values of x at several offsets.
func (s *size) sumTaps() {
	s.function("sumTaps", "y, x, w *float32, at *int, taps, n uintptr",
		fmt.Sprintf("adds to n values of y, a multiple of %d, for each tap t the products of w[t] and the values of x from at[t] on.", 4*s.lanes()))
	y, x, w, at := argument("y"), argument("x"), argument("w"), argument("at")
	taps, n := argument("taps"), argument("n")
	const vectors = 4
	Label("columns")
	for v := range vectors {
		VMOVUPS(Mem{Base: y, Disp: v * s.bytes}, s.register(v))
	}
	t := GP64()
	XORQ(t, t)
	Label("taps")
	from := GP64()
	MOVQ(Mem{Base: at, Index: t, Scale: 8}, from)
	LEAQ(Mem{Base: x, Index: from, Scale: 4}, from)
	VBROADCASTSS(Mem{Base: w, Index: t, Scale: 4}, s.register(vectors))
	for v := range vectors {
		VMULPS(Mem{Base: from, Disp: v * s.bytes}, s.register(vectors), s.register(vectors+1+v))
	}
	for v := range vectors {
		VADDPS(s.register(vectors+1+v), s.register(v), s.register(v))
	}
	INCQ(t)
	CMPQ(t, taps)
	JNE(LabelRef("taps"))
	for v := range vectors {
		VMOVUPS(s.register(v), Mem{Base: y, Disp: v * s.bytes})
	}
	ADDQ(U32(vectors*s.bytes), y)
	ADDQ(U32(vectors*s.bytes), x)
	SUBQ(U32(vectors*s.lanes()), n)
	JNZ(LabelRef("columns"))
	end()
}

// each is a loop over vectors of x, and of more operands at the same place, to y.
func (s *size) each(operands []string, f func(at []Mem, y VecPhysical)) {
	y, n := argument("y"), argument("n")
	var bases []Register
	for _, o := range operands {
		bases = append(bases, argument(o))
	}
	i := GP64()
	XORQ(i, i)
	Label("loop")
	var at []Mem
	for _, b := range bases {
		at = append(at, Mem{Base: b, Index: i, Scale: 4})
	}
	f(at, s.register(0))
	VMOVUPS(s.register(0), Mem{Base: y, Index: i, Scale: 4})
	ADDQ(U32(s.lanes()), i)
	CMPQ(i, n)
	JNE(LabelRef("loop"))
	end()
}

func (s *size) multiple() string { return fmt.Sprintf("n values, a multiple of %d", s.lanes()) }

func (s *size) add() {
	s.function("add", "y, x, z *float32, n uintptr", "sets y to x + z: "+s.multiple()+".")
	s.each([]string{"x", "z"}, func(at []Mem, y VecPhysical) {
		VMOVUPS(at[0], y)
		VADDPS(at[1], y, y)
	})
}

func (s *size) shift() {
	s.function("shift", "y, x *float32, by float32, n uintptr", "sets y to x + by: "+s.multiple()+".")
	by := s.register(1)
	spreadParam("by", by)
	s.each([]string{"x"}, func(at []Mem, y VecPhysical) { VADDPS(at[0], by, y) })
}

// spreadParam fills a vector with a parameter.
func spreadParam(name string, to VecPhysical) {
	x := Load(Param(name), XMM())
	VBROADCASTSS(x, to)
}

// clamp relies on the second operand of VMAXPS and VMINPS, which is the result for NaN and for two zeros.
func (s *size) clamp() {
	s.function("clamp", "y, x *float32, lo, zero, hi float32, n uintptr",
		"sets y to the least of hi and zero + the greatest of lo and x: "+s.multiple()+".")
	lo, zero, hi := s.register(1), s.register(2), s.register(3)
	spreadParam("lo", lo)
	spreadParam("zero", zero)
	spreadParam("hi", hi)
	s.each([]string{"x"}, func(at []Mem, y VecPhysical) {
		VMAXPS(at[0], lo, y)
		VADDPS(zero, y, y)
		VMINPS(y, hi, y)
	})
}

// affine computes in float64, half a vector of x at a time.
func (s *size) affine() {
	s.function("affine", "y, x *float32, mean, scale, bias float64, n uintptr",
		"sets y to (x − mean)·scale + bias, in float64 and then rounded: "+s.multiple()+".")
	mean, scale, bias, t := s.register(1), s.register(2), s.register(3), s.register(4)
	for _, p := range []struct {
		name string
		to   VecPhysical
	}{{"mean", mean}, {"scale", scale}, {"bias", bias}} {
		x := Load(Param(p.name), XMM())
		VBROADCASTSD(x, p.to)
	}
	y, x, n := argument("y"), argument("x"), argument("n")
	half := map[string]VecPhysical{"AVX2": X4, "AVX512": Y4}[s.name]
	i := GP64()
	XORQ(i, i)
	Label("loop")
	for part := range 2 {
		at := func(base Register) Mem { return Mem{Base: base, Index: i, Scale: 4, Disp: part * s.bytes / 2} }
		VCVTPS2PD(at(x), t)
		VSUBPD(mean, t, t)
		VMULPD(scale, t, t)
		VADDPD(bias, t, t)
		if s.name == "AVX512" {
			VCVTPD2PS(t, half)
		} else {
			VCVTPD2PSY(t, half)
		}
		VMOVUPS(half, at(y))
	}
	ADDQ(U32(s.lanes()), i)
	CMPQ(i, n)
	JNE(LabelRef("loop"))
	end()
}

func (s *size) float16() {
	s.function("float16", "y, x *float32, n uintptr", "sets y to x rounded to float16: "+s.multiple()+".")
	half := map[string]VecPhysical{"AVX2": X1, "AVX512": Y1}[s.name]
	s.each([]string{"x"}, func(at []Mem, y VecPhysical) {
		VMOVUPS(at[0], y)
		VCVTPS2PH(Imm(0), y, half)
		VCVTPH2PS(half, y)
	})
}

// bfloat16 adds half of the last place, and the last bit of what stays; of NaN it sets the bit that makes it quiet.
func (s *size) bfloat16() {
	s.function("bfloat16", "y, x *float32, n uintptr", "sets y to x rounded to bfloat16: "+s.multiple()+".")
	half, one, mask, quiet, t, nan := s.register(1), s.register(2), s.register(3), s.register(4), s.register(5), s.register(6)
	for _, c := range []struct {
		v  uint32
		to VecPhysical
	}{{0x7fff, half}, {1, one}, {0xffff0000, mask}, {0x400000, quiet}} {
		r, x := GP32(), XMM()
		MOVL(U32(c.v), r)
		VMOVD(r, x)
		VPBROADCASTD(x, c.to)
	}
	const unordered = 3
	s.each([]string{"x"}, func(at []Mem, y VecPhysical) {
		VMOVUPS(at[0], y)
		VPSRLD(Imm(16), y, t)
		if s.name == "AVX512" {
			VPANDD(one, t, t)
			VPADDD(half, t, t)
			VPADDD(y, t, t)
			VCMPPS(Imm(unordered), y, y, K1)
			VPORD(quiet, y, K1, t)
			VPANDD(mask, t, y)
			return
		}
		VPAND(one, t, t)
		VPADDD(half, t, t)
		VPADDD(y, t, t)
		VCMPPS(Imm(unordered), y, y, nan)
		VPOR(quiet, y, y)
		VBLENDVPS(nan, y, t, t)
		VPAND(mask, t, y)
	})
}

// dots computes sums of products of x with several rows, in the order that Dot says.
func dots(height int) {
	name := fmt.Sprintf("dots%d", height)
	avx2.function(name, "to, x, w *float32, step, head, n uintptr",
		fmt.Sprintf("sets to to the sums of n products of x with those of %d rows of w, step bytes apart, the first head of them one by one.", height))
	to, x, w := argument("to"), argument("x"), argument("w")
	step, head, n := argument("step"), argument("head"), argument("n")
	inW := rowsOf(w, step, height)
	low := []VecPhysical{X0, X1, X2, X3, X4, X5, X6, X7}[:height]
	sum := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}[:height]
	product := func(r int) VecPhysical { return []VecPhysical{Y8, Y9, Y10, Y11}[r%4] }
	lowProduct := func(r int) VecPhysical { return []VecPhysical{X8, X9, X10, X11}[r%4] }
	for _, r := range sum {
		VXORPS(r, r, r)
	}
	count := GP64()
	single := func(label string) {
		Label(label)
		VMOVSS(Mem{Base: x}, X12)
		for r := range height {
			VMULSS(inW.at(r, 0), X12, lowProduct(r))
			VADDSS(lowProduct(r), low[r], low[r])
		}
		ADDQ(Imm(4), x)
		inW.advance(4)
		DECQ(count)
		JNZ(LabelRef(label))
	}
	SUBQ(head, n)
	MOVQ(head, count)
	TESTQ(count, count)
	JZ(LabelRef("eights"))
	// A scalar sum keeps lanes 1 to 3 of its register, and clears the upper half: all are 0.
	single("heads")
	Label("eights")
	MOVQ(n, count)
	SHRQ(Imm(4), count)
	JZ(LabelRef("fours"))
	Label("sixteen")
	for half := range 2 {
		VMOVUPS(Mem{Base: x, Disp: 32 * half}, Y12)
		for r := range height {
			VMULPS(inW.at(r, 32*half), Y12, product(r))
			VADDPS(product(r), sum[r], sum[r])
		}
	}
	ADDQ(Imm(64), x)
	inW.advance(64)
	DECQ(count)
	JNZ(LabelRef("sixteen"))
	for r := range height {
		VEXTRACTF128(Imm(1), sum[r], lowProduct(r))
		VADDPS(lowProduct(r), low[r], low[r])
	}
	Label("fours")
	MOVQ(n, count)
	ANDQ(Imm(15), count)
	SHRQ(Imm(2), count)
	JZ(LabelRef("ones"))
	Label("four")
	VMOVUPS(Mem{Base: x}, X12)
	for r := range height {
		VMULPS(inW.at(r, 0), X12, lowProduct(r))
		VADDPS(lowProduct(r), low[r], low[r])
	}
	ADDQ(Imm(16), x)
	inW.advance(16)
	DECQ(count)
	JNZ(LabelRef("four"))
	Label("ones")
	ANDQ(Imm(3), n)
	MOVQ(n, count)
	JZ(LabelRef("lanes"))
	single("one")
	Label("lanes")
	for r := range height {
		VHADDPS(low[r], low[r], low[r])
		VHADDPS(low[r], low[r], low[r])
		VMOVSS(low[r], Mem{Base: to, Disp: 4 * r})
	}
	end()
}
