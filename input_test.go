package pimflow

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
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

	"pimflow/internal/budget"
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
		x, err := readInput(file, nd, 0, false)
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

// TestPictureSize: a picture is refused by what its head says, before its pixels are decoded.
func TestPictureSize(t *testing.T) {
	nd := &graph.Node{Name: "x", Type: tensor.Float32, Shape: tensor.Shape{1, 3, 224, 224}}
	for _, c := range []struct {
		width, height uint32
		memory        budget.Memory
		want          string
	}{
		{11000, 11000, 0, "a picture of 11000x11000 for 224x224: pixels take 1.1 GB of memory: at most 1.0 GB wanted, or another --memory"},
		{1 << 30, 1, 0, "a picture of 1x1073741824 for 224x224: pixels take 571.8 TB of memory: at most 1.0 GB wanted, or another --memory"},
		{1 << 20, 1 << 20, 0, "at most 1.0 GB wanted"},
		{4000, 4000, 1e8, "at most 100.0 MB wanted"},
		{4000, 4000, 0, "unexpected EOF"}, // small enough, and its pixels are missing
		{11000, 11000, 2e9, "unexpected EOF"},
	} {
		head := []byte("IHDR")
		head = binary.BigEndian.AppendUint32(head, c.width)
		head = binary.BigEndian.AppendUint32(head, c.height)
		head = append(head, 8, 2, 0, 0, 0) // bits, RGB, and the standard's only ways to compress, filter and interlace
		data := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), uint32(len(head)-4))
		data = binary.BigEndian.AppendUint32(append(data, head...), crc32.ChecksumIEEE(head))
		file := filepath.Join(t.TempDir(), "x.png")
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readInput(file, nd, c.memory, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%dx%d: got %v, want %s", c.width, c.height, err, c.want)
		}
	}
}

// TestPictureWhole: an input whose size was open gets all of a picture, pixel by pixel where the sizes are equal.
func TestPictureWhole(t *testing.T) {
	const h, w = 5, 7
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = uint8(37 * i)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	file := filepath.Join(t.TempDir(), "x.png")
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ h, w int }{{h, w}, {2 * h, 3 * w}} {
		nd := &graph.Node{Name: "x", Type: tensor.Float32, Shape: tensor.Shape{1, 3, c.h, c.w}}
		x, err := readInput(file, nd, 0, true)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 3 {
			for _, at := range [][2]int{{0, 0}, {0, w - 1}, {h - 1, 0}, {h - 1, w - 1}} { // corners stay corners
				y, z := at[0]*(c.h-1)/(h-1), at[1]*(c.w-1)/(w-1)
				want := (float32(img.RGBAAt(at[1], at[0]).R)/255 - imageMean[k]) / imageStd[k]
				if k > 0 {
					want = (float32([]uint8{img.RGBAAt(at[1], at[0]).G, img.RGBAAt(at[1], at[0]).B}[k-1])/255 - imageMean[k]) / imageStd[k]
				}
				if got := x.Floats()[(k*c.h+y)*c.w+z]; got < want-1e-3 || got > want+1e-3 {
					t.Errorf("%dx%d, channel %d, pixel %v: %v: %v wanted", c.h, c.w, k, at, got, want)
				}
			}
		}
	}
}
