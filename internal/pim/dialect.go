package pim

import (
	"fmt"
	"slices"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/nearest"
	"pimflow/internal/pim/unit"
)

// dialect says which commands of a DRAM standard do what, and which scheme writes them. Where
// several commands do the same they are in order of the number of the buffer, or of the
// quarter of the banks.
type dialect struct {
	standard string
	scheme   func(d *Device) scheme
	gather   []string      // fill a buffer with everything in the command's Gather, or
	write    []string      // write one column of a buffer
	open     []string      // together open a row in all banks
	close    string        // closes the row; "": an activation opens one over another
	comp     []string      // multiply a column of a buffer by one of the open row
	same     bool          // comp names one column for both, so weights lie in a row as inputs in the buffer
	init     string        // sets an accumulator before anything is added to it; "": reading clears it
	keep     bool          // accumulators outlast their row
	read     string        // reads the results
	operands [roles]string // in the order in which they are printed
	gap      string        // the timing parameter that exposes buffer writes, if any (Exposed)

	// Of units that execute programs:
	programs []microProgram
	host     string    // opens a row of one bank, which the host reads
	mode     [2]string // open and close a row that stands for a mode
	register string    // writes a register beside the open row
	fence    string    // the host waits
	reserved int       // the first row that holds no data; 0: all do
}

// dialects has a row for each DRAM standard that there is a mapping to, but for those that extend another.
var dialects = []dialect{
	{
		standard: "artifact",
		scheme:   newFills,
		gather:   []string{"GWRITE"},
		open:     []string{"G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3"},
		comp:     []string{"COMP"},
		same:     true,
		read:     "READRES",
		operands: [roles]string{gatherRole: "source", openRole: "row", compRole: "row col", readRole: "result"},
		gap:      "gwrite_gap_ck",
	},
	{
		standard: "newton",
		scheme:   newColumns,
		write:    []string{"GWRITE0", "GWRITE1", "GWRITE2", "GWRITE3"},
		open:     []string{"G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3"},
		close:    "PREA",
		comp:     []string{"COMP0", "COMP1", "COMP2", "COMP3"},
		read:     "READRES",
		operands: [roles]string{writeRole: "into source", openRole: "row", compRole: "row col buf", readRole: "result"},
	},
	{
		standard: "aim",
		scheme:   newAccumulators,
		write:    []string{"WRGB"},
		open:     []string{"ACT16"},
		close:    "PREA",
		comp:     []string{"MAC16"},
		same:     true,
		init:     "WRMAC16",
		keep:     true,
		read:     "RDMAC16",
		operands: [roles]string{writeRole: "into source", openRole: "row", compRole: "row col acc", initRole: "acc", readRole: "acc result"},
	},
	{
		standard: "lpddr5-aim",
		scheme:   newAccumulators,
		write:    []string{"WRGB"},
		open:     []string{"ACT16-2"}, // ACT16-1 goes ahead of it
		close:    "PREA",
		comp:     []string{"MAC16"},
		same:     true,
		init:     "WRMAC16",
		keep:     true,
		read:     "RDMAC16",
		operands: [roles]string{writeRole: "into source", openRole: "row", compRole: "row col acc", initRole: "acc", readRole: "acc result"},
	},
	{
		standard: "hbm-pim",
		scheme:   newUnits,
		write:    []string{"WRAB"},
		open:     []string{"ACTAB"},
		close:    "PREA",
		comp:     []string{"RDAB"},
		read:     "RDSB",
		programs: microPrograms,
		host:     "ACTSB",
		mode:     [2]string{"ACTMR", "PREMR"},
		register: "WRREG",
		fence:    "FENCE",
		reserved: unit.DataRows,
		operands: [roles]string{
			writeRole: "bank row col source", openRole: "row", compRole: "bank row col", readRole: "bank row col result",
			hostRole: "bank row", enterRole: "row", registerRole: "row col source",
		},
	},
}

// role is what a command does.
type role uint8

const (
	noRole role = iota
	gatherRole
	writeRole
	openRole
	closeRole
	compRole
	initRole
	readRole
	hostRole     // opens a row of one bank
	enterRole    // opens a row that stands for a mode
	leaveRole    // closes it
	registerRole // writes a register
	fenceRole    // waits
	roles        // their number
)

// operand is an address of a command: its field, the word that is printed for it, and the
// address of a writer that it is set to.
type operand struct {
	of    func(c *dram.Command) *dram.Affine
	print string
	pick  func(p address) int
}

