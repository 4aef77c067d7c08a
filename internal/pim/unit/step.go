package unit

// Step is an instruction and the command that executes it, in all units.
type Step struct {
	*Instruction
	Write            bool
	Parity, Row, Col int
	DstAt            int // numbers of the registers
	Src0At, Src1At   int
}
