package zoo

import "fmt"

// mobileNetV2 is table 2 of the paper.
func mobileNetV2(n *net, x value) value { return n.mobileNetV2(x, 1) }

func (n *net) mobileNetV2(x value, alpha float64) value {
	stages := []struct{ expansion, out, repeats, stride int }{
		{1, 16, 1, 1},
		{6, 24, 2, 2},
		{6, 32, 3, 2},
		{6, 64, 4, 2},
		{6, 96, 3, 1},
		{6, 160, 3, 2},
		{6, 320, 1, 1},
	}
	x = n.convAct("features.0", x, convolution{kernel: 3, stride: 2, out: eights(32 * alpha)}, relu6)
	k := 1
	for _, s := range stages {
		for i := range s.repeats {
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			x = n.invertedResidual(fmt.Sprintf("features.%d", k), x, s.expansion, eights(float64(s.out)*alpha), stride)
			k++
		}
	}
	x = n.convAct(fmt.Sprintf("features.%d", k), x, convolution{kernel: 1, stride: 1, out: eights(1280 * max(1, alpha))}, relu6)
	x = n.flatten(n.averagePool("avgpool", x))
	return n.fc("classifier.1", x, 1000)
}

// invertedResidual is torchvision's mobilenetv2.InvertedResidual.
func (n *net) invertedResidual(path string, x value, expansion, out, stride int) value {
	trunk, in, k := x, n.shape(x)[1], 0
	part := func() string { k++; return fmt.Sprintf("%s.conv.%d", path, k-1) }
	if expansion != 1 {
		x = n.convAct(part(), x, convolution{kernel: 1, stride: 1, out: in * expansion}, relu6)
	}
	x = n.convAct(part(), x, convolution{kernel: 3, stride: stride, out: in * expansion, depthwise: true}, relu6)
	residual := stride == 1 && in == out
	x = n.conv(part(), x, convolution{kernel: 1, stride: 1, out: out, damp: residual})
	if residual {
		x = n.add(path+".add", x, trunk)
	}
	return x
}

// convAct is torchvision's ops.Conv2dNormActivation under path: module 0 is the
// convolution, 1 its batch norm (folded), 2 the activation.
func (n *net) convAct(path string, x value, c convolution, a activation) value {
	return n.act(path+".2", n.conv(path+".0", x, c), a)
}

// wideMobileNetV2 has channels multiplied by alpha; those of the head do not fall below 1280.
func wideMobileNetV2(alpha float64) func(*net, value) value {
	return func(n *net, x value) value { return n.mobileNetV2(x, alpha) }
}

// mobileNetV1 is table 1 of Howard et al.: MobileNets (2017) with channels multiplied by alpha.
func mobileNetV1(alpha float64) func(*net, value) value {
	return func(n *net, x value) value {
		wide := func(c int) int { return int(float64(c) * alpha) }
		x = n.convAct("features.0", x, convolution{kernel: 3, stride: 2, out: wide(32)}, relu)
		for i, out := range []int{64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024} {
			stride := 1
			if i == 1 || i == 3 || i == 5 || i == 11 {
				stride = 2
			}
			path := fmt.Sprintf("features.%d", 1+i)
			x = n.convAct(path+".0", x, convolution{kernel: 3, stride: stride, out: n.shape(x)[1], depthwise: true}, relu)
			x = n.convAct(path+".1", x, convolution{kernel: 1, stride: 1, out: wide(out)}, relu)
		}
		return n.fc("classifier", n.flatten(n.averagePool("avgpool", x)), 1000)
	}
}
