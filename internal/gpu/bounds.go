package gpu

import (
	"math"

	"pimflow/internal/device"
	"pimflow/internal/hw"
)

// uncertainClasses are the classes of hw.GPUError, by its names, and the kernels of each.
var uncertainClasses = []struct {
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

// longestUncertain limits a bound, in picoseconds, so that sums do not overflow.
const longestUncertain = 1 << 60

// uncertainties are the uncertain times of kernels and of their launches, by class. ok is
// false if a bound exceeds longestUncertain.
func (d *gpu) uncertainties(ks []Kernel, launchUS float64) (list []device.Uncertainty, ok bool) {
	ok = true
	add := func(class string, kind device.UncertainKind, us float64, r hw.Range) {
		ps := func(f float64) device.Time {
			t := f * us * 1e6
			ok = ok && t < longestUncertain
			return device.Time(math.Round(min(t, longestUncertain)))
		}
		if us > 0 && (r.Low != 1 || r.High != 1) {
			list = append(list, device.Uncertainty{Class: class, Kind: kind, Time: ps(1), Low: ps(r.Low), High: ps(r.High)})
		}
	}
	for i := range uncertainClasses {
		us, slow := 0.0, 0.0
		r := uncertainClasses[i].of(&d.errors)
		for j := range ks {
			if uncertainClasses[i].has(&ks[j]) {
				us += ks[j].US
				if strided(&ks[j]) {
					slow += max(0, d.errors.SlowUS-ks[j].US*r.High)
				}
			}
		}
		if us > 0 {
			r.High += slow / us
		}
		add(uncertainClasses[i].class, device.OfKernel, us, r)
	}
	add(device.Launches, device.OfLaunch, launchUS*float64(len(ks)), d.errors.Launch)
	return list, ok
}

// strided reports whether a kernel is a convolution that skips pixels.
func strided(k *Kernel) bool {
	switch w := k.Work.(type) {
	case GEMM:
		return w.Strided
	case Direct:
		return w.Strided
	}
	return false
}
