package gpu

import "pimflow/internal/hw"

// errorOf is how far a kernel's time may be from the model's. Kernels of a plan are
// wrong together rather than by chance, so the bounds of a sum are sums of bounds.
func (d *gpu) errorOf(k Kernel) hw.Range {
	switch k.Class {
	case Matrix:
		if g, ok := k.Work.(GEMM); ok && g.Conv {
			return d.errors.Conv
		}
		return d.errors.GEMM
	case Depthwise:
		return d.errors.Depthwise
	case Vector:
		return d.errors.GEMV
	}
	return d.errors.Stream
}
