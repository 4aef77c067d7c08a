package zoo

import "fmt"

// mnasNet10 is figure 7 of the paper at depth multiplier 1, without
// squeeze-excite, as torchvision has it.
func mnasNet10(n *net, x value) value {
	stages := []struct{ kernel, stride, expansion, repeats, out int }{
		{3, 2, 3, 3, 24},
		{5, 2, 3, 3, 40},
		{5, 2, 6, 3, 80},
		{3, 1, 6, 2, 96},
		{5, 2, 6, 4, 192},
		{3, 1, 6, 1, 320},
	}
	x = n.act("layers.2", n.conv("layers.0", x, convolution{kernel: 3, stride: 2, out: 32}), relu)
	x = n.act("layers.5", n.conv("layers.3", x, convolution{kernel: 3, stride: 1, out: 32, depthwise: true}), relu)
	x = n.conv("layers.6", x, convolution{kernel: 1, stride: 1, out: 16})
	for i, s := range stages {
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
