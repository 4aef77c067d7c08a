package unit

import (
	"strings"
	"testing"
)

// TestWords: ten words whose meaning is known. The first eight are those of the open model PIMsim (7bvcxz/PIMsim, commit 5abe9cd), the
// last two follow from its table of bits.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		word uint32
		text string
	}{
		{0x10040807, "JUMP -1, 7"},
		{0x20000000, "EXIT"},
		{0x42008000, "MOV(AAM) GRF_A[0], BANK"},
		{0x40408000, "MOV(AAM) BANK, GRF_A[0]"},
		{0x40800000, "MOV BANK, GRF_B[0]"},
		{0x82088000, "ADD(AAM) GRF_A[0], BANK, GRF_A[0]"},
		{0x92088000, "MUL(AAM) GRF_A[0], BANK, GRF_A[0]"},
		{0xA4208800, "MAC(AAM) GRF_B[=0], BANK, SRF_M[0]"},
		{0xA4208300, "MAC(AAM) GRF_B[3], BANK, SRF_M[0]"},
		{0xA4088300, "MAC(AAM) GRF_B[3], BANK, GRF_A[0]"},
		{0x00000005, "NOP 5"},
		{0x42009000, "MOV(AAM,ReLU) GRF_A[0], BANK"},
		{0x1005f8ff, "JUMP -63, 255"},
		{0x1002f801, "JUMP +95, 1"},
	} {
		i, err := Decode(c.word)
		if err != nil || i.String() != c.text {
			t.Errorf("%#08x is %v, %v, want %s", c.word, i, err, c.text)
			continue
		}
		parsed, err := Parse(c.text)
		if err != nil || parsed != i {
			t.Errorf("%s is parsed as %+v, %v, want %+v", c.text, parsed, err, i)
		}
		if w, err := parsed.Encode(); err != nil || w != c.word {
			t.Errorf("%s is %#08x, %v, want %#08x", c.text, w, err, c.word)
		}
	}
}

// TestWrongInstructions: what no unit executes is refused in words, whoever asks.
func TestWrongInstructions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `instruction "": operation ""`},
		{"MUX GRF_A[0], BANK", `operation "MUX": NOP, JUMP`},
		{"MAC GRF_A[0], BANK, SRF_M[0]", "destination of MAC: GRF_B wanted"},
		{"MAC GRF_B[0], BANK, SRF_A[0]", "second source of MAC: BANK, GRF_A, GRF_B or SRF_M wanted"},
		{"ADD GRF_B[0], BANK, SRF_M[0]", "second source of ADD"},
		{"MUL GRF_B[0], BANK, BANK", "MUL with two operands in the banks"},
		{"MOV BANK, BANK", "MOV with two operands in the banks"},
		{"MOV GRF_B[8], BANK", `operand "GRF_B[8]": an index`},
		{"MOV GRF_B, BANK", `operand "GRF_B": an index as in GRF_B[0] wanted`},
		{"MOV(ReLU,ReLU) GRF_B[0], BANK", `option "ReLU"`},
		{"ADD(ReLU) GRF_B[0], BANK, GRF_B[0]", `option "ReLU": AAM wanted`},
		{"JUMP(AAM) -1, 7", `"JUMP(AAM)"`},
		{"JUMP -1", "1 operands: 2 wanted"},
		{"JUMP -128, 7", "JUMP by -128: -127 to 127 wanted"},
		{"JUMP -1, 256", "count 256 of JUMP: 0 to 255 wanted"},
		{"JUMP -1, many", `"many": a whole number wanted`},
		{"NOP -1", "count -1 of NOP"},
		{"EXIT 1", "1 operands: 0 wanted"},
	} {
		if i, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q is %v, %v, want %s", c.text, i, err, c.want)
		}
	}
	for word, want := range map[uint32]string{
		0x30000000: "operation 3",
		0xA2000000: "destination of MAC",
		0x4e000000: "destination of MOV",
		0x40000000: "two operands in the banks",
	} {
		if i, err := Decode(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%#08x is %v, %v, want %s", word, i, err, want)
		}
	}
	for _, i := range []Instruction{
		{Code: 7}, {Code: MOV, Dst: Operand{File: GRFA, Index: 8}}, {Code: JUMP, Jump: 128}, {Code: JUMP, Count: 256}, {Code: NOP, Count: -1},
	} {
		if w, err := i.Encode(); err == nil {
			t.Errorf("%+v is encoded as %#08x", i, w)
		}
	}
}

// FuzzDecode: a word that has a meaning is that of its instruction's text, and the word of that means the same.
func FuzzDecode(f *testing.F) {
	for _, w := range []uint32{0x10040807, 0x20000000, 0x42009000, 0xA4208300, 0xB4208300, 5, 0xffffffff} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, w uint32) {
		i, err := Decode(w)
		if err != nil {
			return
		}
		parsed, err := Parse(i.String())
		if err != nil || parsed != i {
			t.Fatalf("%#08x, %v, is parsed as %v: %v", w, i, parsed, err)
		}
		word, err := i.Encode()
		if err != nil {
			t.Fatalf("%#08x, %v: %v", w, i, err)
		}
		if again, err := Decode(word); err != nil || again != i {
			t.Fatalf("%#08x, %v, is encoded as %#08x, %v: %v", w, i, word, again, err)
		}
	})
}

// FuzzParse: a text that is an instruction is printed so that it is the same one.
func FuzzParse(f *testing.F) {
	f.Add("MAC(AAM) GRF_B[3], BANK, SRF_M[=0]")
	f.Add("JUMP -1, 7")
	f.Add("MOV(AAM,ReLU) BANK, GRF_B[1]")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(i.String()); err != nil || again != i {
			t.Fatalf("%q is %v, that is %v: %v", s, i, again, err)
		}
		if _, err := i.Encode(); err != nil {
			t.Fatalf("%q, %v: %v", s, i, err)
		}
	})
}
