package main

import (
	"bufio"
	"fmt"
	"image"
	_ "image/gif" // the picture formats that --input reads
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"

	"pimflow/internal/graph"
	"pimflow/internal/npy"
	"pimflow/internal/tensor"
)

// The mean and standard deviation of ImageNet's channels R G B, on values of 0 to
// 1 (torchvision's reference transforms).
var (
	imageMean = [3]float32{0.485, 0.456, 0.406}
	imageStd  = [3]float32{0.229, 0.224, 0.225}
)

// readInput reads the value of an input from a .npy file or a picture.
func readInput(file string, nd *graph.Node) (*tensor.Tensor, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if strings.EqualFold(filepath.Ext(file), ".npy") {
		x, err := npy.Read(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if !x.Shape.Equal(nd.Shape) {
			return nil, fmt.Errorf("%s: shape %v: input %q is %v", file, x.Shape, nd.Name, nd.Shape)
		}
		if x.Type.Float() != nd.Type.Float() {
			return nil, fmt.Errorf("%s: %v values: input %q is %v", file, x.Type, nd.Name, nd.Type)
		}
		return x.Convert(nd.Type), nil
	}
	img, _, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: a .npy tensor or a .png, .jpg or .gif picture wanted: %w", file, err)
	}
	s := nd.Shape
	if len(s) != 4 || s[0] != 1 || s[1] != 3 || !nd.Type.Float() {
		return nil, fmt.Errorf("%s: a picture for input %q, which is %v %v: a floating 1x3xHxW input or a .npy file wanted", file, nd.Name, nd.Type, s)
	}
	return picture(img, s, nd.Type), nil
}

// picture makes a picture an input as torchvision's reference transforms do: the
// shorter side scaled to 256/224 of the input's, the centre cut out, ImageNet's
// mean and deviation taken off.
func picture(img image.Image, s tensor.Shape, t tensor.Type) *tensor.Tensor {
	h, w := s[2], s[3]
	b := img.Bounds()
	scale := 256.0 / 224 * max(float64(h)/float64(b.Dy()), float64(w)/float64(b.Dx()))
	sh := max(int(float64(b.Dy())*scale+0.5), h)
	sw := max(int(float64(b.Dx())*scale+0.5), w)
	scaled := image.NewRGBA64(image.Rect(0, 0, sw, sh))
	draw.BiLinear.Scale(scaled, scaled.Bounds(), img, b, draw.Src, nil)
	x := tensor.New(t, s)
	y0, x0 := (sh-h)/2, (sw-w)/2
	for i := range h {
		for j := range w {
			c := scaled.RGBA64At(x0+j, y0+i)
			for k, v := range [3]uint16{c.R, c.G, c.B} {
				x.Floats()[(k*h+i)*w+j] = tensor.Round(t, (float32(v)/65535-imageMean[k])/imageStd[k])
			}
		}
	}
	return x
}

// readLabels reads one name a line; no file, no names.
func readLabels(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(string(data), "\r\n"), "\n"), nil
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
