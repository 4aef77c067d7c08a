package aimhost

import (
	"slices"
	"strings"

	"pimflow/internal/dram"
)

// slowHost is the host and its controllers the slow way: every channel by itself,
// every cycle of it, waits looked up in the rules and in the history of issues. It
// shares the rules and the parser with Host and nothing else.
type slowHost struct {
	std      *dram.Standard
	steps    bool // the published device of LPDDR5: two steps of an activation, a data clock, refreshes
	refi     int64
	book     dram.Book
	modch    int64 // nothing is issued so long after TMOD
	channels [MaxChannels]*slowChannel
	now      int64
	table    int64
}

type slowRequest struct {
	name   string // of the command; EOC for it and SYNC
	blocks bool
	bank   int // -1: none
	row    int64
	arrive int64
}

type slowAnswer struct {
	slowRequest
	depart int64
}

type slowIssue struct {
	op   dram.Op
	bank int
	at   int64
}

type slowChannel struct {
	h                                    *slowHost
	reads, writes, pim, active, overflow []slowRequest
	answers                              []slowAnswer
	busy                                 []int64
	register, writing                    bool
	rows                                 [16][]int64
	begun                                [16]bool
	clock                                int64
	due                                  int
	seen                                 [16]bool
	history                              []slowIssue
	answered, idle, lit, dark            int64
	issued                               map[string]int64
}

func newSlowHost(std *dram.Standard, timing dram.Timing) *slowHost {
	h := &slowHost{std: std, book: std.Rules(timing), modch: timing["modch_ck"]}
	if h.steps = std != aim; h.steps {
		h.refi = timing["refi_ck"]
	}
	for i := range h.channels {
		h.channels[i] = &slowChannel{h: h, clock: -1, issued: map[string]int64{}}
	}
	return h
}

// do runs one instruction and the cycles until the host can decode the next. It
// reports false if nothing has happened for longer than any rule holds.
func (h *slowHost) do(in Instruction) bool {
	h.now++
	k := &instructions[in.kind]
	want := int64(0)
	for c := range h.channels {
		ch := h.channels[c]
		ch.answered = 0
		if !k.sync && in.Mask>>(31-c)&1 == 0 {
			continue
		}
		r := slowRequest{name: "EOC", blocks: true, bank: -1}
		if !k.sync {
			if k.sends == "" {
				continue
			}
			r = slowRequest{name: k.sends, bank: in.Bank, row: in.Row}
			r.blocks = r.name == "RDMAC16" || r.name == "RDAF16"
			if !slices.Contains([]string{"RD", "WR", "MAC", "RDCP", "WRCP"}, r.name) {
				r.bank = -1
			}
			if r.name == "AF16" {
				r.row = 1<<29 + h.table
			}
		}
		if r.blocks {
			want++
		}
		for range in.Units {
			ch.overflow = append(ch.overflow, r)
		}
		ch.drain()
	}
	if k.writesRegister && in.Register == 2 {
		h.table = in.Data
	}
	for still := 0; still < 100_000; still++ {
		got, left := int64(0), 0
		for _, ch := range h.channels {
			if ch.tick() {
				still = 0
			}
			got += ch.answered
			left += len(ch.overflow)
		}
		if got == want && left == 0 {
			return true
		}
		h.now++
		for _, ch := range h.channels {
			ch.drain()
		}
	}
	return false
}

func (c *slowChannel) drain() {
	for len(c.overflow) > 0 && c.accept(c.overflow[0]) {
		c.overflow = c.overflow[1:]
	}
}

func (c *slowChannel) accept(r slowRequest) bool {
	r.arrive = c.h.now - 1
	queue, barred := &c.pim, len(c.reads)+len(c.writes) > 0
	switch r.name {
	case "RD":
		queue, barred = &c.reads, len(c.pim) > 0
		if !barred && len(c.writes) > 0 {
			c.answers = append(c.answers, slowAnswer{r, c.h.now})
			return true
		}
	case "WR":
		queue, barred = &c.writes, len(c.pim) > 0
	}
	if barred || len(*queue) > 32 {
		return false
	}
	*queue = append(*queue, r)
	return true
}

