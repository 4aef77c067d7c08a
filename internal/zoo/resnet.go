package zoo

import "fmt"

// resNet50 is table 1 of the paper, with torchvision's stride in the 3x3
// convolution ("v1.5").
func resNet50(n *net, x value) value { return resNet(3, 4, 6, 3)(n, x) }

// residual describes the blocks of a ResNet: torchvision's BasicBlock, or its
// Bottleneck of so many groups whose inner width is a multiple of the paper's.
type residual struct {
	basic  bool
	groups int
	widen  int
}

// resNet is a ResNet of bottlenecks, so many of them in each stage.
func resNet(blocks ...int) func(*net, value) value {
	return residual{groups: 1, widen: 1}.net(blocks...)
}

func (r residual) net(blocks ...int) func(*net, value) value {
	return func(n *net, x value) value {
		x = n.act("relu", n.conv("conv1", x, convolution{kernel: 7, stride: 2, out: 64}), relu)
		x = n.maxPool("maxpool", x, 3, 2, 1)
		for i, count := range blocks {
			for j := range count {
				stride := 1
				if i > 0 && j == 0 {
					stride = 2
				}
				x = n.residual(fmt.Sprintf("layer%d.%d", 1+i, j), x, r, 64<<i, stride)
			}
		}
		x = n.flatten(n.averagePool("avgpool", x))
		return n.fc("fc", x, 1000)
	}
}

// residual is a block of torchvision's resnet; the first block of a stage has a 1x1
// convolution in its trunk where the shape changes.
func (n *net) residual(path string, x value, r residual, width, stride int) value {
	out, trunk := 4*width, x
	last := "relu_2"
	if r.basic {
		out, last = width, "relu_1"
		x = n.act(path+".relu", n.conv(path+".conv1", x, convolution{kernel: 3, stride: stride, out: width}), relu)
		x = n.conv(path+".conv2", x, convolution{kernel: 3, stride: 1, out: out, damp: true})
	} else {
		width *= r.widen
		x = n.act(path+".relu", n.conv(path+".conv1", x, convolution{kernel: 1, stride: 1, out: width}), relu)
		x = n.act(path+".relu_1", n.conv(path+".conv2", x, convolution{kernel: 3, stride: stride, out: width, groups: r.groups}), relu)
		x = n.conv(path+".conv3", x, convolution{kernel: 1, stride: 1, out: out, damp: true})
	}
	if n.shape(trunk)[1] != out {
		trunk = n.conv(path+".downsample.0", trunk, convolution{kernel: 1, stride: stride, out: out})
	}
	return n.act(path+"."+last, n.add(path+".add", x, trunk), relu)
}
