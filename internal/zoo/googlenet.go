package zoo

// googLeNet is table 1 of Szegedy et al.: Going Deeper with Convolutions (CVPR 2015) as
// torchvision has it: 3x3 kernels where the paper has 5x5, no auxiliary classifiers.
func googLeNet(n *net, x value) value {
	x = n.basic("conv1", x, convolution{kernel: 7, stride: 2, out: 64})
	x = n.shrink("maxpool1", x)
	x = n.basic("conv2", x, convolution{kernel: 1, stride: 1, out: 64})
	x = n.basic("conv3", x, convolution{kernel: 3, stride: 1, out: 192})
	x = n.shrink("maxpool2", x)
	for _, m := range []struct {
		name                                     string
		one, before3, three, before5, five, pool int
	}{
		{"inception3a", 64, 96, 128, 16, 32, 32}, {"inception3b", 128, 128, 192, 32, 96, 64}, {name: "maxpool3"},
		{"inception4a", 192, 96, 208, 16, 48, 64}, {"inception4b", 160, 112, 224, 24, 64, 64}, {"inception4c", 128, 128, 256, 24, 64, 64},
		{"inception4d", 112, 144, 288, 32, 64, 64}, {"inception4e", 256, 160, 320, 32, 128, 128}, {name: "maxpool4"},
		{"inception5a", 256, 160, 320, 32, 128, 128}, {"inception5b", 384, 192, 384, 48, 128, 128},
	} {
		switch {
		case m.name == "maxpool3":
			x = n.shrink(m.name, x)
		case m.name == "maxpool4":
			x = n.maxPool(m.name, x, 2, 2, 0)
		default:
			x = n.module(m.name, m.name+".concat", x, [][]inceptionLayer{
				{{name: "branch1", kernel: square(1), out: m.one}},
				{{name: "branch2.0", kernel: square(1), out: m.before3}, {name: "branch2.1", kernel: square(3), out: m.three}},
				{{name: "branch3.0", kernel: square(1), out: m.before5}, {name: "branch3.1", kernel: square(3), out: m.five}},
				{{name: "branch4.0", most: true}, {name: "branch4.1", kernel: square(1), out: m.pool}},
			})
		}
	}
	return n.fc("fc", n.flatten(n.averagePool("avgpool", x)), 1000)
}
