package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// String prints an instruction as Parse reads it:
//
//	MAC(AAM) GRF_B[3], BANK, SRF_M[0]     the index of a register; =0 under AAM: fixed
//	MOV(AAM,ReLU) BANK, GRF_A[0]
//	JUMP -1, 7    NOP 3    EXIT
func (i Instruction) String() string {
	f := i.Code.form()
	if f == nil {
		return fmt.Sprintf("operation %d", i.Code)
	}
	switch i.Code {
	case JUMP:
		return fmt.Sprintf("JUMP %+d, %d", i.Jump, i.Count)
	case NOP:
		return fmt.Sprintf("NOP %d", i.Count)
	}
	var options []string
	if i.AAM {
		options = append(options, "AAM")
	}
	if i.ReLU {
		options = append(options, "ReLU")
	}
	s := f.name
	if options != nil {
		s += "(" + strings.Join(options, ",") + ")"
	}
	sep := " "
	for _, o := range []struct {
		is Operand
		of []File
	}{{i.Dst, f.dst}, {i.Src0, f.src0}, {i.Src1, f.src1}} {
		if o.of != nil {
			s += sep + o.is.String()
			sep = ", "
		}
	}
	return s
}

// String prints an operand.
func (o Operand) String() string {
	name := "?"
	if int(o.File) < len(fileNames) {
		name = fileNames[o.File]
	}
	switch {
	case o.Fixed:
		return fmt.Sprintf("%s[=%d]", name, o.Index)
	case o.File == Bank && o.Index == 0:
		return name
	}
	return fmt.Sprintf("%s[%d]", name, o.Index)
}

// Parse reads an instruction. The error says what is wrong with it.
func Parse(s string) (i Instruction, err error) {
	defer func() {
		if err != nil {
			i, err = Instruction{}, fmt.Errorf("instruction %.80q: %w", s, err)
		}
	}()
	head, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
	name, options, more := strings.Cut(head, "(")
	var f *operation
	for k := range operations {
		if operations[k].name == name {
			f = &operations[k]
		}
	}
	if f == nil {
		return i, fmt.Errorf("operation %.40q: NOP, JUMP, EXIT, MOV, FILL, ADD, MUL, MAC or MAD wanted", name)
	}
	i.Code = f.code
	if more {
		inner, ok := strings.CutSuffix(options, ")")
		if !ok || f.dst == nil {
			return i, fmt.Errorf("%.40q: (AAM), (ReLU) or (AAM,ReLU) wanted, of an instruction with operands", head)
		}
		for _, o := range strings.Split(inner, ",") {
			switch {
			case o == "AAM" && !i.AAM:
				i.AAM = true
			case o == "ReLU" && f.code == MOV && !i.ReLU:
				i.ReLU = true
			default:
				return i, fmt.Errorf("option %.40q: AAM wanted, or ReLU of MOV, each once", o)
			}
		}
	}
	var args []string
	if rest = strings.TrimSpace(rest); rest != "" {
		args = strings.Split(rest, ",")
	}
	want := func(n int) error {
		if len(args) != n {
			return fmt.Errorf("%d operands: %d wanted", len(args), n)
		}
		return nil
	}
	switch {
	case f.code == JUMP:
		if err := want(2); err != nil {
			return i, err
		}
		if i.Jump, err = number(args[0]); err != nil {
			return i, err
		}
		if i.Count, err = number(args[1]); err != nil {
			return i, err
		}
	case f.code == NOP:
		if err := want(1); err != nil {
			return i, err
		}
		if i.Count, err = number(args[0]); err != nil {
			return i, err
		}
	default:
		var to []*Operand
		for _, o := range []struct {
			is *Operand
			of []File
		}{{&i.Dst, f.dst}, {&i.Src0, f.src0}, {&i.Src1, f.src1}} {
			if o.of != nil {
				to = append(to, o.is)
			}
		}
		if err := want(len(to)); err != nil {
			return i, err
		}
		for k, o := range to {
			if *o, err = parseOperand(args[k]); err != nil {
				return i, err
			}
		}
	}
	return i, i.check()
}

func number(s string) (int, error) {
	s = strings.TrimSpace(s)
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%.40q: a whole number wanted", s)
	}
	return n, nil
}

func parseOperand(s string) (o Operand, err error) {
	s = strings.TrimSpace(s)
	name, rest, indexed := strings.Cut(s, "[")
	for f, n := range fileNames {
		if n != name {
			continue
		}
		o.File = File(f)
		if !indexed {
			if o.File != Bank {
				return o, fmt.Errorf("operand %.40q: an index as in %s[0] wanted", s, n)
			}
			return o, nil
		}
		inner, ok := strings.CutSuffix(rest, "]")
		if inner, o.Fixed = strings.CutPrefix(inner, "="); !ok || len(inner) != 1 || inner[0] < '0' || inner[0] > '0'+index {
			return o, fmt.Errorf("operand %.40q: an index as in %s[0] or %s[=0] wanted, 0 to %d", s, n, n, index)
		}
		o.Index = inner[0] - '0'
		return o, nil
	}
	return o, fmt.Errorf("operand %.40q: BANK, GRF_A, GRF_B, SRF_A or SRF_M wanted", s)
}
