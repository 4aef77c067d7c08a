package op

import (
	"pimflow/internal/tensor"
	"pimflow/internal/vector"
)

// bandValues is the size of the bands of rows in which a channel is convolved, in
// values: a band and what it is made from stay in the L2 cache.
const bandValues = 1 << 14

// channelJobs is the number of parts the channels are divided into: enough to
// keep the cores evenly busy, few enough to allocate little (estimated).
const channelJobs = 32

// maxBand bounds the scratch memory of a job of channels, in values: 4 MB. Strides to about 8 fit (estimated).
const maxBand = 1 << 20

// band is the scratch memory to convolve bands of rows of one channel. The padded
// input is split by the remainders of its rows and columns by the strides, so that
// under each value of the kernel the inputs of all outputs lie in order and the
// band is one long row, garbage at the ends of its lines included.
type band struct {
	rows, pitch int // of the outputs, with what the kernel reaches beyond them
	part        int // size of one part of the split input
	split, sums []float32
	taps        []int // where the values under each value of the kernel begin in split
}

// newBand is the layout of the bands of a box. ok is false where one takes more than maxBand values: between the values of
// a kernel of great dilation, most inputs of a band are read by none.
func (v *convolution) newBand() (b band, ok bool) {
	h, w := v.win[1], v.win[2]
	b.pitch = v.out[2].Len() + (w.extent()-1)/w.stride
	b.rows = min(v.out[1].Len(), max(1, bandValues/b.pitch))
	size := 1
	for _, n := range []int{b.pitch, b.rows + (h.extent()-1)/h.stride, h.phases(), w.phases()} {
		if n > maxBand/size {
			return b, false
		}
		size *= n
	}
	b.part = size / (h.phases() * w.phases())
	return b, true
}

// channels convolves channel by channel. It serves groups of few output channels,
// above all depthwise convolution.
func (v *convolution) channels(out tensor.Box, layout band) {
	h, w := v.win[1], v.win[2]
	nm := out[1].Len()
	total := out[0].Len() * nm
	each := ceilDiv(total, channelJobs)
	parallel(ceilDiv(total, each), func(job int) {
		b := layout
		b.split = make([]float32, h.phases()*w.phases()*b.part)
		b.sums = make([]float32, b.rows*b.pitch)
		for jh := range h.kernel {
			for jw := range w.kernel {
				rh, rw := jh*h.dilation, jw*w.dilation
				b.taps = append(b.taps, (rh%h.stride*w.phases()+rw%w.stride)*b.part+rh/h.stride*b.pitch+rw/w.stride)
			}
		}
		for i := job * each; i < min((job+1)*each, total); i++ {
			v.channel(&b, out[0].Lo+i/nm, out[1].Lo+i%nm)
		}
	})
}

// phases is the number of remainders by the stride among a window's values.
func (w *window) phases() int { return min(w.stride, w.extent()) }

// channel writes the box's part of channel m of image n.
func (v *convolution) channel(b *band, n, m int) {
	px, py := v.plane()
	d, h, w := &v.win[0], &v.win[1], &v.win[2]
	x := v.x[(n*v.c+m/v.mg*v.cg)*px:]
	kernel := v.w[m*v.cg*d.kernel*h.kernel*w.kernel:]
	cols := v.out[2].Len()
	var bias float32
	if v.bias != nil {
		bias = v.bias[m]
	}
	for od := v.out[0].Lo; od < v.out[0].Hi; od++ {
		for oh := v.out[1].Lo; oh < v.out[1].Hi; oh += b.rows {
			rows := min(b.rows, v.out[1].Hi-oh)
			sums := b.sums[:(rows-1)*b.pitch+cols]
			clear(sums)
			for c := range v.cg {
				for jd := range d.kernel {
					v.fill(b, x[c*px:], d.index(od, jd), oh, rows)
					vector.SumTaps(sums, b.split, kernel[(c*d.kernel+jd)*len(b.taps):][:len(b.taps)], b.taps)
				}
			}
			for i := range rows {
				y := v.y[(n*v.m+m)*py+(od*h.out+oh+i)*w.out+v.out[2].Lo:][:cols]
				vector.Shift(y, sums[i*b.pitch:], bias)
			}
		}
	}
}

// fill splits what the given rows of outputs from oh are made from of the input
// plane id; padding is zeros, and so is what lies beyond the last value needed,
// which another device may be writing.
func (v *convolution) fill(b *band, x []float32, id, oh, rows int) {
	d, h, w := &v.win[0], &v.win[1], v.win[2]
	high := rows + (h.extent()-1)/h.stride
	phase := w
	phase.dilation = 1
	lo := v.out[2].Lo
	lastRow := (oh+rows-1)*h.stride - h.begin + h.extent() - 1
	reach := (v.out[2].Hi-1)*w.stride + w.extent() - 1 // of the columns, from the first padded one
	for p := range w.phases() {
		r := phase.valid(tensor.Range{Lo: lo, Hi: min(lo+b.pitch, (reach-p)/w.stride+1)}, p)
		first := phase.index(r.Lo, p)
		r = tensor.Range{Lo: r.Lo - lo, Hi: r.Hi - lo}
		for q := range h.phases() {
			for i := range high {
				line := b.split[(q*w.phases()+p)*b.part+i*b.pitch:][:b.pitch]
				ih := (oh+i)*h.stride - h.begin + q
				if id < 0 || id >= d.in || ih < 0 || ih >= h.in || ih > lastRow {
					clear(line)
					continue
				}
				spread(line, x[(id*h.in+ih)*w.in:][:w.in], r, first, w.stride)
			}
		}
	}
}
