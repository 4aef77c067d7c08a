package zoo

import "fmt"

// resNet50 is table 1 of the paper, with torchvision's stride in the 3x3
// convolution ("v1.5").
func resNet50(n *net, x value) value {
	stages := []struct{ width, blocks, stride int }{
		{64, 3, 1},
		{128, 4, 2},
		{256, 6, 2},
		{512, 3, 2},
	}
	x = n.act("relu", n.conv("conv1", x, convolution{kernel: 7, stride: 2, out: 64}), relu)
	x = n.maxPool("maxpool", x, 3, 2, 1)
	for i, s := range stages {
		for j := range s.blocks {
			stride := s.stride
			if j > 0 {
				stride = 1
			}
			x = n.bottleneck(fmt.Sprintf("layer%d.%d", 1+i, j), x, s.width, stride)
		}
	}
	x = n.flatten(n.averagePool("avgpool", x))
	return n.fc("fc", x, 1000)
}

// bottleneck is torchvision's resnet.Bottleneck; the first block of a stage has
// a 1x1 convolution in its trunk.
func (n *net) bottleneck(path string, x value, width, stride int) value {
	out, trunk := 4*width, x
	x = n.act(path+".relu", n.conv(path+".conv1", x, convolution{kernel: 1, stride: 1, out: width}), relu)
	x = n.act(path+".relu_1", n.conv(path+".conv2", x, convolution{kernel: 3, stride: stride, out: width}), relu)
	x = n.conv(path+".conv3", x, convolution{kernel: 1, stride: 1, out: out, damp: true})
	if n.shape(trunk)[1] != out {
		trunk = n.conv(path+".downsample.0", trunk, convolution{kernel: 1, stride: stride, out: out})
	}
	return n.act(path+".relu_2", n.add(path+".add", x, trunk), relu)
}
