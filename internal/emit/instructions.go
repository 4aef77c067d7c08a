package emit

import (
	"bufio"
	"fmt"

	"pimflow/internal/dram/aimhost"
	"pimflow/internal/pim"
)

// writeInstructions writes the host instructions that request a stream's commands, those of the published simulator
// of AiM, up to AiM EOC. Activations, precharges and changes of mode are not requested: the simulator's controller issues
// them for the row of a request. An instruction has no column of a row and no accumulator; its general register is the place
// of the data, in columns.
func writeInstructions(to *bufio.Writer, code *pim.Code, c *pim.ChannelStream, _ bool) error {
	w := instructions{to: to, mask: uint32(1) << (aimhost.MaxChannels - 1 - c.Channel), lanes: int64(code.Lanes())}
	std := code.DRAM().Standard()
	err := expand(code.DRAM(), c.Stream, false, func(i *issue) error { return w.request(std.Ops[i.op].Name, i) })
	if err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(to, "AiM EOC")
	return err
}

// instructions writes requests that follow each other as one instruction.
type instructions struct {
	to    *bufio.Writer
	mask  uint32
	lanes int64
	units int64 // of the instruction that is not written yet; 0: there is none
	name  string
	begin place // of its first command
}

// place is what an instruction says of its commands.
type place struct{ row, column, sum, data int64 }

// after is the place so many units further.
func (p place) after(name string, n int64) place {
	if name == "WRGB" {
		p.data += n
	}
	p.column += n
	return p
}

func (w *instructions) request(name string, i *issue) error {
	if i.command == nil {
		return nil
	}
	k := i.command
	at := place{row: k.Row.At(i.index), column: k.Col.At(i.index), sum: k.Acc.At(i.index), data: k.Data.At(i.index) / w.lanes}
	switch name {
	case "WRGB":
		at.column = k.Buf.At(i.index)
	case "MAC16":
	case "WRMAC16", "RDMAC16": // one accumulator of each bank at a time
		if err := w.flush(); err != nil {
			return err
		}
	default: // activations, precharges
		return nil
	}
	if w.units > 0 && w.name == name && at == w.begin.after(name, w.units) {
		w.units++
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.units, w.name, w.begin = 1, name, at
	return nil
}

func (w *instructions) flush() (err error) {
	p := &w.begin
	switch {
	case w.units == 0:
	case w.name == "WRGB":
		_, err = fmt.Fprintf(w.to, "AiM WR_GB %d %d %#x\n", w.units, p.data, w.mask)
	case w.name == "MAC16":
		_, err = fmt.Fprintf(w.to, "AiM MAC_ABK %d %#x %d\n", w.units, w.mask, p.row)
	case w.name == "WRMAC16":
		_, err = fmt.Fprintf(w.to, "AiM WR_BIAS 0 %#x\n", w.mask)
	case w.name == "RDMAC16":
		_, err = fmt.Fprintf(w.to, "AiM RD_MAC %d %#x\n", p.data, w.mask)
	}
	w.units = 0
	return err
}
