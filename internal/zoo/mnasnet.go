package zoo

import "fmt"

// mnasNet10 is figure 7 of the paper at depth multiplier 1, without
// squeeze-excite, as torchvision has it.
func mnasNet10(n *net, x value) value { return mnasNet(1)(n, x) }

// mnasNet has channels multiplied by alpha.
func mnasNet(alpha float64) func(*net, value) value {
	return func(n *net, x value) value { return n.mnasNet(x, alpha) }
}

// eights rounds to a multiple of 8, up where rounding down loses more than a tenth
// (torchvision's mnasnet._round_to_multiple_of).
func eights(x float64) int {
	n := max(8, int(x+4)/8*8)
	if float64(n) < 0.9*x {
		n += 8
	}
	return n
}

func (n *net) mnasNet(x value, alpha float64) value {
	stem, first := eights(32*alpha), eights(16*alpha)
	stages := []struct{ kernel, stride, expansion, repeats, out int }{
		{3, 2, 3, 3, 24},
		{5, 2, 3, 3, 40},
		{5, 2, 6, 3, 80},
		{3, 1, 6, 2, 96},
		{5, 2, 6, 4, 192},
		{3, 1, 6, 1, 320},
	}
	x = n.act("layers.2", n.conv("layers.0", x, convolution{kernel: 3, stride: 2, out: stem}), relu)
	x = n.act("layers.5", n.conv("layers.3", x, convolution{kernel: 3, stride: 1, out: stem, depthwise: true}), relu)
	x = n.conv("layers.6", x, convolution{kernel: 1, stride: 1, out: first})
	for i, s := range stages {
		s.out = eights(float64(s.out) * alpha)
		for j := range s.repeats {
			stride := s.stride
			if j > 0 {
				stride = 1
			}
			path := fmt.Sprintf("layers.%d.%d", 8+i, j)
			trunk, in := x, n.shape(x)[1]
			mid, residual := in*s.expansion, stride == 1 && in == s.out
			p := path + ".layers."
			x = n.act(p+"2", n.conv(p+"0", x, convolution{kernel: 1, stride: 1, out: mid}), relu)
			x = n.act(p+"5", n.conv(p+"3", x, convolution{kernel: s.kernel, stride: stride, out: mid, depthwise: true}), relu)
			x = n.conv(p+"6", x, convolution{kernel: 1, stride: 1, out: s.out, damp: residual})
			if residual {
				x = n.add(path+".add", x, trunk)
			}
		}
	}
	x = n.act("layers.16", n.conv("layers.14", x, convolution{kernel: 1, stride: 1, out: 1280}), relu)
	x = n.flatten(n.averagePool("mean", x))
	return n.fc("classifier.1", x, 1000)
}
