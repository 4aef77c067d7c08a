package zoo

import "fmt"

// mobileNetV2 is table 2 of the paper.
func mobileNetV2(n *net, x value) value {
	stages := []struct{ expansion, out, repeats, stride int }{
		{1, 16, 1, 1},
		{6, 24, 2, 2},
		{6, 32, 3, 2},
		{6, 64, 4, 2},
		{6, 96, 3, 1},
		{6, 160, 3, 2},
		{6, 320, 1, 1},
	}
	x = n.convAct("features.0", x, convolution{kernel: 3, stride: 2, out: 32}, relu6)
	k := 1
	for _, s := range stages {
		for i := range s.repeats {
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			x = n.invertedResidual(fmt.Sprintf("features.%d", k), x, s.expansion, s.out, stride)
			k++
		}
	}
	x = n.convAct(fmt.Sprintf("features.%d", k), x, convolution{kernel: 1, stride: 1, out: 1280}, relu6)
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
