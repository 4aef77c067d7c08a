package pim

import (
	"fmt"
	"slices"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
)

// dialect says which commands of a DRAM standard do what. An operand of several
// commands is by number: buffers, quarters of the banks.
type dialect struct {
	standard string
	write    []string // fill a buffer
	column   bool     // write moves one column of the buffer; otherwise all that its Gather names
	open     []string // together open a row in all banks
	close    string   // closes the row; "": one is opened over another
	comp     []string // multiply a column of a buffer by one of the open row
	same     bool     // comp names one column for both: weights stand in a row as inputs in the buffer
	init     string   // sets sums before anything is added to them; "": reading clears them
	keep     bool     // sums outlast their row
	read     string   // reads the results
	gap      string   // the timing parameter of an exposed buffer write, where it is one (Exposed)
}

var dialects = []dialect{
	{
		standard: "artifact",
		write:    []string{"GWRITE"},
		open:     []string{"G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3"},
		comp:     []string{"COMP"},
		same:     true,
		read:     "READRES",
		gap:      "gwrite_gap_ck",
	},
	{
		standard: "newton",
		write:    []string{"GWRITE0", "GWRITE1", "GWRITE2", "GWRITE3"},
		column:   true,
		open:     []string{"G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3"},
		close:    "PREA",
		comp:     []string{"COMP0", "COMP1", "COMP2", "COMP3"},
		read:     "READRES",
	},
	{
		standard: "aim",
		write:    []string{"WRGB"},
		column:   true,
		open:     []string{"ACT16"},
		close:    "PREA",
		comp:     []string{"MAC16"},
		same:     true,
		init:     "WRMAC16",
		keep:     true,
		read:     "RDMAC16",
	},
}

// role is what a command does.
type role uint8

const (
	noRole role = iota
	writeRole
	openRole
	closeRole
	compRole
	initRole
	readRole
)

// Commands says which commands of a DRAM standard do what.
type Commands struct {
	Write       []dram.Op // fill a buffer, by its number
	Open        []dram.Op // together open a row in all banks
	Comp        []dram.Op // multiply a column of a buffer, by its number, by one of the open row
	Close, Init []dram.Op // close the row, set an accumulator: one command, or none
	Read        dram.Op   // reads the results

	dialect *dialect
	mode    dram.Op // changes the mode, where the standard has modes
	modes   bool
	names   []string
	roles   []role // by Op
	index   []int  // by Op, the buffer or the quarter of the banks
}

// NewCommands returns the commands of a standard. The error says that the package has no
// dialect for it.
func NewCommands(std *dram.Standard) (*Commands, error) {
	i := slices.IndexFunc(dialects, func(d dialect) bool { return d.standard == std.Name })
	if i < 0 {
		var known []string
		for i := range dialects {
			known = append(known, dialects[i].standard)
		}
		return nil, fmt.Errorf("no mapping to DRAM standard %q%s; there is one to %q", std.Name, nearest.Hint(std.Name, known), known)
	}
	c := &Commands{dialect: &dialects[i], roles: make([]role, len(std.Ops)), index: make([]int, len(std.Ops))}
	for _, o := range std.Ops {
		c.names = append(c.names, o.Name)
	}
	ops := func(r role, names ...string) (ops []dram.Op) {
		for i, n := range names {
			o := std.Op(n)
			ops, c.roles[o], c.index[o] = append(ops, o), r, i
		}
		return ops
	}
	optional := func(r role, name string) []dram.Op {
		if name == "" {
			return nil
		}
		return ops(r, name)
	}
	c.Write, c.Open, c.Comp = ops(writeRole, c.dialect.write...), ops(openRole, c.dialect.open...), ops(compRole, c.dialect.comp...)
	c.Close, c.Init = optional(closeRole, c.dialect.close), optional(initRole, c.dialect.init)
	c.Read = ops(readRole, c.dialect.read)[0]
	if len(std.Changes) > 0 {
		c.mode, c.modes = std.Changes[0].Issue[0], true
	}
	return c, nil
}

// sets reports whether sums must be set before anything is added to them.
func (c *Commands) sets() bool { return len(c.Init) > 0 }

// waits are the waits of a channel that the mapping to single columns plans with.
type waits struct {
	comp     int64 // COMP to COMP or READRES, READRES to COMP
	write    int64 // GWRITE to GWRITE
	toRead   int64 // GWRITE to READRES
	toWrite  int64 // READRES to GWRITE
	ready    int64 // GWRITE to COMP
	act      int64 // an activation to the next
	open     int64 // the last activation to COMP
	shut     int64 // closing to the first activation
	close    int64 // COMP to closing
	postpone int64 // a refresh may wait

	read     int64 // a read to the next
	fromComp int64 // COMP to a read
	mode     int64 // a change of mode to COMP, 0 where there are no modes
}

func (c *Commands) waits(ch *dram.Channel) waits {
	w := func(after, before dram.Op) int64 { return int64(ch.Wait(after, before)) }
	last := c.Open[len(c.Open)-1]
	t := waits{
		comp:  max(w(c.Comp[0], c.Comp[0]), w(c.Comp[0], c.Read), w(c.Read, c.Comp[0])),
		write: w(c.Write[0], c.Write[0]), toRead: w(c.Write[0], c.Read), toWrite: w(c.Read, c.Write[0]), ready: w(c.Write[0], c.Comp[0]),
		act: w(c.Open[0], last), open: w(last, c.Comp[0]), shut: w(c.Close[0], c.Open[0]), close: w(c.Comp[0], c.Close[0]),
		postpone: int64(ch.Postponable()),
	}
	t.read, t.fromComp = w(c.Read, c.Read), w(c.Comp[0], c.Read)
	if c.modes {
		t.mode = w(c.mode, c.Comp[0])
		t.comp = w(c.Comp[0], c.Comp[0]) // reads come in another mode
	}
	return t
}
