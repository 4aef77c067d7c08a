package zoo

import "fmt"

// vgg16 is column D of table 1 of the paper.
func vgg16(n *net, x value) value { return vgg(2, 2, 3, 3, 3)(n, x) }

// vgg is a column of that table: so many convolutions before each max pool.
// torchvision's adaptive average pool to 7x7 does nothing for 224x224 images.
func vgg(groups ...int) func(*net, value) value {
	return func(n *net, x value) value {
		k := 0
		for i, count := range groups {
			for range count {
				x = n.conv(fmt.Sprintf("features.%d", k), x, convolution{kernel: 3, stride: 1, out: min(64<<i, 512)})
				x = n.act(fmt.Sprintf("features.%d", k+1), x, relu)
				k += 2
			}
			x = n.maxPool(fmt.Sprintf("features.%d", k), x, 2, 2, 0)
			k++
		}
		return n.vggClassifier(x)
	}
}

func (n *net) vggClassifier(x value) value {
	x = n.flatten(x)
	x = n.act("classifier.1", n.fc("classifier.0", x, 4096), relu)
	x = n.act("classifier.4", n.fc("classifier.3", x, 4096), relu)
	return n.fc("classifier.6", x, 1000)
}
