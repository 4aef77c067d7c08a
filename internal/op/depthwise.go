package op

import "gonum.org/v1/gonum/blas/blas32"

// bandValues is the size of the bands of rows in which a channel is convolved, in
// values: a band and what it is made from stay in the L2 cache.
const bandValues = 1 << 14

// channel writes the box's part of channel m of image n. It serves groups of few
// output channels, above all depthwise convolution.
//
// A band of the padded input is split by the remainders of its rows and columns
// by the strides, so that under each value of the kernel the inputs of all outputs
// lie in order and the band is one long row, garbage at the ends of its lines
// included.
func (v *convolution) channel(n, m int) {
	px, py := v.plane()
	d, h, w := v.win[0], v.win[1], v.win[2]
	x := v.x[(n*v.c+m/v.mg*v.cg)*px:]
	kernel := v.w[m*v.cg*d.kernel*h.kernel*w.kernel:]
	cols := v.out[2].Len()
	pitch := cols + (w.extent()-1)/w.stride
	tall := min(v.out[1].Len(), max(1, bandValues/pitch))
	part := (tall + (h.extent()-1)/h.stride) * pitch
	split := make([]float32, h.stride*w.stride*part)
	sums := make([]float32, tall*pitch)
	for od := v.out[0].Lo; od < v.out[0].Hi; od++ {
		for oh := v.out[1].Lo; oh < v.out[1].Hi; oh += tall {
			rows := min(tall, v.out[1].Hi-oh)
			band := sums[:(rows-1)*pitch+cols]
			clear(band)
			for c := range v.cg {
				for jd := range d.kernel {
					v.split(split, part, pitch, x[c*px:], d.index(od, jd), oh, rows)
					k := kernel[(c*d.kernel+jd)*h.kernel*w.kernel:]
					for jh := range h.kernel {
						rh := jh * h.dilation
						for jw := range w.kernel {
							rw := jw * w.dilation
							at := (rh%h.stride*w.stride+rw%w.stride)*part + rh/h.stride*pitch + rw/w.stride
							axpy(k[jh*w.kernel+jw], split[at:at+len(band)], band)
						}
					}
				}
			}
			var b float32
			if v.bias != nil {
				b = v.bias[m]
			}
			for i := range rows {
				y := v.y[(n*v.m+m)*py+(od*h.out+oh+i)*w.out+v.out[2].Lo:][:cols]
				for j, s := range band[i*pitch : i*pitch+cols] {
					y[j] = s + b
				}
			}
		}
	}
}

// split writes the parts of the input plane id that the given rows of outputs from
// oh are made from; padding is zeros.
func (v *convolution) split(to []float32, part, pitch int, x []float32, id, oh, rows int) {
	d, h, w := v.win[0], v.win[1], v.win[2]
	high := rows + (h.extent()-1)/h.stride
	for q := range min(h.stride, h.extent()) {
		for p := range min(w.stride, w.extent()) {
			for i := range high {
				line := to[(q*w.stride+p)*part+i*pitch:][:pitch]
				ih := (oh+i)*h.stride - h.begin + q
				if id < 0 || id >= d.in || ih < 0 || ih >= h.in {
					clear(line)
					continue
				}
				phase := w
				phase.dilation = 1
				unfold(line, x[(id*h.in+ih)*w.in:][:w.in], phase, v.out[2].Lo, p)
			}
		}
	}
}

// axpy adds a·x to y. Gonum's does nothing for a = 0, but 0·∞ is NaN.
func axpy(a float32, x, y []float32) {
	if a != 0 {
		blas32.Axpy(a, blas32.Vector{N: len(x), Inc: 1, Data: x}, blas32.Vector{N: len(y), Inc: 1, Data: y})
		return
	}
	for i, v := range x {
		y[i] += a * v
	}
}