// tick reports whether anything happened.
func (c *slowChannel) tick() bool {
	now, before := c.h.now, len(c.answers)
	if len(c.answers) > 0 {
		if a := c.answers[0]; a.depart <= now && (a.name != "EOC" || len(c.busy) == 0) {
			c.answers = c.answers[1:]
			if a.blocks {
				c.answered++
			}
		}
	}
	c.busy = slices.DeleteFunc(c.busy, func(d int64) bool { return d <= now })
	issued := c.serve()
	if !issued && len(c.reads)+len(c.writes)+len(c.pim)+len(c.answers)+len(c.busy) == 0 {
		c.idle++
	}
	if slices.Contains(c.seen[:], true) {
		c.lit++
	} else {
		c.dark++
	}
	return issued || len(c.answers) != before
}

func (c *slowChannel) serve() bool {
	if c.h.refi > 0 && c.h.now%c.h.refi == 0 {
		c.due++
	}
	if i := c.pick(c.active); i >= 0 && c.free(c.active[i]) {
		return c.issue(&c.active, i)
	}
	if c.due > 0 {
		refresh := []slowRequest{{name: "REFab", bank: -1}}
		if c.free(refresh[0]) && c.issue(&refresh, 0) {
			c.due -= 1 - len(refresh)
			return true
		}
		return false
	}
	if len(c.pim) > 0 {
		if r := c.pim[0]; r.name == "EOC" {
			c.answers = append(c.answers, slowAnswer{r, c.h.now})
			c.pim = c.pim[1:]
			return true
		}
		return c.free(c.pim[0]) && c.issue(&c.pim, 0)
	}
	switch {
	case !c.writing && (len(c.writes) >= 26 || len(c.reads) == 0):
		c.writing = true
	case c.writing && len(c.writes) <= 6 && len(c.reads) > 0:
		c.writing = false
	}
	queue := &c.reads
	if c.writing {
		queue = &c.writes
	}
	i := c.pick(*queue)
	return i >= 0 && c.free((*queue)[i]) && c.issue(queue, i)
}

// pick is first ready, then first come.
func (c *slowChannel) pick(queue []slowRequest) int {
	at := -1
	for i, r := range queue {
		if at < 0 {
			at = i
			continue
		}
		best := queue[at]
		if a, b := c.free(best), c.free(r); a != b && b || a == b && r.arrive < best.arrive {
			at = i
		}
	}
	return at
}

// step is the next command on the way of a request.
func (c *slowChannel) step(r slowRequest) string {
	if !c.h.steps {
		return c.prepare(r)
	}
	name := c.prepareSteps(r)
	if slices.Contains(clocked, name) && c.clock < c.h.now {
		return "CAS" + name
	}
	return name
}

// clocked are the commands that need the data clock.
var clocked = []string{"RD", "WR", "WRGB", "WRMAC16", "RDMAC16", "RDAF16", "WRA16"}

// prepareSteps is step without the data clock, where an activation has two steps.
func (c *slowChannel) prepareSteps(r slowRequest) string {
	switch r.name {
	case "MAC16", "EWMUL16", "AF16":
		for b, rows := range c.rows {
			if len(rows) > 0 && !c.begun[b] && !slices.Contains(rows, r.row) {
				return "PREA"
			}
		}
		for _, rows := range c.rows {
			if len(rows) == 0 {
				return "ACT16-1"
			}
		}
		if slices.Contains(c.begun[:], true) {
			return "ACT16-2"
		}
	case "RD", "WR", "MAC", "RDCP", "WRCP":
		switch rows := c.rows[r.bank]; {
		case len(rows) == 0:
			return "ACT-1"
		case c.begun[r.bank]:
			return "ACT-2"
		case !slices.Contains(rows, r.row):
			return "PRE"
		}
	case "REFab":
		for _, rows := range c.rows {
			if len(rows) > 0 {
				return "PREA"
			}
		}
	}
	return r.name
}

