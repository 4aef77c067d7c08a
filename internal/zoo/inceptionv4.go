package zoo

import "fmt"

// inceptionV4 is figures 3 to 9 of Szegedy et al.: Inception-v4, Inception-ResNet and the
// Impact of Residual Connections on Learning (AAAI 2017), as timm's inception_v4 has it.
func inceptionV4(n *net, x value) value {
	x = n.basic("features.0", x, convolution{kernel: 3, stride: 2, out: 32, valid: true})
	x = n.basic("features.1", x, convolution{kernel: 3, stride: 1, out: 32, valid: true})
	x = n.basic("features.2", x, convolution{kernel: 3, stride: 1, out: 64})
	for i, branches := range inceptionV4Modules() {
		path := fmt.Sprintf("features.%d", 3+i)
		x = n.module(path, path+".concat", x, branches)
	}
	return n.fc("last_linear", n.flatten(n.averagePool("avgpool", x)), 1000)
}

// inceptionV4Modules are the modules after the first three convolutions.
func inceptionV4Modules() (list [][][]inceptionLayer) {
	// row is a branch; each layer is named by its place in it.
	row := func(branch string, layers ...inceptionLayer) []inceptionLayer {
		for i := range layers {
			layers[i].name = fmt.Sprintf("%s.%d", branch, i)
		}
		return layers
	}
	conv := func(k [2]int, out int) inceptionLayer { return inceptionLayer{kernel: k, out: out} }
	half := func(out int) inceptionLayer { return inceptionLayer{kernel: square(3), out: out, stride: 2} }
	valid := func(out int) inceptionLayer { return inceptionLayer{kernel: square(3), out: out, valid: true} }
	pool, mean := inceptionLayer{stride: 2}, inceptionLayer{}
	both := inceptionLayer{out: 256, beside: true}
	one, three := square(1), square(3)

	list = append(list,
		[][]inceptionLayer{row("maxpool", pool), row("conv", half(96))},
		[][]inceptionLayer{row("branch0", conv(one, 64), valid(96)), row("branch1", conv(one, 64), conv(wide7, 64), conv(tall7, 64), valid(96))},
		[][]inceptionLayer{row("conv", half(192)), row("maxpool", pool)})
	for range 4 {
		list = append(list, [][]inceptionLayer{row("branch0", conv(one, 96)), row("branch1", conv(one, 64), conv(three, 96)),
			row("branch2", conv(one, 64), conv(three, 96), conv(three, 96)), row("branch3", mean, conv(one, 96))})
	}
	list = append(list, [][]inceptionLayer{row("branch0", half(384)), row("branch1", conv(one, 192), conv(three, 224), half(256)), row("branch2", pool)})
	for range 7 {
		list = append(list, [][]inceptionLayer{row("branch0", conv(one, 384)), row("branch1", conv(one, 192), conv(wide7, 224), conv(tall7, 256)),
			row("branch2", conv(one, 192), conv(tall7, 192), conv(wide7, 224), conv(tall7, 224), conv(wide7, 256)), row("branch3", mean, conv(one, 128))})
	}
	list = append(list, [][]inceptionLayer{row("branch0", conv(one, 192), half(192)),
		row("branch1", conv(one, 256), conv(wide7, 256), conv(tall7, 320), half(320)), row("branch2", pool)})
	for range 3 {
		list = append(list, [][]inceptionLayer{row("branch0", conv(one, 256)), row("branch1", conv(one, 384), both),
			row("branch2", conv(one, 384), conv([2]int{3, 1}, 448), conv([2]int{1, 3}, 512), both), row("branch3", mean, conv(one, 256))})
	}
	return list
}
