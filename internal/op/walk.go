package op

import (
	"runtime"
	"sync"
	"sync/atomic"

	"pimflow/internal/tensor"
)

// view addresses a tensor's values by the indices of another one: the value for
// index i is at off + Σ st[d]·i[d].
type view struct {
	off int
	st  []int
}

// of is the view of a tensor of shape s by its own indices.
func of(s tensor.Shape) view { return view{0, s.Strides()} }

// walk calls f for each innermost row of b, in order, with the offset of the
// row's first value in each view, the views' steps along the row, and the number
// of values. The slices are reused from call to call.
func walk(b tensor.Box, views []view, f func(off, step []int, n int)) {
	if b.Empty() {
		return
	}
	last := len(b) - 1
	off, step, n := make([]int, len(views)), make([]int, len(views)), 1
	for i, v := range views {
		off[i] = v.off
		for d, r := range b {
			off[i] += r.Lo * v.st[d]
		}
		if last >= 0 {
			step[i], n = v.st[last], b[last].Len()
		}
	}
	idx := make([]int, max(last, 0))
	at := make([]int, len(views))
	for {
		copy(at, off)
		f(at, step, n)
		d := last - 1
		for ; d >= 0; d-- {
			idx[d]++
			for i, v := range views {
				off[i] += v.st[d]
			}
			if idx[d] < b[d].Len() {
				break
			}
			for i, v := range views {
				off[i] -= v.st[d] * idx[d]
			}
			idx[d] = 0
		}
		if d < 0 {
			return
		}
	}
}

// parallel calls f(0) … f(n-1), as many at a time as GOMAXPROCS says. The calls
// must write apart from each other.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// grain is the number of values below which a goroutine costs more than it saves
// (estimated).
const grain = 1 << 14

// EachRun is b.Runs of large boxes from several goroutines, and in smaller runs.
func EachRun(b tensor.Box, s tensor.Shape, f func(off, n int)) {
	if b.Size() <= grain {
		b.Runs(s, f)
		return
	}
	type run struct{ off, n int }
	var jobs [][]run
	var job []run
	size := 0
	b.Runs(s, func(off, n int) {
		for n > 0 {
			m := min(n, grain-size)
			job, size = append(job, run{off, m}), size+m
			off, n = off+m, n-m
			if size == grain {
				jobs, job, size = append(jobs, job), nil, 0
			}
		}
	})
	jobs = append(jobs, job)
	parallel(len(jobs), func(i int) {
		for _, r := range jobs[i] {
			f(r.off, r.n)
		}
	})
}

// move copies to the box out of dst the values of src at the same indices under
// the view v.
func move(dst *tensor.Tensor, out tensor.Box, src *tensor.Tensor, v view) {
	if dst.Type.Float() {
		moveRows(dst.Floats(), dst.Shape, out, src.Floats(), v)
	} else {
		moveRows(dst.Ints(), dst.Shape, out, src.Ints(), v)
	}
}

func moveRows[T any](y []T, s tensor.Shape, out tensor.Box, x []T, v view) {
	walk(out, []view{of(s), v}, func(off, step []int, n int) {
		if step[0] == 1 && step[1] == 1 {
			copy(y[off[0]:off[0]+n], x[off[1]:off[1]+n])
			return
		}
		for i, j := off[0], off[1]; n > 0; n-- {
			y[i] = x[j]
			i, j = i+step[0], j+step[1]
		}
	})
}

// take copies to the box out of dst the value of src whose index in dimension d
// is from[d][i-out[d].Lo] for the index i of dst; where any is negative the value
// is fill.
func take(dst *tensor.Tensor, out tensor.Box, src *tensor.Tensor, from [][]int, fill float32) {
	if dst.Type.Float() {
		takeRows(dst.Floats(), dst.Shape, out, src.Floats(), src.Shape, from, fill)
	} else {
		takeRows(dst.Ints(), dst.Shape, out, src.Ints(), src.Shape, from, int64(fill))
	}
}

func takeRows[T any](y []T, s tensor.Shape, out tensor.Box, x []T, xs tensor.Shape, from [][]int, fill T) {
	if len(out) == 0 {
		y[0] = x[0]
		return
	}
	xst, last := xs.Strides(), len(out)-1
	idx := make([]int, last)
	walk(out, []view{of(s)}, func(off, _ []int, n int) {
		row := y[off[0] : off[0]+n]
		base, inside := 0, true
		for d, i := range idx {
			base += from[d][i] * xst[d]
			inside = inside && from[d][i] >= 0
		}
		for i, j := range from[last] {
			if inside && j >= 0 {
				row[i] = x[base+j]
			} else {
				row[i] = fill
			}
		}
		for d := last - 1; d >= 0; d-- {
			if idx[d]++; idx[d] < out[d].Len() {
				break
			}
			idx[d] = 0
		}
	})
}