// operandWords are the words of a dialect's operands. A fill is set by the scheme that gathers.
var operandWords = map[string]operand{
	"row":    {func(c *dram.Command) *dram.Affine { return &c.Row }, "row", func(p address) int { return p.row }},
	"col":    {func(c *dram.Command) *dram.Affine { return &c.Col }, "col", func(p address) int { return p.col }},
	"buf":    {func(c *dram.Command) *dram.Affine { return &c.Buf }, "buf", func(p address) int { return p.buf }},
	"bank":   {func(c *dram.Command) *dram.Affine { return &c.Buf }, "bank", func(p address) int { return p.buf }},
	"into":   {func(c *dram.Command) *dram.Affine { return &c.Buf }, "buf", func(p address) int { return p.into }},
	"acc":    {func(c *dram.Command) *dram.Affine { return &c.Acc }, "acc", func(p address) int { return p.acc }},
	"source": {func(c *dram.Command) *dram.Affine { return &c.Data }, "data", func(p address) int { return p.source }},
	"result": {func(c *dram.Command) *dram.Affine { return &c.Data }, "data", func(p address) int { return p.result }},
}

// Commands are the commands of a DRAM standard, by what they do. A standard has one close and
// one init command or none.
type Commands struct {
	Write       []dram.Op // fill a buffer, by its number
	Open        []dram.Op // together open a row in all banks
	Comp        []dram.Op // multiply a column of a buffer, by its number, by one of the open row
	Close, Init []dram.Op // close the row, set an accumulator
	Read        dram.Op   // reads the results

	dialect  *dialect
	operands [][]operand // by Op
	mode     []dram.Op   // changes the mode, where the standard has modes
	names    []string
	roles    []role // by Op
	index    []int  // by Op, the buffer or the quarter of the banks
}

// NewCommands returns the commands of a standard. The error says that the package has no
// dialect for it.
func NewCommands(std *dram.Standard) (*Commands, error) {
	i := slices.IndexFunc(dialects, func(d dialect) bool { return d.standard == std.Name })
	if i < 0 && std.Extends != nil {
		i = slices.IndexFunc(dialects, func(d dialect) bool { return d.standard == std.Extends.Name })
	}
	if i < 0 {
		var known []string
		for i := range dialects {
			known = append(known, dialects[i].standard)
		}
		return nil, fmt.Errorf("no mapping to DRAM standard %.80q%s; there is one to %.80q", std.Name, nearest.Hint(std.Name, known), known)
	}
	c := &Commands{dialect: &dialects[i], roles: make([]role, len(std.Ops)), index: make([]int, len(std.Ops))}
	for _, o := range std.Ops {
		c.names = append(c.names, o.Name)
	}
	ops := func(r role, names ...string) (ops []dram.Op) {
		for i, n := range names {
			if n != "" {
				o := std.Op(n)
				ops, c.roles[o], c.index[o] = append(ops, o), r, i
			}
		}
		return ops
	}
	d := c.dialect
	c.Write = append(ops(gatherRole, d.gather...), ops(writeRole, d.write...)...)
	c.Open, c.Comp = ops(openRole, d.open...), ops(compRole, d.comp...)
	c.Close, c.Init = ops(closeRole, d.close), ops(initRole, d.init)
	c.Read = ops(readRole, d.read)[0]
	ops(hostRole, d.host)
	ops(enterRole, d.mode[0])
	ops(leaveRole, d.mode[1])
	ops(registerRole, d.register)
	ops(fenceRole, d.fence)
	for _, r := range c.roles {
		var list []operand
		for _, word := range strings.Fields(d.operands[r]) {
			list = append(list, operandWords[word])
		}
		c.operands = append(c.operands, list)
	}
	if len(std.Changes) > 0 {
		c.mode = std.Changes[0].Issue[:1]
	}
	return c, nil
}

// cleared reports whether an accumulator that was read is ready for the next sum: without
// a command that sets it.
func (c *Commands) cleared() bool { return len(c.Init) == 0 }

// outlasts reports whether accumulators outlast the row that they were summed from.
func (c *Commands) outlasts() bool { return c.dialect.keep }

// reopened reports whether an activation may open a row over another.
func (c *Commands) reopened() bool { return len(c.Close) == 0 }

// multiplied is the column of the buffer that a COMP multiplies.
func (c *Commands) multiplied(comp *dram.Command) dram.Affine {
	if c.dialect.same {
		return comp.Col
	}
	return comp.Buf
}
