package gpu

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// doubts are the classes of work that hw.GPUError has, as it names them.
var doubts = []struct {
	class string
	of    func(*hw.GPUError) hw.Range
	has   func(k *Kernel) bool
}{
	{"conv", func(e *hw.GPUError) hw.Range { return e.Conv }, func(k *Kernel) bool { return k.Class == Matrix && forConv(k) }},
	{"gemm", func(e *hw.GPUError) hw.Range { return e.GEMM }, func(k *Kernel) bool { return k.Class == Matrix && !forConv(k) }},
	{"dwconv", func(e *hw.GPUError) hw.Range { return e.Depthwise }, func(k *Kernel) bool { return k.Class == Depthwise }},
	{"gemv", func(e *hw.GPUError) hw.Range { return e.GEMV }, func(k *Kernel) bool { return k.Class == Vector }},
	{"stream", func(e *hw.GPUError) hw.Range { return e.Stream }, func(k *Kernel) bool {
		return k.Class != Matrix && k.Class != Depthwise && k.Class != Vector
	}},
}

func forConv(k *Kernel) bool {
	g, ok := k.Work.(GEMM)
	return ok && g.Conv
}

// longestDoubt bounds the bounds, in picoseconds.
const longestDoubt = 1 << 60

// doubtsOf are the bounds of kernels and of their launches; ok is false where they are
// out of all proportion.
func (d *gpu) doubtsOf(ks []Kernel, launchUS float64) (list []device.Uncertainty, ok bool) {
	ok = true
	add := func(class string, us float64, r hw.Range) {
		ps := func(f float64) device.Time {
			t := f * us * 1e6
			ok = ok && t < longestDoubt
			return device.Time(math.Round(min(t, longestDoubt)))
		}
		if us > 0 && (r.Low != 1 || r.High != 1) {
			list = append(list, device.Uncertainty{Class: class, Time: ps(1), Low: ps(r.Low), High: ps(r.High)})
		}
	}
	for i := range doubts {
		us := 0.0
		for j := range ks {
			if doubts[i].has(&ks[j]) {
				us += ks[j].US
			}
		}
		add(doubts[i].class, us, doubts[i].of(&d.errors))
	}
	add("launch", launchUS*float64(len(ks)), d.errors.Launch)
	return list, ok
}
