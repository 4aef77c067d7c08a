package pim

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/dram"
	"pimflow/internal/op"
	"pimflow/internal/pim/unit"
	"pimflow/internal/tensor"
)

// TestProgramMeter: the meter of a machine executes programs in the way that an image names, whichever that is.
func TestProgramMeter(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	n := build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{2, 37}), numbers(r, tensor.Shape{150, 37}))
	m := machineOf(t, "hbm-pim")
	meter, err := NewMeter(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range programCodes(t, m, 2, n) {
		var images []*ChannelImage
		x, err := code.Image(n.in, func(ch *ChannelImage) error { images = append(images, ch); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if x.Program != code.device.program.name || len(images[0].Words) == 0 || images[0].Reads.Len()%unit.Lanes != 0 {
			t.Errorf("program %q, %d words, %d values read", x.Program, len(images[0].Words), images[0].Reads.Len())
		}
		results, next := meter.NewSums(x.Results.Len()), 0
		perform := func(s *ChannelStream) error {
			next++
			return meter.Perform(s.Stream, s.Rows, x, images[next-1], results)
		}
		if err := code.Streams(perform); err != nil {
			t.Fatal(err)
		}
		if _, is, want, differ := results.Differ(0, x.Results); differ {
			t.Errorf("%s: %s, %s wanted", x.Program, is, want)
		}
		x.Program, next = "pixels on lines", 0
		if err := code.Streams(perform); err == nil || !strings.Contains(err.Error(), `program "pixels on lines": one of ["inputs on lanes" `) {
			t.Errorf("%v", err)
		}
	}
	plain, err := NewMeter(machineOf(t, "newton"))
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Perform(nil, 0, &StepImage{Program: "inputs on lanes"}, &ChannelImage{}, plain.NewSums(0)); err == nil || !strings.Contains(err.Error(), "none wanted, as the units execute no programs") {
		t.Errorf("%v", err)
	}
}

// TestProgramPerformRefuses: a stream that does what cannot be, and images that do not fit, are errors; each value of an image counts.
func TestProgramPerformRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	n := build(t, "Gemm", op.Attrs{"transB": int64(1)}, numbers(r, tensor.Shape{1, 21}), numbers(r, tensor.Shape{130, 21}))
	for _, x := range n.in {
		for i, v := range x.Floats() {
			x.Floats()[i] = max(v, -v) + 1 // what is 0 is in no image
		}
	}
	m := machineOf(t, "hbm-pim")
	for _, code := range programCodes(t, m, 1, n) {
		var ch *ChannelImage
		x, err := code.Image(n.in, func(c *ChannelImage) error { ch = c; return nil })
		if err != nil {
			t.Fatal(err)
		}
		text := printed(t, code.device.ops, streamOf(t, code))
		last := func(word string) string { // with what follows it in its line
			operand, _, _ := strings.Cut(text[strings.LastIndex(text, word):], "\n")
			return operand
		}
		type change struct {
			from, to string
			change   func(x *StepImage, ch *ChannelImage)
			want     string
		}
		for _, c := range []change{
			{"", "", nil, ""},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Inputs[20]++ }, " that is read is "},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Inputs = x.Inputs[:len(x.Inputs)-1] }, " inputs"},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Matrices = nil }, "no matrix has input 0"},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Matrices[0].Pitch = 0 }, "no matrix has input 0"},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Matrices[0].Rows = -1 }, "no matrix has input 0"},
			{"", "", func(x *StepImage, _ *ChannelImage) { x.Matrices[0].Result = 1 }, "no matrix has result 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Words = ch.Words[:len(ch.Words)-1] }, " of programs"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Words[0] ^= 7 << 8 }, " is read"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Weights[0]++ }, " that is read is "},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Weights[len(ch.Weights)-1]++ }, " that is read is "},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Reads.Rounded[3]++ }, "value 3 that is read is "},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Reads.Rounded = append(ch.Reads.Rounded, 0) }, " values are read: "},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Results.Hi-- }, "outside of 0 to 129"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].Bank = 1 }, "row image 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].Bank = 16 }, "row image 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].Banks = 2 }, "row image 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].Width = 32 }, "row image 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].At = 512 }, "row image 0"},
			{"", "", func(_ *StepImage, ch *ChannelImage) { ch.Rows[0].Offset = len(ch.Weights) }, "row image 0"},
			{"ACTMR row=16383", "ACTMR row=16382", nil, "command "},
			{"RDSB bank=", "RDSB bank=1+", nil, "command "},
			{last(" data="), " data=1000", nil, "no matrix has result 1000"},
		} {
			if c.from != "" && !strings.Contains(text, c.from) {
				t.Fatalf("%s: no %q in %s", x.Program, c.from, text)
			}
			st, err := code.Commands().ParseStream("f", strings.NewReader(strings.Replace(text, c.from, c.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			step, own := *x, *ch
			step.Inputs, step.Matrices = slices.Clone(x.Inputs), slices.Clone(x.Matrices)
			own.Rows, own.Weights, own.Words, own.Reads.Rounded = slices.Clone(ch.Rows), slices.Clone(ch.Weights), slices.Clone(ch.Words), slices.Clone(ch.Reads.Rounded)
			if c.change != nil {
				c.change(&step, &own)
			}
			meter := meterOf(code)
			err = meter.Perform(st, 100, &step, &own, meter.NewSums(x.Results.Len()))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %s %s: %v, %q wanted", x.Program, c.from, c.to, err, c.want)
			}
		}
	}
}

// streamOf is the stream of the only channel that is not idle.
func streamOf(t fataler, c *Code) (st dram.Stream) {
	if err := c.Streams(func(s *ChannelStream) error { st = s.Stream; return nil }); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestUnitImage: a row is held from its first to its last number that is not +0, and a write ends with the row of a matrix.
func TestUnitImage(t *testing.T) {
	var r unitRow
	r[2][3][4], r[2][3][6] = 5, float32(math.Copysign(0, -1))
	ch := &ChannelImage{}
	ch.holdUnits(9, &r)
	if want := []RowImage{{Row: 9, Width: 512, Period: 1, Bank: 4, Banks: 1, At: 52, N: 3}}; !slices.Equal(ch.Rows, want) || len(ch.Weights) != 3 {
		t.Errorf("%+v, %v, wanted %+v", ch.Rows, ch.Weights, want)
	}
	step := &StepImage{Inputs: []float32{1, 2, 3, 4, 5, 6}, Matrices: []Matrix{{Rows: 2, Pitch: 3, Width: 1}}}
	x, err := newUnitImage(step, ch)
	if err != nil || *x.unitRow(9) != r || *x.unitRow(8) != (unitRow{}) {
		t.Errorf("%v: %v", err, x)
	}
	got := []float32{9, 9, 9, 9, 9, 9}
	x.fill([][]float32{got}, 1, 4, 1)
	if want := []float32{9, 2, 3, 0, 0, 9}; !slices.Equal(got, want) {
		t.Errorf("%v, wanted %v", got, want)
	}
}