// prepare is step on GDDR6.
func (c *slowChannel) prepare(r slowRequest) string {
	switch r.name {
	case "MAC16", "EWMUL16", "AF16", "WRA16":
		shut := false
		for _, rows := range c.rows {
			if len(rows) > 0 && !slices.Contains(rows, r.row) {
				return "PREA"
			}
			shut = shut || len(rows) == 0
		}
		if shut {
			return "ACT16"
		}
	case "RD", "WR", "MAC", "RDCP", "WRCP":
		if len(c.rows[r.bank]) == 0 {
			return "ACT"
		}
		if !slices.Contains(c.rows[r.bank], r.row) {
			return "PRE"
		}
	}
	return r.name
}

// free reports whether no rule forbids the next command now.
func (c *slowChannel) free(r slowRequest) bool {
	op := c.h.std.Op(c.step(r))
	if n := len(c.history); n > 0 && c.history[n-1].op == c.h.std.Op("TMOD") && c.h.now < c.history[n-1].at+c.h.modch {
		return false
	}
	for _, rule := range c.h.book.Rules {
		if !slices.Contains(rule.Before, op) || rule.Level != dram.ChannelLevel && r.bank < 0 {
			continue
		}
		for i := len(c.history) - 1; i >= 0; i-- {
			h := c.history[i]
			if h.at+400 < c.h.now { // longer than any rule
				break
			}
			if rule.Window <= 1 && slices.Contains(rule.After, h.op) && c.h.now < h.at+rule.Wait &&
				(rule.Level == dram.ChannelLevel || rule.Level == dram.GroupLevel && h.bank >= 0 && h.bank/4 == r.bank/4 || rule.Level == dram.BankLevel && h.bank == r.bank) {
				return false
			}
		}
	}
	return true
}

func (c *slowChannel) issue(queue *[]slowRequest, i int) bool {
	r := (*queue)[i]
	name := c.step(r)
	if name == "PRE" && slices.ContainsFunc(c.active, func(a slowRequest) bool { return a.bank == r.bank }) {
		return false
	}
	if register := slices.Contains([]string{"WRGB", "WRMAC16", "RDMAC16", "RDAF16"}, r.name); register != c.register {
		name, c.register = "TMOD", register
	}
	c.history = append(c.history, slowIssue{c.h.std.Op(name), r.bank, c.h.now})
	c.issued[name]++
	open := func(b int, begun bool) { c.rows[b], c.begun[b] = append(c.rows[b], r.row), begun }
	see := func(seen bool) {
		for b := range c.seen {
			c.seen[b] = seen
		}
	}
	switch name {
	case "ACT", "ACT-2":
		open(r.bank, false)
		c.seen[r.bank%4] = true
	case "ACT-1":
		open(r.bank, true)
	case "PRE":
		c.rows[r.bank], c.begun[r.bank], c.seen[r.bank%4] = nil, false, false
	case "ACT16", "ACT16-1", "ACT16-2":
		for b := range c.rows {
			open(b, name == "ACT16-1")
		}
		if name != "ACT16-1" {
			see(true)
		}
	case "PREA", "WRA16":
		if name == "PREA" || !c.h.steps {
			c.rows, c.begun = [16][]int64{}, [16]bool{}
		}
		see(false)
	}
	if late, cas := strings.CutPrefix(name, "CAS"); cas {
		c.clock = c.h.now + 1 + c.h.book.Result[c.h.std.Op(late)]
	} else if slices.Contains(clocked, name) {
		c.clock = c.h.now + c.h.book.Result[c.h.std.Op(name)]
	}
	switch {
	case name == r.name:
		depart := c.h.now + c.h.book.Result[c.h.std.Op(name)]
		if r.blocks || name == "RD" {
			c.answers = append(c.answers, slowAnswer{r, depart})
		} else {
			c.busy = append(c.busy, depart)
		}
	case (name == "ACT" || name == "ACT-2") && (r.name == "RD" || r.name == "WR") && queue != &c.active:
		c.active = append(c.active, r)
	default:
		return true
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

func (h *slowHost) result(instructions int64) Result {
	r := Result{Cycles: dram.Cycle(h.now), Instructions: instructions, Issued: make([]int64, len(h.std.Ops))}
	for _, c := range h.channels {
		for op := range h.std.Ops {
			r.Issued[op] += c.issued[h.std.Ops[op].Name]
		}
		r.Idle += c.idle
		r.Open += c.lit
		r.Precharged += c.dark
	}
	return r
}
