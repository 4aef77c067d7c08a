package vector

import "fmt"

// Dots sets to to the sums of products of x with rows of w, as many as to has values. Of each sum the first head products
// are added one by one. Those that follow are added in eight lanes, eight products at a time and an even number of times;
// then lanes 4 to 7 are added to lanes 0 to 3, the rest is added four at a time and what is left to lane 0, where the
// head is, too. The sum is (lane 0 + lane 1) + (lane 2 + lane 3).
func Dots(to, x []float32, w Matrix[float32], head int) {
	if len(to) == 0 {
		return
	}
	if head < 0 || head > len(x) {
		panic(fmt.Sprintf("vector: %d of %d products one by one", head, len(x)))
	}
	w.check("w", len(to), len(x))
	if len(x) == 0 {
		clear(to)
		return
	}
	i := 0
	if use != nil {
		for _, d := range use.dots {
			for ; i+d.rows <= len(to); i += d.rows {
				d.f(&to[i], &x[0], &w.V[i*w.Step], 4*uintptr(w.Step), uintptr(head), uintptr(len(x)))
			}
		}
		return
	}
	for ; i < len(to); i++ {
		to[i] = dot(x, w.V[i*w.Step:][:len(x)], head)
	}
}

func dot(x, w []float32, head int) float32 {
	var lanes [8]float32
	for i, v := range x[:head] {
		lanes[0] += float32(v * w[i])
	}
	x, w = x[head:], w[head:]
	for len(x) >= 16 {
		for i, v := range x[:16] {
			lanes[i%8] += float32(v * w[i])
		}
		x, w = x[16:], w[16:]
	}
	for l := range 4 {
		lanes[l] += lanes[l+4]
	}
	for len(x) >= 4 {
		for l, v := range x[:4] {
			lanes[l] += float32(v * w[l])
		}
		x, w = x[4:], w[4:]
	}
	for i, v := range x {
		lanes[0] += float32(v * w[i])
	}
	return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

// Squares is the sum of the squares of x in float64, which are exact: those of every fourth value are added in turn, and
// then the four sums from the first on.
func Squares(x []float32) float64 {
	var s0, s1, s2, s3 float64 // four at a time hide the latency of one
	for len(x) >= 4 {
		a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
		s0, s1, s2, s3 = s0+a*a, s1+b*b, s2+c*c, s3+d*d
		x = x[4:]
	}
	for i, v := range x {
		a := float64(v)
		switch i {
		case 0:
			s0 += a * a
		case 1:
			s1 += a * a
		case 2:
			s2 += a * a
		}
	}
	return s0 + s1 + s2 + s3
}
