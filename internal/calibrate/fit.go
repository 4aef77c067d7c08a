package calibrate

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"
)

// problem is a least-squares fit of positive parameters. Residual i is the logarithm of model
// over measurement.
type problem struct {
	residuals func(x, out []float64)
	n         int       // residuals
	low, high []float64 // bounds of the parameters
}

// solution is a fitted point. sigma is the standard deviation of each parameter relative to its
// value, from the Jacobian, infinite if the data do not determine the parameter.
type solution struct {
	x, sigma []float64
	cost     float64
}

// softScale is the residual at which the loss turns from quadratic to linear: 10 %. Estimated.
const softScale = 0.1

// loss is the soft-L1 loss of a residual, and the weight under which the square of the
// residual has the gradient of the loss.
func loss(r float64) (cost, weight float64) {
	root := math.Sqrt(1 + r*r/(softScale*softScale))
	return 2 * softScale * softScale * (root - 1), 1 / root
}

// solve minimises the soft-L1 loss from a starting point, in the logarithms of the parameters.
// It is deterministic, unless the context ends it: the solution is then nothing.
//
// In the literature: Levenberg-Marquardt, with iteratively reweighted least squares.
func (p *problem) solve(ctx context.Context, start []float64) solution {
	k := len(start)
	x := make([]float64, k)
	for i, v := range start {
		x[i] = min(max(v, p.low[i]), p.high[i])
	}
	r, next := make([]float64, p.n), make([]float64, p.n)
	total := func(r []float64) (sum float64) {
		for _, v := range r {
			c, _ := loss(v)
			sum += c
		}
		return sum
	}
	p.residuals(x, r)
	cost, damping := total(r), 1e-3
	for range 60 {
		if ctx.Err() != nil {
			break
		}
		normal, gradient, _ := p.normal(x, r)
		better := false
		for range 12 {
			step := p.step(x, normal, gradient, damping)
			y := make([]float64, k)
			for i := range y {
				y[i] = min(max(x[i]*math.Exp(step[i]), p.low[i]), p.high[i])
			}
			p.residuals(y, next)
			if c := total(next); c < cost {
				better = c < cost*(1-1e-9)
				x, cost = y, c
				r, next = next, r
				damping = max(damping/5, 1e-9)
				break
			}
			damping *= 4
		}
		if !better {
			break
		}
	}
	normal, _, weights := p.normal(x, r)
	s := solution{x: x, cost: cost, sigma: make([]float64, k)}
	variance := weights / max(1, float64(p.n-k))
	inverse := invert(normal)
	for i := range s.sigma {
		s.sigma[i] = math.Inf(1)
		if inverse != nil && normal.At(i, i) > 1e-9 {
			s.sigma[i] = math.Sqrt(max(0, inverse.At(i, i)) * variance)
		}
	}
	return s
}

// invert inverts a normal matrix, with a small diagonal for parameters that the data do not
// determine. It returns nil for a singular matrix.
func invert(a *mat.SymDense) *mat.SymDense {
	n := a.SymmetricDim()
	b := mat.NewSymDense(n, nil)
	b.CopySym(a)
	for i := range n {
		b.SetSym(i, i, b.At(i, i)*(1+1e-12)+1e-15)
	}
	var c mat.Cholesky
	if !c.Factorize(b) {
		return nil
	}
	inverse := mat.NewSymDense(n, nil)
	if err := c.InverseTo(inverse); err != nil {
		return nil
	}
	return inverse
}

// normal is JᵀWJ and JᵀWr at x, and the weighted sum of squares of r.
func (p *problem) normal(x, r []float64) (*mat.SymDense, []float64, float64) {
	k := len(x)
	columns := make([][]float64, k)
	y := append([]float64{}, x...)
	const h = 1e-4 // of a logarithm
	for j := range k {
		up, down := make([]float64, p.n), make([]float64, p.n)
		y[j] = x[j] * math.Exp(h)
		p.residuals(y, up)
		y[j] = x[j] * math.Exp(-h)
		p.residuals(y, down)
		y[j] = x[j]
		for i := range up {
			up[i] = (up[i] - down[i]) / (2 * h)
		}
		columns[j] = up
	}
	normal, gradient, sum := mat.NewSymDense(k, nil), make([]float64, k), 0.0
	for i, v := range r {
		_, w := loss(v)
		sum += w * v * v
		for a := range k {
			gradient[a] += w * columns[a][i] * v
			for b := a; b < k; b++ {
				normal.SetSym(a, b, normal.At(a, b)+w*columns[a][i]*columns[b][i])
			}
		}
	}
	return normal, gradient, sum
}

// step solves the damped normal equations for the parameters that the gradient does not hold
// at a bound.
func (p *problem) step(x []float64, normal *mat.SymDense, gradient []float64, damping float64) []float64 {
	var free []int
	for i, v := range x {
		if normal.At(i, i) > 0 && !(v >= p.high[i] && gradient[i] < 0) && !(v <= p.low[i] && gradient[i] > 0) {
			free = append(free, i)
		}
	}
	step := make([]float64, len(x))
	if len(free) == 0 {
		return step
	}
	a, b := mat.NewSymDense(len(free), nil), mat.NewVecDense(len(free), nil)
	for i, fi := range free {
		b.SetVec(i, -gradient[fi])
		for j := i; j < len(free); j++ {
			a.SetSym(i, j, normal.At(fi, free[j]))
		}
		a.SetSym(i, i, normal.At(fi, fi)*(1+damping)+1e-12)
	}
	var c mat.Cholesky
	var d mat.VecDense
	if !c.Factorize(a) || c.SolveVecTo(&d, b) != nil {
		return step
	}
	for i, fi := range free {
		step[fi] = min(max(d.AtVec(i), -1), 1) // at most a factor of e
	}
	return step
}
