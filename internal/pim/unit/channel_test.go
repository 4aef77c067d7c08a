package unit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pimflow/internal/tensor"
)

// rows is a memory of any rows.
type rows map[[3]int]*Column

func (m rows) Load(bank, row, col int) (*Column, error) {
	if v := m[[3]int{bank, row, col}]; v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("row %d of bank %d has no column %d", row, bank, col)
}

func (m rows) Store(bank, row, col int, v *Column) error {
	c := *v
	m[[3]int{bank, row, col}] = &c
	return nil
}

// draw fills columns of a row of all banks of a parity with small numbers.
func (m rows) draw(random *rand.Rand, parity, row, columns int) {
	for u := range Units {
		for col := range columns {
			var v Column
			for l := range v {
				v[l] = float32(random.IntN(255)-127) / 64
			}
			m[[3]int{2*u + parity, row, col}] = &v
		}
	}
}

// do executes commands, one a line: "ACT bank row", "ACTAB row", "PREA", "RDAB parity row col", "WRAB parity row col", "WR bank row col" with
// zeros, "OP", "CRF text; text; …".
func do(t testing.TB, c *Channel, lines ...string) error {
	for _, line := range lines {
		var a, b, d int
		var err error
		name, rest, _ := strings.Cut(line, " ")
		switch name {
		case "ACT":
			fmt.Sscanf(rest, "%v %v", &a, &b)
			err = c.Activate(a, b)
		case "ACTAB":
			fmt.Sscanf(rest, "%v", &a)
			err = c.ActivateAll(a)
		case "PREA":
			err = c.PrechargeAll()
		case "RDAB":
			fmt.Sscanf(rest, "%v %v %v", &a, &b, &d)
			err = c.ReadAll(a, b, d)
		case "WRAB":
			fmt.Sscanf(rest, "%v %v %v", &a, &b, &d)
			err = c.WriteAll(a, b, d, &Data{})
		case "WR":
			fmt.Sscanf(rest, "%v %v %v", &a, &b, &d)
			err = c.Write(a, b, d, &Data{})
		case "AB":
			err = do(t, c, "ACT 0 0x3ffe", "PREA")
		case "SB":
			err = do(t, c, "ACTAB 0x3fff", "PREA")
		case "OP":
			if err = c.ActivateAll(RowOpMode); err == nil {
				if err = c.WriteAll(0, RowOpMode, 0, &Data{1}); err == nil {
					err = c.PrechargeAll()
				}
			}
		case "CRF":
			if err = c.ActivateAll(RowCRF); err == nil {
				for i, w := range program(t, rest) {
					if err = c.WriteAll(0, RowCRF, i, &w); err != nil {
						return err
					}
				}
				err = c.PrechargeAll()
			}
		default:
			t.Fatalf("no command %s", line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func program(t testing.TB, text string) (data []Data) {
	var words []uint32
	for _, s := range strings.Split(text, ";") {
		i, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		w, err := i.Encode()
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, w)
	}
	for ; len(words) > 0; words = words[min(8, len(words)):] {
		data = append(data, Words(words[:min(8, len(words))]))
	}
	return data
}

// naive adds products one by one in fp16, each sum rounded once.
func naive(w, x []float32) (s float32) {
	for i := range w {
		s = tensor.FromFloat16(tensor.ToFloat16(float32(math.FMA(float64(w[i]), float64(x[i]), float64(s)))))
	}
	return s
}

// TestOutputsOnLanes: the program of a product whose outputs are on the lanes gives, for each output, the sum in the order of its
// elements: 512 outputs of 16 products, then moved to the banks.
func TestOutputsOnLanes(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := rows{}
	m.draw(random, 0, 0, Columns)
	m.draw(random, 0, 2, Columns)
	var x [16]float32
	for i := range x {
		x[i] = float32(random.IntN(63)-31) / 16
	}
	c := &Channel{Memory: m}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(do(t, c, "AB", "CRF MAC(AAM) GRF_B[3], BANK, SRF_M[0]; JUMP -1, 63; MOV(AAM) BANK, GRF_B[0]; JUMP -1, 3; EXIT"))
	must(do(t, c, "ACTAB 0x3ffb", "WRAB 0 0x3ffb 8", "WRAB 0 0x3ffb 9", "WRAB 0 0x3ffb 10", "WRAB 0 0x3ffb 11", "PREA", "OP"))
	for half := range 2 {
		must(c.ActivateAll(RowSRF))
		d := Halves(append(make([]float32, 8), x[8*half:8*half+8]...))
		must(c.WriteAll(0, RowSRF, 0, &d))
		must(c.PrechargeAll())
		must(c.ActivateAll(2 * half))
		for col := range Columns {
			must(c.ReadAll(0, 2*half, col))
		}
		must(c.PrechargeAll())
	}
	must(do(t, c, "ACTAB 5", "WRAB 1 5 0", "WRAB 1 5 1", "WRAB 1 5 2"))
	if c.Mode() != PIM {
		t.Fatalf("mode %v before the last store", c.Mode())
	}
	must(do(t, c, "WRAB 1 5 3", "PREA"))
	if c.Mode() != AB || c.Executed != 68 {
		t.Fatalf("mode %v after %d instructions", c.Mode(), c.Executed)
	}
	must(do(t, c, "SB"))
	for u := range Units {
		must(c.Activate(2*u+1, 5))
		for a := range 4 {
			v, err := c.Read(2*u+1, 5, a)
			must(err)
			for l := range v {
				var w []float32
				for k := range 16 {
					w = append(w, m[[3]int{2 * u, k / 8 * 2, 8*a + k%8}][l])
				}
				if want := naive(w, x[:]); v[l] != want {
					t.Fatalf("output %d is %v, want %v", 128*a+16*u+l, v[l], want)
				}
			}
		}
	}
}

// TestElementwise: a residual addition with ReLU, and the roundings of MAC and MAD, in registers.
func TestElementwise(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, rounding := range []Rounding{Fused, Separate} {
		m := rows{}
		for _, row := range []int{0, 1, 2} {
			m.draw(random, 0, row, 8)
		}
		c := &Channel{Memory: m, Rounding: rounding}
		if err := do(t, c, "AB", "CRF MOV(AAM) GRF_A[0], BANK; JUMP -1, 7; ADD(AAM) GRF_A[0], BANK, GRF_A[0]; JUMP -1, 7;"+
			"MUL GRF_B[0], BANK, GRF_A[0]; MAC GRF_B[0], BANK, GRF_A[1]; MAD GRF_B[1], BANK, SRF_M[2]; NOP 2;"+
			"MOV(AAM,ReLU) BANK, GRF_A[0]; JUMP -1, 7; MOV BANK, GRF_B[0]; MOV BANK, GRF_B[1]; EXIT"); err != nil {
			t.Fatal(err)
		}
		srf := Halves([]float32{0, 0, 0.75, 0, 0, 0, 0, 0, 0, 0, 1.1, 0, 0, 0, 0, 0})
		if err := do(t, c, "ACTAB 0x3ffa"); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteAll(0, RowSRF, 0, &srf); err != nil {
			t.Fatal(err)
		}
		lines := []string{"PREA", "OP", "ACTAB 0"}
		for row := range 2 {
			for col := range 8 {
				lines = append(lines, fmt.Sprintf("RDAB 0 %d %d", row, col))
			}
			lines = append(lines, "PREA", fmt.Sprintf("ACTAB %d", row+1))
		}
		lines = append(lines, "RDAB 0 2 0", "RDAB 0 2 1", "RDAB 0 2 2", "RDAB 0 2 7", "WRAB 0 2 9") // two commands pass
		for col := range 10 {
			lines = append(lines, fmt.Sprintf("WRAB 1 2 %d", col))
		}
		if err := do(t, c, lines...); err != nil {
			t.Fatal(err)
		}
		if c.Mode() != AB {
			t.Fatalf("mode %v at the end", c.Mode())
		}
		for u := range Units {
			at := func(parity, row, col, l int) float32 { return m[[3]int{2*u + parity, row, col}][l] }
			for l := range Lanes {
				var sums [2]float32
				for col := range 8 {
					sum := half(float64(at(0, 0, col, l)) + float64(at(0, 1, col, l)))
					if col < 2 {
						sums[col] = sum
					}
					if got := at(1, 2, col, l); got != max(sum, 0) {
						t.Fatalf("sum %v is %v after ReLU", sum, got)
					}
				}
				product := func(a, b float32) float64 {
					if rounding == Separate {
						return float64(half(float64(a) * float64(b)))
					}
					return float64(a) * float64(b)
				}
				first := half(float64(at(0, 2, 0, l)) * float64(sums[0]))
				if got, want := at(1, 2, 8, l), half(product(at(0, 2, 1, l), sums[1])+float64(first)); got != want {
					t.Fatalf("MAC gives %v, want %v", got, want)
				}
				scale := tensor.FromFloat16(tensor.ToFloat16(1.1))
				if got, want := at(1, 2, 9, l), half(product(at(0, 2, 2, l), scale)+0.75); got != want {
					t.Fatalf("MAD gives %v, want %v", got, want)
				}
			}
		}
	}
}

// TestRefusals: what no channel does and no unit executes is refused, and reads of what was not written.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"activation of all banks in SB mode", []string{"ACTAB 0"}},
		{"activation of one bank in AB mode", []string{"AB", "ACT 0 0"}},
		{"where row 0x0 is open", []string{"ACT 3 0", "ACT 3 1"}},
		{"where row 0x0 is open", []string{"AB", "ACTAB 0", "ACTAB 1"}},
		{"change to AB mode with open rows", []string{"ACT 1 5", "ACT 0 0x3ffe", "PREA"}},
		{"by way of AB mode", []string{"AB", "CRF NOP 2; EXIT", "OP", "SB"}},
		{"row 0x5 of bank 0, which is closed", []string{"AB", "RDAB 0 5 0"}},
		{"row 0x5 of bank 1, where row 0x4 is open", []string{"AB", "ACTAB 4", "WRAB 1 5 0"}},
		{"column 32 of a row of 32", []string{"AB", "ACTAB 4", "RDAB 0 4 32"}},
		{"read of all banks in SB mode", []string{"RDAB 0 0 0"}},
		{"write of all banks in SB mode", []string{"WRAB 0 0 0"}},
		{"write of one bank in AB mode", []string{"AB", "WR 0 0 0"}},
		{"column 4 of reserved row 0x3ffc, where nothing is", []string{"AB", "ACTAB 0x3ffc", "WRAB 0 0x3ffc 4"}},
		{"write of the program while it runs", []string{"AB", "CRF NOP 2; EXIT", "OP", "ACTAB 0x3ffc", "WRAB 0 0x3ffc 0"}},
		{"instruction 0, which was not written", []string{"AB", "OP"}},
		{"instruction 8, which was not written", []string{"AB", "CRF NOP 1; NOP 1; NOP 1; NOP 1; NOP 1; NOP 1; NOP 1; NOP 1", "OP", "ACTAB 0",
			"RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0"}},
		{"GRF_A[0] is read, which was not written", []string{"AB", "CRF MOV BANK, GRF_A[0]; EXIT", "OP", "ACTAB 0", "WRAB 0 0 0"}},
		{"SRF_M[0] is read, which was not written", []string{"AB", "CRF MUL GRF_A[0], BANK, SRF_M[0]; EXIT", "OP", "ACTAB 9", "RDAB 0 9 0"}},
		{"GRF_B[1] is read, which was not written", []string{"AB", "ACTAB 0x3ffa", "WRAB 0 0x3ffa 0", "PREA", "CRF MAC GRF_B[1], BANK, SRF_M[0]; EXIT", "OP", "ACTAB 9", "RDAB 0 9 0"}},
		{"SRF_A[0] is read", []string{"AB", "ACTAB 0x3ffb", "WRAB 0 0x3ffb 0", "PREA", "CRF MAD GRF_B[1], BANK, GRF_A[0]; EXIT", "OP", "ACTAB 9", "RDAB 0 9 0"}},
		{"row 8 of bank 0 has no column 0", []string{"AB", "CRF MOV GRF_A[0], BANK; EXIT", "OP", "ACTAB 8", "RDAB 0 8 0"}},
		{"a read executes instruction 0, MOV BANK, GRF_A[0]", []string{"AB", "CRF MOV BANK, GRF_A[0]; EXIT", "OP", "ACTAB 0", "RDAB 0 0 0"}},
		{"a write executes instruction 0, MOV GRF_A[0], BANK", []string{"AB", "CRF MOV GRF_A[0], BANK; EXIT", "OP", "ACTAB 0", "WRAB 0 0 0"}},
		{"there is one loop counter", []string{"AB", "CRF NOP 1; JUMP -1, 2; JUMP -2, 2; EXIT", "OP", "ACTAB 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0",
			"RDAB 0 0 0", "RDAB 0 0 0"}},
		{"NOP 2 at instruction 0, inside of the loop", []string{"AB", "CRF NOP 2; JUMP -1, 2; EXIT", "OP", "ACTAB 0", "RDAB 0 0 0", "RDAB 0 0 0", "RDAB 0 0 0"}},
		{"operation 3", []string{"AB", "ACTAB 0x3ffc", "BAD", "PREA", "OP"}},
	} {
		m := rows{}
		m.draw(rand.New(rand.NewPCG(1, 1)), 0, 9, 1)
		x := &Channel{Memory: m}
		var err error
		for _, line := range c.lines {
			if line == "BAD" {
				d := Words([]uint32{0x30000000})
				err = x.WriteAll(0, RowCRF, 0, &d)
			} else {
				err = do(t, x, line)
			}
			if err != nil {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.lines, err, c.want)
		}
	}
}

// TestSingleBank: in SB mode a bank is read and written alone, and a register of one unit.
func TestSingleBank(t *testing.T) {
	c := &Channel{Memory: rows{}}
	d := Halves([]float32{1, 2, 3})
	for _, err := range []error{
		c.Activate(3, 7), c.Write(3, 7, 1, &d), c.PrechargeAll(), c.Activate(4, RowGRF), c.Write(4, RowGRF, 9, &d),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if v, err := c.Read(4, RowGRF, 9); err != nil || v[2] != 3 {
		t.Errorf("GRF_B[1] of unit 2 is %v: %v", v, err)
	}
	if v, err := c.Read(4, RowGRF, 10); err == nil || !strings.Contains(err.Error(), "GRF_B[2] of unit 2, which was not written") {
		t.Errorf("%v: %v", v, err)
	}
	if err := c.Precharge(4); err != nil || !c.Closed() {
		t.Errorf("closed: %v", err)
	}
	if err := c.Activate(3, 7); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Read(3, 7, 1); err != nil || v[1] != 2 || c.Mode() != SB {
		t.Errorf("column 1 of row 7 is %v: %v", v, err)
	}
}

func BenchmarkMAC(b *testing.B) {
	m := rows{}
	m.draw(rand.New(rand.NewPCG(3, 4)), 0, 0, Columns)
	c := &Channel{Memory: m}
	if err := do(b, c, "AB", "ACTAB 0x3ffa", "WRAB 0 0x3ffa 0", "PREA", "ACTAB 0x3ffb", "WRAB 0 0x3ffb 8", "PREA", "CRF MAC(AAM) GRF_B[=0], BANK, SRF_M[0]; JUMP -1, 255; EXIT"); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if c.Mode() == AB {
			if err := do(b, c, "PREA", "OP", "ACTAB 0"); err != nil {
				b.Fatal(err)
			}
		}
		if err := c.ReadAll(0, 0, i%Columns); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAddresses: under AAM the row and the column of a command select registers, except fixed ones.
func TestAddresses(t *testing.T) {
	m := rows{}
	random := rand.New(rand.NewPCG(7, 8))
	m.draw(random, 1, 2, Columns)
	m.draw(random, 1, 3, Columns)
	c := &Channel{Memory: m}
	if err := do(t, c, "AB", "CRF MOV(AAM) GRF_A[3], BANK; JUMP -1, 1; MOV(AAM) GRF_B[=6], BANK; MOV GRF_B[7], BANK; EXIT", "OP",
		"ACTAB 2", "RDAB 1 2 8", "PREA", "ACTAB 3", "RDAB 1 3 8", "RDAB 1 3 9", "RDAB 1 3 10", "PREA", "SB", "ACT 5 0x3ffb"); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct{ register, row, col int }{{1, 2, 8}, {5, 3, 8}, {8 + 6, 3, 9}, {8 + 7, 3, 10}} {
		if v, err := c.Read(5, RowGRF, w.register); err != nil || v != *m[[3]int{5, w.row, w.col}] {
			t.Errorf("register %d is %v, %v, want column %d of row %d", w.register, v, err, w.col, w.row)
		}
	}
}
