package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pimflow/internal/onnx"
	"pimflow/internal/profile"
	"pimflow/internal/tensor"
	"pimflow/ortcheck"
)

// kernels are rows of a profile of operators with inputs of several types.
const kernels = `op,inputs,kernel,strides,pads,dilations,group,attributes,output,dtype,epilogue,channels,time_us
Conv,1x8x9x7 const:4x8x3x3 const:4,3x3,2x1,1x1x0x1,1x1,1,,1x4x4x7,float16,Clip+Add,any,
MaxPool,2x3x8x8,2x2,2x2,0x0x0x0,1x1,,ceil_mode=0,2x3x4x4,float16,,any,
Gather,const:5x4 int64:3,,,,,,axis=0,3x4,float16,,any,
Greater,2x3 2x3,,,,,,,2x3,float16,,any,
`

// TestCommand: each model is answered, in order, by a time or an error.
func TestCommand(t *testing.T) {
	if _, err := ortcheck.Library(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	p, err := profile.Parse(strings.NewReader(kernels), "kernels")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "missing.onnx")}
	for i := range p.Rows {
		g, _, err := p.Rows[i].Alone(tensor.Float32)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := onnx.Write(&b, g); err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(dir, p.Rows[i].Op.Name+".onnx"))
		if err := os.WriteFile(files[i+1], b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out, stderr bytes.Buffer
	if err := command([]string{"--device", "cpu", "--repeats", "3", "--warm-up", "1"}, strings.NewReader(strings.Join(files, "\n")), &out, &stderr); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(&out)
	var hello profile.Hello
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &hello) != nil || hello.Protocol != profile.Protocol || hello.Device != "cpu" || !strings.HasPrefix(hello.On, "ONNX Runtime ") {
		t.Errorf("it says %q first", lines.Text())
	}
	for i, file := range files {
		var a profile.Answer
		switch ok := lines.Scan() && json.Unmarshal(lines.Bytes(), &a) == nil; {
		case !ok, (i == 0) != (a.Error != ""), i > 0 && (a.Repeats != 3 || a.Median <= 0 || a.Spread < 0):
			t.Errorf("%s: %q", file, lines.Text())
		}
	}
	if lines.Scan() {
		t.Errorf("and more: %q", lines.Text())
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		q, w float64
	}{{[]float64{5}, 0.25, 5}, {[]float64{1, 3}, 0.5, 2}, {[]float64{1, 2, 9}, 0.5, 2}, {[]float64{0, 4, 8, 12, 16}, 0.75, 12}, {[]float64{1, 2}, 1, 2}} {
		if got := quantile(c.v, c.q); got != c.w {
			t.Errorf("%v of %v is %v: %v wanted", c.q, c.v, got, c.w)
		}
	}
}
