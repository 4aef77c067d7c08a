package pimflow

import (
	"fmt"
	"strings"

	"pimflow/internal/dram"
	"pimflow/internal/fault"
	"pimflow/internal/nearest"
	"pimflow/internal/pim"
)

// Channel is a DRAM channel under the rules of a machine's standard, for simulators of one's own: it says when a command may be issued,
// and which rules one breaks. It issues nothing by itself, neither refreshes nor precharges. It is not safe for concurrent use.
type Channel struct {
	audit *dram.Audit
	std   *dram.Standard
	book  dram.Book
	at    int64
}

// ChannelCommand is a command of a standard (Channel.Commands).
type ChannelCommand struct {
	Name string
	Bank int // of a command of a single bank; others ignore it
	Row  int // that is opened, or that a column is in; -1: not known
}

// ChannelRule is a wait between commands: one of Before is issued Wait cycles or more after the last but Window-1 of After at the same place, which
// is the channel, a group of banks or a bank.
type ChannelRule struct {
	Name          string // as data sheets have it; several may share one
	Place         string // channel, group or bank
	After, Before []string
	Wait          int64
	Window        int
}

// BrokenRule is a rule that a command breaks.
type BrokenRule struct {
	Rule string
	By   int64  // how many cycles too early, or too late; 0 where it is no matter of time
	Text string // in a line
}

// Channel returns a channel of the machine before its first cycle, in which all rows are closed.
func (m *Machine) Channel() (*Channel, error) {
	std, err := pim.Standard(m.hw)
	if err != nil {
		return nil, err
	}
	a, err := std.NewAudit(dram.Timing(m.hw.PIM.Timing))
	if err != nil {
		return nil, fmt.Errorf("machine %s: pim.timing: %w", m.hw.Name, err)
	}
	return &Channel{audit: a, std: std, book: std.Rules(dram.Timing(m.hw.PIM.Timing))}, nil
}

// Commands lists the commands of the standard.
func (c *Channel) Commands() (names []string) {
	for _, o := range c.std.Ops {
		names = append(names, o.Name)
	}
	return names
}

// Rules lists the waits of the standard. Beside them a channel knows one command a cycle ("command bus"), modes ("mode"), results that the
// host waits for ("result"), rows that must be open or closed ("row"), refreshes ("tREFI", "tREFI ahead") and rows that are open for too long
// ("tRAS max").
func (c *Channel) Rules() (list []ChannelRule) {
	names := func(ops []dram.Op) (names []string) {
		for _, op := range ops {
			names = append(names, c.std.Ops[op].Name)
		}
		return names
	}
	for _, r := range c.book.Rules {
		place := [...]string{dram.ChannelLevel: "channel", dram.GroupLevel: "group", dram.BankLevel: "bank"}[r.Level]
		list = append(list, ChannelRule{r.Name, place, names(r.After), names(r.Before), r.Wait, max(r.Window, 1)})
	}
	return list
}

// Ready is the first cycle, 1 or later, in which the waits of the standard allow a command after the issued ones. Issue checks the mode,
// the open row and refreshes. The error names a command or a bank that the standard does not have.
func (c *Channel) Ready(cmd ChannelCommand) (int64, error) {
	op, err := c.op(cmd)
	if err != nil {
		return 0, err
	}
	return max(int64(c.audit.Ready(op, cmd.Bank)), 1), nil
}

// Issue issues a command in a cycle, right or wrong, and returns the rules that it breaks. Cycles must not descend. The error names a command,
// a bank or a cycle that cannot be.
func (c *Channel) Issue(cmd ChannelCommand, cycle int64) (broken []BrokenRule, err error) {
	op, err := c.op(cmd)
	if err != nil {
		return nil, err
	}
	if cycle < max(c.at, 1) || cycle > 1<<60 {
		return nil, fault.Usagef("%s in cycle %d: %d to 2^60 wanted", cmd.Name, cycle, max(c.at, 1))
	}
	c.at = cycle
	c.audit.Issue(op, cmd.Bank, int64(max(cmd.Row, dram.AnyRow)), dram.Cycle(cycle), func(v *dram.Violation) {
		broken = append(broken, BrokenRule{v.Rule, int64(v.By), v.String()})
	})
	return broken, nil
}

func (c *Channel) op(cmd ChannelCommand) (dram.Op, error) {
	for op, o := range c.std.Ops {
		if o.Name != cmd.Name {
			continue
		}
		if b := c.std.Banks; o.Bank && (cmd.Bank < 0 || cmd.Bank >= b.Groups*b.PerGroup) {
			return 0, fault.Usagef("%s of bank %d: 0 to %d wanted", cmd.Name, cmd.Bank, b.Groups*b.PerGroup-1)
		}
		return dram.Op(op), nil
	}
	return 0, fault.Usagef("command %.80q is none of standard %s%s; it has %s", cmd.Name, c.std.Name, nearest.Hint(cmd.Name, c.Commands()), strings.Join(c.Commands(), ", "))
}
