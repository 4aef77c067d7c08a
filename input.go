package pimflow

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the picture formats that Input reads
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"

	"pimflow/internal/budget"
	"pimflow/internal/files"
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

// readInput reads the value of an input from a .npy file or a picture, of which the input gets the whole, or the centre.
func readInput(file string, nd *graph.Node, memory budget.Memory, whole bool) (*tensor.Tensor, error) {
	// Numbers of 8 bytes and a header, or a picture.
	f, err := files.Open(file, 1<<17+max(8*int64(nd.Shape.Size()), int64(pictures(memory))))
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
			return nil, fmt.Errorf("%s: shape %v: input %.80q is %v", file, x.Shape, nd.Name, nd.Shape)
		}
		if x.Type.Float() != nd.Type.Float() {
			return nil, fmt.Errorf("%s: %v values: input %.80q is %v", file, x.Type, nd.Name, nd.Type)
		}
		return x.Convert(nd.Type), nil
	}
	var head bytes.Buffer // decoded again below: a pipe cannot be read twice
	c, _, err := image.DecodeConfig(bufio.NewReader(io.TeeReader(f, &head)))
	if errors.Is(err, image.ErrFormat) {
		return nil, fmt.Errorf("%s: a .npy tensor or a .png, .jpg or .gif picture wanted", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: a .npy tensor or a .png, .jpg or .gif picture wanted: %w", file, err)
	}
	s := nd.Shape
	if len(s) != 4 || s[0] != 1 || s[1] != 3 || !nd.Type.Float() {
		return nil, fmt.Errorf("%s: a picture for input %.80q, which is %v %v: a floating 1x3xHxW input or a .npy file wanted", file, nd.Name, nd.Type, s)
	}
	// A small file can claim any size.
	if err := pictures(memory).Holds(pixelBytes(c.Height, c.Width, s, whole), fmt.Sprintf("%s: a picture of %dx%d for %dx%d: pixels", file, c.Height, c.Width, s[2], s[3])); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bufio.NewReader(io.MultiReader(&head, f)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return picture(img, s, nd.Type, whole), nil
}

// picture makes a picture an input as torchvision's reference transforms do: the
// shorter side scaled to 256/224 of the input's, the centre cut out, ImageNet's
// mean and deviation taken off. The whole of a picture is scaled to the input's size instead.
func picture(img image.Image, s tensor.Shape, t tensor.Type, whole bool) *tensor.Tensor {
	h, w := s[2], s[3]
	b := img.Bounds()
	sh, sw := scaled(b.Dy(), b.Dx(), s, whole)
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

// pictures is the bound of a picture's pixels: 1 GB, or what the user gives (estimated: the largest cameras have 100 million).
func pictures(memory budget.Memory) budget.Memory {
	if memory == 0 {
		return min(1e9, budget.Default())
	}
	return memory
}

// pixelBytes is what a picture takes: up to 8 bytes a pixel as decoded and as scaled, and four float64 in between, where it is as
// wide as scaled and as high as decoded (golang.org/x/image/draw).
func pixelBytes(height, width int, input tensor.Shape, whole bool) int64 {
	sh, sw := scaled(height, width, input, whole)
	h, w, th, tw := float64(height), float64(width), float64(sh), float64(sw) // whose products do not overflow
	return int64(min(8*(h*w+th*tw)+32*h*tw, 1<<62))
}

// scaled is the size of a picture before the centre is cut out for an input.
func scaled(height, width int, input tensor.Shape, whole bool) (sh, sw int) {
	h, w := input[2], input[3]
	if whole {
		return h, w
	}
	scale := 256.0 / 224 * max(float64(h)/float64(height), float64(w)/float64(width))
	return max(int(float64(height)*scale+0.5), h), max(int(float64(width)*scale+0.5), w)
}

// noise is the default value of an input: standard normal, or 0 and 1 for integers; the same
// on every machine.
func noise(nd *graph.Node, seed uint64) *tensor.Tensor {
	rng := rand.New(rand.NewPCG(2023, seed))
	x := tensor.New(nd.Type, nd.Shape)
	if nd.Type.Float() {
		for i := range x.Floats() {
			x.Floats()[i] = tensor.Round(nd.Type, float32(rng.NormFloat64()))
		}
		return x
	}
	for i := range x.Ints() {
		x.Ints()[i] = rng.Int64N(2)
	}
	return x
}
