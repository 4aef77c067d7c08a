package unit

import "fmt"

// at is the instruction that a program has at the counter.
func (c *Channel) at() (*Instruction, error) {
	switch {
	case c.pc < 0 || c.pc >= Program:
		return nil, fmt.Errorf("the program goes on at instruction %d: 0 to %d wanted, EXIT at its end", c.pc, Program-1)
	case c.loaded>>c.pc&1 == 0:
		return nil, fmt.Errorf("the program goes on at instruction %d, which was not written", c.pc)
	case c.wrong[c.pc] != nil:
		return nil, fmt.Errorf("the program goes on at instruction %d: %w", c.pc, c.wrong[c.pc])
	}
	return &c.program[c.pc], nil
}

// settle goes through instructions that take no command, up to one that does or to the end.
func (c *Channel) settle() error {
	for range Program * (maxCount + 2) {
		i, err := c.at()
		if err != nil {
			return err
		}
		switch {
		case i.Code == EXIT:
			if c.loop > 0 {
				return fmt.Errorf("EXIT at instruction %d, inside of the loop of instruction %d", c.pc, c.loop-1)
			}
			c.mode, c.pc = AB, 0
			return nil
		case i.Code == JUMP:
			if err := c.jump(i); err != nil {
				return err
			}
		case i.Code == NOP && i.Count == 0:
			c.pc++
		default:
			return nil
		}
	}
	return fmt.Errorf("the program jumps and comes to no instruction")
}

func (c *Channel) jump(i *Instruction) error {
	switch {
	case c.loop > 0 && c.loop != c.pc+1:
		return fmt.Errorf("JUMP at instruction %d, inside of the loop of instruction %d: there is one loop counter", c.pc, c.loop-1)
	case c.loop == 0:
		c.loop, c.left = c.pc+1, i.Count
	}
	if c.left == 0 {
		c.loop = 0
		c.pc++
		return nil
	}
	c.left--
	c.pc += i.Jump
	return nil
}

// execute executes an instruction in all units, as a command to all even or all odd banks demands.
func (c *Channel) execute(parity, row, col int, write bool) error {
	i, err := c.at()
	if err != nil {
		return err
	}
	if i.Code == NOP {
		return c.pass(i)
	}
	f := i.Code.form()
	if (i.Dst.File == Bank) != write {
		if write {
			return fmt.Errorf("a write executes instruction %d, %v: one that writes to BANK wanted", c.pc, i)
		}
		return fmt.Errorf("a read executes instruction %d, %v, which writes to BANK: a write wanted", c.pc, i)
	}
	address := row*Columns + col
	dst, src0, src1 := i.number(i.Dst, address), i.number(i.Src0, address), i.number(i.Src1, address)
	if c.Seen != nil {
		if err := c.Seen(&Step{i, write, parity, row, col, dst, src0, src1}); err != nil {
			return err
		}
	}
	for u := range Units {
		r := &c.units[u]
		if err := r.check(i, dst, src0, src1); err != nil {
			return fmt.Errorf("instruction %d, %v, of unit %d: %w", c.pc, i, u, err)
		}
		if c.Blind {
			continue
		}
		var bank *Column
		if i.Src0.File == Bank || f.src1 != nil && i.Src1.File == Bank {
			if bank, err = c.Memory.Load(2*u+parity, row, col); err != nil {
				return fmt.Errorf("instruction %d, %v: %w", c.pc, i, err)
			}
		}
		if !write {
			c.compute(r, i, bank, dst, src0, src1)
			continue
		}
		v := *r.vector(i.Src0.File, src0)
		if i.ReLU {
			v.clamp()
		}
		if err := c.Memory.Store(2*u+parity, row, col, &v); err != nil {
			return fmt.Errorf("instruction %d, %v: %w", c.pc, i, err)
		}
	}
	c.Executed++
	c.pc++
	return c.settle()
}

// pass lets a command of a NOP pass.
func (c *Channel) pass(i *Instruction) error {
	if c.Executed++; c.loop == 0 && c.left == 0 {
		c.left = i.Count
	}
	if c.loop > 0 && i.Count > 1 {
		return fmt.Errorf("NOP %d at instruction %d, inside of the loop of instruction %d: there is one loop counter", i.Count, c.pc, c.loop-1)
	}
	if c.loop == 0 {
		if c.left--; c.left > 0 {
			return nil
		}
	}
	c.pc++
	return c.settle()
}

// number is the number of an operand's register for a command to an address, 32·row + column.
func (i *Instruction) number(o Operand, address int) int {
	if i.AAM && !o.Fixed {
		return address >> o.Index & (Registers - 1)
	}
	return int(o.Index)
}

// vector is a vector register.
func (r *registers) vector(f File, n int) *Column { return &r.grf[f-GRFA][n] }

// needs says that an operand was not written.
func (r *registers) needs(f File, n int) error {
	if f == Bank || r.known[f]>>n&1 == 1 {
		return nil
	}
	return fmt.Errorf("%s[%d] is read, which was not written", fileNames[f], n)
}

// check wants that what an instruction reads was written, and notes what it writes.
func (r *registers) check(i *Instruction, dst, src0, src1 int) error {
	if err := r.needs(i.Src0.File, src0); err != nil {
		return err
	}
	switch i.Code {
	case MAC:
		if err := r.needs(i.Dst.File, dst); err != nil {
			return err
		}
	case MAD:
		if err := r.needs(SRFA, src1); err != nil {
			return err
		}
	}
	if i.Code != MOV && i.Code != FILL {
		if err := r.needs(i.Src1.File, src1); err != nil {
			return err
		}
	}
	if i.Dst.File != Bank {
		r.known[i.Dst.File] |= 1 << dst
	}
	return nil
}

// compute executes an instruction that writes to a register, in a unit whose bank gives a column.
func (c *Channel) compute(r *registers, i *Instruction, bank *Column, dst, src0, src1 int) {
	a := bank
	if i.Src0.File != Bank {
		a = r.vector(i.Src0.File, src0)
	}
	to := r.vector(i.Dst.File, dst)
	if i.Code == MOV || i.Code == FILL {
		if *to = *a; i.ReLU {
			to.clamp()
		}
		return
	}
	var same Column
	b := &same
	switch i.Src1.File {
	case Bank:
		b = bank
	case GRFA, GRFB:
		b = r.vector(i.Src1.File, src1)
	default:
		same.fill(r.srf[i.Src1.File-SRFA][src1])
	}
	switch i.Code {
	case ADD:
		for l := range to {
			to[l] = half(float64(a[l]) + float64(b[l]))
		}
	case MUL:
		for l := range to {
			to[l] = half(float64(a[l]) * float64(b[l]))
		}
	case MAC:
		c.add(to, a, b, to)
	case MAD:
		var s Column
		s.fill(r.srf[0][src1])
		c.add(to, a, b, &s)
	}
}

// fill sets all lanes.
func (v *Column) fill(x float32) {
	for l := range v {
		v[l] = x
	}
}

// add makes products and adds them to s.
func (c *Channel) add(to, a, b, s *Column) {
	if c.Rounding == Separate {
		for l := range to {
			to[l] = half(float64(half(float64(a[l])*float64(b[l]))) + float64(s[l]))
		}
		return
	}
	for l := range to {
		to[l] = half(float64(a[l])*float64(b[l]) + float64(s[l]))
	}
}

// clamp is ReLU. A NaN stays.
func (v *Column) clamp() {
	for l, x := range v {
		if x <= 0 {
			v[l] = 0
		}
	}
}
