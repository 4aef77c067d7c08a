package unit

import "fmt"

// Sizes of a pseudo-channel (PIMsim, commit 5abe9cd).
const (
	Banks     = 16
	Units     = 8  // one for an even and an odd bank
	Lanes     = 16 // fp16 numbers of a column
	Columns   = 32 // of a row
	Rows      = RowSB + 1
	Registers = 8  // of each file
	Program   = 32 // instructions
	perColumn = 8  // instructions of a column of the CRF
)

// The reserved rows, of every bank.
const (
	RowSB     = 0x3fff // opening and closing it leads from AB to SB mode
	RowAB     = 0x3ffe // from SB to AB mode
	RowOpMode = 0x3ffd // writing 1 to column 0 leads from AB to AB-PIM mode, 0 back
	RowCRF    = 0x3ffc // columns 0 to 3: eight instructions each
	RowGRF    = 0x3ffb // columns 0 to 7: GRF_A, 8 to 15: GRF_B
	RowSRF    = 0x3ffa // column 0: SRF_A, then SRF_M
	DataRows  = RowSRF // rows below hold data
)

// Mode is the mode of a channel.
type Mode uint8

// The modes.
const (
	SB  Mode = iota // single bank: as any HBM
	AB              // all banks: a command acts on all even banks or all odd ones
	PIM             // AB-PIM: a column command executes an instruction too
)

var modeNames = [...]string{SB: "SB", AB: "AB", PIM: "AB-PIM"}

func (m Mode) String() string { return modeNames[m] }

// Memory is the data rows of the banks.
type Memory interface {
	// Load returns a column, which stays as it is until the next call. The error says why it cannot be read.
	Load(bank, row, col int) (*Column, error)
	// Store writes a column.
	Store(bank, row, col int, v *Column) error
}

// Rounding says how products are added.
type Rounding uint8

// The roundings of MAC and MAD. Which of them silicon has is not public.
const (
	Fused    Rounding = iota // once, the sum
	Separate                 // the product, then the sum
)

// Channel executes the commands of a channel. It refuses what no channel does, what no unit executes, and reads of registers that
// were not written. Its zero value but for Memory is a channel after reset.
type Channel struct {
	Memory   Memory
	Rounding Rounding
	Executed int64 // instructions, each in all units

	// Seen is told of each step before it is executed, nil: nobody. Its error is the step's.
	Seen func(*Step) error
	// Blind channels follow modes, programs and which registers were written, without values and Memory.
	Blind bool

	mode    Mode
	open    [Banks]int // row + 1, 0: closed
	program [Program]Instruction
	loaded  uint32 // instructions that were written
	wrong   [Program]error
	pc      int
	left    int // jumps left of the loop under way, commands left of a NOP
	loop    int // the JUMP of the loop under way + 1, 0: none
	units   [Units]registers
}

// registers are those of a unit.
type registers struct {
	grf   [2][Registers]Column // GRF_A, GRF_B
	srf   [2][Registers]float32
	known [5]uint8 // by File, a bit for each register that was written
}

// Mode is the mode that the channel is in.
func (c *Channel) Mode() Mode { return c.mode }

// Closed reports whether no row is open.
func (c *Channel) Closed() bool { return c.open == [Banks]int{} }

// Activate opens a row of a bank in SB mode.
func (c *Channel) Activate(bank, row int) error {
	switch {
	case c.mode != SB:
		return fmt.Errorf("activation of one bank in %v mode: SB wanted", c.mode)
	case c.open[bank] > 0:
		return fmt.Errorf("activation of row %#x in bank %d, where row %#x is open", row, bank, c.open[bank]-1)
	case row < 0 || row > RowSB:
		return fmt.Errorf("activation of row %#x of %#x", row, RowSB+1)
	}
	c.open[bank] = row + 1
	return nil
}

// ActivateAll opens a row of all banks in AB or AB-PIM mode.
func (c *Channel) ActivateAll(row int) error {
	switch {
	case c.mode == SB:
		return fmt.Errorf("activation of all banks in SB mode")
	case row < 0 || row > RowSB:
		return fmt.Errorf("activation of row %#x of %#x", row, RowSB+1)
	}
	for b, open := range c.open {
		if open > 0 {
			return fmt.Errorf("activation of row %#x in bank %d, where row %#x is open", row, b, open-1)
		}
		c.open[b] = row + 1
	}
	return nil
}

// PrechargeAll closes all rows. Where it closes a row that stands for a mode, the mode changes.
func (c *Channel) PrechargeAll() error {
	for b := range c.open {
		if err := c.Precharge(b); err != nil {
			return err
		}
	}
	return nil
}

// Precharge closes the row of a bank, if one is open.
func (c *Channel) Precharge(bank int) error {
	row := c.open[bank] - 1
	c.open[bank] = 0
	switch {
	case row == RowAB && c.mode == SB:
		if !c.Closed() {
			return fmt.Errorf("change to AB mode with open rows: all banks closed wanted")
		}
		c.mode = AB
	case row == RowSB && c.mode == AB:
		if c.Closed() { // the last of all
			c.mode = SB
		}
	case row == RowSB && c.mode == PIM:
		return fmt.Errorf("change from AB-PIM to SB mode: by way of AB mode wanted")
	}
	return nil
}

