package pimflow

import (
	"slices"
	"testing"
)

// stripes is an image of one of the four kinds of stripes that testdata/trained draws.
func stripes(kind int, size, offset float32) Tensor {
	x := Tensor{Shape: []int{1, 1, 16, 16}, Floats: make([]float32, 256)}
	for i := range x.Floats {
		at := [...]int{i / 16, i % 16, i/16 + i%16, i/16 - i%16 + 16}[kind]
		x.Floats[i] = offset + size*float32(at/2%2*2-1)
	}
	return x
}

// TestTrained: plans of three small networks, trained by testdata/trained, are right on every machine
// though half precision costs the first, whose layers cancel each other, more than 8 roundings of its
// output. The networks have learned what they were to.
func TestTrained(t *testing.T) {
	for _, c := range []struct {
		name         string
		size, offset float32
		cancels      bool
		learned      func(kind int, x, y Tensor) bool
	}{
		{"cancel", 0.1, 3, true, func(_ int, x, y Tensor) bool { // the texture without the offset and the border
			for i, v := range y.Floats {
				if d := v - (x.Floats[(i/14+1)*16+i%14+1] - 3); d > 0.08 || d < -0.08 {
					return false
				}
			}
			return true
		}},
		{"classes", 1, 0, false, func(kind int, _, y Tensor) bool { return y.Floats[kind] > 0.5 }},
		{"segments", 1, 0, false, func(kind int, _, y Tensor) bool {
			n := 0
			for _, v := range y.Ints {
				if int(v) == kind {
					n++
				}
			}
			return n > 200
		}},
	} {
		for _, machine := range []string{"newton", "aim", "artifact"} {
			s, err := Open(t.Context(), "testdata/trained/"+c.name+".onnx", Options{Machine: machine})
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.Plan(t.Context(), Search{Policy: "by-operator"})
			if err != nil {
				t.Fatal(err)
			}
			var worst float64
			for kind := range 4 {
				x := stripes(kind, c.size, c.offset)
				check, err := s.Check(t.Context(), p, x)
				if err != nil {
					t.Fatal(err)
				}
				if !check.OK || check.PIMTiles < 3 || check.PIM.Compared == 0 {
					t.Errorf("%s on %s, stripes %d: %+v", c.name, machine, kind, check)
				}
				worst = max(worst, check.MaxRel)
				if !c.learned(kind, x, check.Values[0]) {
					t.Errorf("%s on %s, stripes %d: %v", c.name, machine, kind, slices.Concat(check.Values[0].Floats))
				}
			}
			t.Logf("%s on %s: largest relative error of the output %.3g", c.name, machine, worst)
			if roundings := map[string]float64{"aim": 0x1p-8}[machine]; c.cancels && worst < 8*max(roundings, 0x1p-11) {
				t.Errorf("%s on %s: nothing cancels, the error is %g", c.name, machine, worst)
			}
			if check, err := s.CheckExact(t.Context(), p); err != nil || !check.OK || len(check.Inexact) > 0 {
				t.Errorf("%s on %s: %+v, %v", c.name, machine, check, err)
			}
			s.Close()
		}
	}
}
