package zoo

// toy is one inverted residual with squeeze-excite between a stem and a head:
// 8x16x16 -> 16x16x16 -> 16x8x8 -> 32x8x8 -> 10.
func toy(n *net, x value) value {
	x = n.act("stem.relu", n.conv("stem.conv", x, convolution{kernel: 3, stride: 1, out: 16}), relu)
	x = n.maxPool("stem.pool", x, 2, 2, 0)
	trunk := x
	x = n.act("block.expand.relu6", n.conv("block.expand", x, convolution{kernel: 1, stride: 1, out: 32}), relu6)
	x = n.act("block.depthwise.swish", n.conv("block.depthwise", x, convolution{kernel: 3, stride: 1, out: 32, depthwise: true}), swish)
	x = n.squeezeExcite("block.se", x, 8, relu)
	x = n.conv("block.project", x, convolution{kernel: 1, stride: 1, out: 16, damp: true})
	x = n.add("block.add", x, trunk)
	x = n.act("head.relu", n.conv("head.conv", x, convolution{kernel: 1, stride: 1, out: 32}), relu)
	x = n.flatten(n.averagePool("head.pool", x))
	return n.fc("fc", x, 10)
}
