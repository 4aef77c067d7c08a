package vector

import "golang.org/x/sys/cpu"

// available lists what this CPU has, the best first.
func available() (list []*instructions) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C {
		if cpu.X86.HasAVX512F {
			list = append(list, &avx512)
		}
		list = append(list, &avx2)
	}
	return list
}

var avx2 = instructions{
	name: "AVX2", lanes: 8,
	tiles:   []tile[float32]{{4, 16, mulAdd4x2AVX2}, {1, 16, mulAdd1x2AVX2}},
	wide:    []tile[float64]{{4, 8, mulAddWide4x2AVX2}, {1, 8, mulAddWide1x2AVX2}},
	sumTaps: sumTapsAVX2, add: addAVX2, shift: shiftAVX2, clamp: clampAVX2, affine: affineAVX2, float16: float16AVX2, bfloat16: bfloat16AVX2,
	dots: dots,
}

var avx512 = instructions{
	name: "AVX-512", lanes: 16,
	tiles:   []tile[float32]{{8, 32, mulAdd8x2AVX512}, {1, 32, mulAdd1x2AVX512}, {8, 16, mulAdd8x1AVX512}, {1, 16, mulAdd1x1AVX512}},
	wide:    []tile[float64]{{8, 16, mulAddWide8x2AVX512}, {1, 16, mulAddWide1x2AVX512}},
	sumTaps: sumTapsAVX512, add: addAVX512, shift: shiftAVX512, clamp: clampAVX512, affine: affineAVX512, float16: float16AVX512, bfloat16: bfloat16AVX512,
	dots: dots,
}

// dots are for both: lanes are eight.
var dots = []dotRows{{8, dots8AVX2}, {4, dots4AVX2}, {1, dots1AVX2}}
