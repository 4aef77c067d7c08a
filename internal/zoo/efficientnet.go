package zoo

import (
	"fmt"
	"math"
)

// efficientNetB0 is table 1 of the paper.
func efficientNetB0(n *net, x value) value { return n.efficientNet(x, 1, 1) }

// efficientNet has channels multiplied by width, and blocks by depth, rounded up.
func efficientNet(width, depth float64) func(*net, value) value {
	return func(n *net, x value) value { return n.efficientNet(x, width, depth) }
}

func (n *net) efficientNet(x value, width, depth float64) value {
	wide := func(c int) int { return eights(float64(c) * width) }
	stages := []struct{ expansion, out, repeats, stride, kernel int }{
		{1, 16, 1, 1, 3},
		{6, 24, 2, 2, 3},
		{6, 40, 2, 2, 5},
		{6, 80, 3, 2, 3},
		{6, 112, 3, 1, 5},
		{6, 192, 4, 2, 5},
		{6, 320, 1, 1, 3},
	}
	x = n.convAct("features.0", x, convolution{kernel: 3, stride: 2, out: wide(32)}, swish)
	for i, s := range stages {
		for j := range int(math.Ceil(float64(s.repeats) * depth)) {
			stride := s.stride
			if j > 0 {
				stride = 1
			}
			x = n.mbConv(fmt.Sprintf("features.%d.%d", 1+i, j), x, s.kernel, s.expansion, wide(s.out), stride)
		}
	}
	x = n.convAct("features.8", x, convolution{kernel: 1, stride: 1, out: 4 * wide(320)}, swish)
	x = n.flatten(n.averagePool("avgpool", x))
	return n.fc("classifier.1", x, 1000)
}

// mbConv is torchvision's efficientnet.MBConv; stochastic depth does nothing in
// evaluation mode.
func (n *net) mbConv(path string, x value, kernel, expansion, out, stride int) value {
	trunk, in, k := x, n.shape(x)[1], 0
	part := func() string { k++; return fmt.Sprintf("%s.block.%d", path, k-1) }
	mid := in * expansion
	if expansion != 1 {
		x = n.convAct(part(), x, convolution{kernel: 1, stride: 1, out: mid}, swish)
	}
	x = n.convAct(part(), x, convolution{kernel: kernel, stride: stride, out: mid, depthwise: true}, swish)
	// The squeeze is a quarter of the block's input, not of the expanded channels.
	x = n.squeezeExcite(part(), x, max(1, in/4), swish)
	residual := stride == 1 && in == out
	x = n.conv(part()+".0", x, convolution{kernel: 1, stride: 1, out: out, damp: residual})
	if residual {
		x = n.add(path+".add", x, trunk)
	}
	return x
}
