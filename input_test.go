package pimflow

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/graph"
	"pimflow/internal/tensor"
)

// FuzzPicture: a picture becomes finite values of the input's shape, or an error of one line.
func FuzzPicture(f *testing.F) {
	img := image.NewNRGBA(image.Rect(0, 0, 5, 3))
	for i := range img.Pix {
		img.Pix[i] = byte(37 * i)
	}
	img.Set(0, 0, color.NRGBA{255, 0, 0, 128})
	for _, encode := range []func(io.Writer) error{
		func(w io.Writer) error { return png.Encode(w, img) },
		func(w io.Writer) error { return jpeg.Encode(w, img, nil) },
		func(w io.Writer) error { return gif.Encode(w, img, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	file := filepath.Join(f.TempDir(), "x.png")
	nd := &graph.Node{Name: "x", Type: tensor.Float32, Shape: tensor.Shape{1, 3, 4, 4}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<20 {
			return // they take memory, which is bounded elsewhere
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		x, err := readInput(file, nd, 0)
		if err != nil {
			if !strings.HasPrefix(err.Error(), file+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		for i, v := range x.Floats() {
			if !(v >= -3 && v <= 3) {
				t.Errorf("value %d is %v", i, v)
			}
		}
	})
}
