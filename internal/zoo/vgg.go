package zoo

import "fmt"

// vgg16 is column D of table 1 of the paper; 0 is a max pool. torchvision's
// adaptive average pool to 7x7 does nothing for 224x224 images.
func vgg16(n *net, x value) value {
	features := []int{64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0}
	k := 0
	for _, out := range features {
		if out == 0 {
			x = n.maxPool(fmt.Sprintf("features.%d", k), x, 2, 2, 0)
			k++
			continue
		}
		x = n.conv(fmt.Sprintf("features.%d", k), x, convolution{kernel: 3, stride: 1, out: out})
		x = n.act(fmt.Sprintf("features.%d", k+1), x, relu)
		k += 2
	}
	x = n.flatten(x)
	x = n.act("classifier.1", n.fc("classifier.0", x, 4096), relu)
	x = n.act("classifier.4", n.fc("classifier.3", x, 4096), relu)
	return n.fc("classifier.6", x, 1000)
}