// access checks a column command.
func (c *Channel) access(bank, row, col int) error {
	switch {
	case row < 0 || c.open[bank] != row+1:
		if c.open[bank] == 0 {
			return fmt.Errorf("access to row %#x of bank %d, which is closed", row, bank)
		}
		return fmt.Errorf("access to row %#x of bank %d, where row %#x is open", row, bank, c.open[bank]-1)
	case col < 0 || col >= Columns:
		return fmt.Errorf("access to column %d of a row of %d", col, Columns)
	}
	return nil
}

// Read reads a column of a bank in SB mode, or a register of its unit.
func (c *Channel) Read(bank, row, col int) (v Column, err error) {
	if c.mode != SB {
		return v, fmt.Errorf("read of one bank in %v mode: SB wanted", c.mode)
	}
	if err := c.access(bank, row, col); err != nil {
		return v, err
	}
	switch {
	case row == RowGRF && col < 2*Registers:
		u, file, i := bank/2, GRFA+File(col/Registers), col%Registers
		if c.units[u].known[file]>>i&1 == 0 {
			return v, fmt.Errorf("read of %s[%d] of unit %d, which was not written", fileNames[file], i, u)
		}
		return c.units[u].grf[file-GRFA][i], nil
	case row >= DataRows:
		return v, fmt.Errorf("read of column %d of reserved row %#x: a row below %#x or GRF wanted", col, row, DataRows)
	}
	if c.Blind {
		return v, nil
	}
	p, err := c.Memory.Load(bank, row, col)
	if err != nil {
		return v, err
	}
	return *p, nil
}

// Write writes a column of a bank in SB mode, or a register of its unit.
func (c *Channel) Write(bank, row, col int, d *Data) error {
	if c.mode != SB {
		return fmt.Errorf("write of one bank in %v mode: SB wanted", c.mode)
	}
	if err := c.access(bank, row, col); err != nil {
		return err
	}
	if row >= DataRows {
		return c.register(row, col, d, bank/2, bank/2+1)
	}
	if c.Blind {
		return nil
	}
	v := d.column()
	return c.Memory.Store(bank, row, col, &v)
}

// ReadAll is a read command to all even banks, parity 0, or all odd ones. In AB-PIM mode it executes an instruction. The data of
// a read in AB mode go nowhere.
func (c *Channel) ReadAll(parity, row, col int) error {
	if c.mode == SB {
		return fmt.Errorf("read of all banks in SB mode")
	}
	if err := c.access(parity, row, col); err != nil {
		return err
	}
	if c.mode == PIM && row < DataRows {
		return c.execute(parity, row, col, false)
	}
	return nil
}

// WriteAll is a write command to all even banks, parity 0, or all odd ones, or to a register of all units. In AB-PIM mode it executes an
// instruction, unless its row is reserved.
func (c *Channel) WriteAll(parity, row, col int, d *Data) error {
	if c.mode == SB {
		return fmt.Errorf("write of all banks in SB mode")
	}
	if err := c.access(parity, row, col); err != nil {
		return err
	}
	switch {
	case row >= DataRows:
		return c.register(row, col, d, 0, Units)
	case c.mode == PIM:
		return c.execute(parity, row, col, true)
	}
	if c.Blind {
		return nil
	}
	v := d.column()
	for u := range Units {
		if err := c.Memory.Store(2*u+parity, row, col, &v); err != nil {
			return err
		}
	}
	return nil
}

// WriteRegister writes a register of all units in AB or AB-PIM mode, as WriteAll does, beside what is open.
func (c *Channel) WriteRegister(row, col int, d *Data) error {
	switch {
	case c.mode == SB:
		return fmt.Errorf("write of a register of all units in SB mode")
	case row < DataRows:
		return fmt.Errorf("write of a register in row %#x, which holds data", row)
	}
	return c.register(row, col, d, 0, Units)
}

// register writes a register of units lo to hi.
func (c *Channel) register(row, col int, d *Data, lo, hi int) error {
	switch {
	case row == RowSRF && col == 0:
		for u := lo; u < hi; u++ {
			r := &c.units[u]
			for i := range Registers {
				r.srf[0][i], r.srf[1][i] = d.half(i), d.half(Registers+i)
			}
			r.known[SRFA], r.known[SRFM] = 1<<Registers-1, 1<<Registers-1
		}
	case row == RowGRF && col < 2*Registers:
		file, i := GRFA+File(col/Registers), col%Registers
		for u := lo; u < hi; u++ {
			c.units[u].grf[file-GRFA][i] = d.column()
			c.units[u].known[file] |= 1 << i
		}
	case row == RowCRF && col < Program/perColumn:
		if c.mode == PIM {
			return fmt.Errorf("write of the program while it runs: AB mode wanted")
		}
		for i := range perColumn {
			at := col*perColumn + i
			c.program[at], c.wrong[at] = Decode(d.word(i))
			c.loaded |= 1 << at
		}
	case row == RowOpMode && col == 0:
		if c.mode == SB {
			return fmt.Errorf("change to AB-PIM mode in SB mode: AB wanted")
		}
		if c.mode = AB; d[0]&1 == 1 {
			c.mode = PIM
		}
		c.pc, c.left, c.loop = 0, 0, 0
		if c.mode == PIM {
			return c.settle()
		}
	default:
		return fmt.Errorf("write of column %d of reserved row %#x, where nothing is", col, row)
	}
	return nil
}
