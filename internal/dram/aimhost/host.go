// Package aimhost times traces of aim_simulator, the published simulator of SK hynix's
// AiM: instructions of one host for all channels. A channel's rules (dram.Channel) and the
// instructions go in; the cycle of the last answer and the commands issued come out.
//
// The host decodes an instruction a cycle and sends requests to the channels
// (host.go); the controller of a channel queues them and issues commands for them
// (controller.go), as dram.Banks allows; instruction.go is the instruction set and the
// text of a trace, loops.go a text of lines with loops. published.go is the devices of the
// simulator that are not as the standards made after them. Refreshes are served for these alone:
// the simulator serves none on GDDR6.
package aimhost

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"pimflow/internal/dram"
)

// Host is the host of aim_simulator with the controllers of its channels (commit 0f28a07,
// configuration "example"). The host decodes one instruction a cycle, in order, and sends
// requests to the channels; their controllers issue commands. Channels are coupled only by the
// host's waiting.
type Host struct {
	channel *dram.Channel
	std     *dram.Standard
	ops     []dram.Op     // by instruction, the command that it requests
	classes []*controller // one for all channels with the same requests so far
	all     uint32
	now     dram.Cycle
	waiting int   // answers that the instruction still needs
	table   int64 // register 2: the table of the activation function
	n       int64
	patient dram.Cycle // cycles without progress after which there is a deadlock
	ended   bool
	rows    int64 // of a bank; 0: any
	watch   func(taken int64) error
	turns   int   // of the loop that simulates
	taken   int64 // requests of the instructions that are done
}

const (
	// tableRow is the pseudo row of the first table of the activation function.
	tableRow      = 1 << 29
	tableRegister = 2
)

// MaxChannels is the greatest number of channels of a host: the bits of a mask.
const MaxChannels = 32

// banks is the number of banks that an instruction can name.
const banks = 16

// Result is the outcome of a run. All but Cycles and Instructions are sums over the channels.
type Result struct {
	Cycles           dram.Cycle // until the last channel has answered EOC
	Issued           []int64    // commands by Op
	Instructions     int64
	Idle             int64 // cycles without a request waiting, an answer owed or a command issued
	Open, Precharged int64 // cycles with and without an open bank, by the simulator's account (controller.light)
}

// Hosts reports whether a standard has the commands that the instructions request.
func Hosts(std *dram.Standard) bool {
	return std.Banks != nil && !slices.ContainsFunc(instructions, func(k instruction) bool {
		return k.sends != "" && !slices.ContainsFunc(std.Ops, func(o dram.OpSpec) bool { return o.Name == k.sends })
	})
}

// Limit refuses instructions in other rows than the first so many. The published simulator checks none.
func (h *Host) Limit(rows int64) { h.rows = rows }

// Watch makes f the watcher of a host: it is told now and then, within an instruction too, of the requests that the channels have taken.
// Its error ends the run.
func (h *Host) Watch(f func(taken int64) error) { h.watch = f }

// New returns a host of that many channels. The error names a standard without the commands of
// the instructions, or the number.
func New(c *dram.Channel, channels int) (*Host, error) {
	std := c.Standard()
	if !Hosts(std) {
		return nil, fmt.Errorf("DRAM standard %s has no host instructions: aim or lpddr5-aim wanted", std.Name)
	}
	if channels < 1 || channels > MaxChannels {
		return nil, fmt.Errorf("%d channels: 1 to %d wanted, the bits of an instruction's mask", channels, MaxChannels)
	}
	// Before one request is done, each request in a channel may close a row, open one and
	// change the mode.
	h := &Host{channel: c, std: std, all: ^uint32(0) << (MaxChannels - channels), patient: 4 * 3 * queueLimit * c.Longest()}
	h.ops = make([]dram.Op, len(instructions))
	for i, k := range instructions {
		if k.sends != "" {
			h.ops[i] = std.Op(k.sends)
		}
	}
	h.classes = []*controller{{channel: c, std: std, banks: c.Banks(), issued: make([]int64, len(std.Ops)), channels: h.all, wake: 1}}
	return h, nil
}

// Issued is a command that controllers issue to channels.
type Issued struct {
	Channels uint32 // bit 31-i: channel i
	Op       dram.Op
	Bank     int // of a command of one
	Row      int64
	At       dram.Cycle
}

// Observe makes f the observer of a host that has done nothing yet: it is told of every command. Those of a channel are in order.
func (h *Host) Observe(f func(Issued)) { h.classes[0].seen = f }

// Do decodes the next instruction in the first possible cycle, and simulates up to that cycle;
// for EOC, to the end. The error names a channel that does not exist, or reports a deadlock of
// the published simulator.
func (h *Host) Do(in Instruction) error {
	if h.ended {
		panic("aimhost: an instruction after EOC")
	}
	if outside := in.Mask &^ h.all; outside != 0 {
		return fmt.Errorf("channel %d of %d", bits.LeadingZeros32(outside), bits.OnesCount32(h.all))
	}
	if h.rows > 0 && in.Row >= h.rows {
		return fmt.Errorf("row %d: 0 to %d wanted, those of a bank", in.Row, h.rows-1)
	}
	h.n++
	h.now++
	h.decode(&in)
	done := h.now
	for {
		if h.turns++; h.turns%4096 == 0 && h.watch != nil {
			left := int64(0)
			for _, c := range h.classes {
				left = max(left, c.left)
			}
			if err := h.watch(h.taken + in.Requests() - left); err != nil {
				return err
			}
		}
		room, progress := h.tick()
		if progress {
			done = h.now
		}
		// A waiting request that is sent in this cycle leaves the host no time to decode. An
		// answer arrives after the host's part of the cycle.
		overflow := slices.ContainsFunc(h.classes, func(c *controller) bool { return c.left > 0 })
		if h.waiting == 0 && !overflow {
			break
		}
		next := forever
		if overflow && room {
			next = h.now + 1
		}
		for _, c := range h.classes {
			next = min(next, c.wake)
		}
		if next-done > h.patient {
			return errors.New("the published simulator never ends here: two requests close the row that the other needs, or wait for each other to do so")
		}
		h.now = next
		for _, c := range h.classes {
			c.drain(next)
		}
	}
	h.taken += in.Requests()
	h.ended = in.End()
	return nil
}

// decode sends the requests of an instruction.
func (h *Host) decode(in *Instruction) {
	k := &instructions[in.kind]
	switch {
	case k.sync:
		h.send(h.all, request{sync: true, blocks: true}, 1)
	case k.sends != "":
		op := h.ops[in.kind]
		r := request{op: op, access: k.access, blocks: h.std.Ops[op].Blocks, bank: int8(in.Bank), row: in.Row}
		if k.table {
			r.row = tableRow + h.table
		}
		h.send(in.Mask, r, in.Units)
	case k.writesRegister && in.Register == tableRegister:
		h.table = in.Data
	}
}

// send sends requests to the channels of a mask, and splits classes that are only partly in it.
func (h *Host) send(mask uint32, r request, units int64) {
	for _, c := range h.classes {
		to := c
		switch c.channels & mask {
		case 0:
			continue
		case c.channels:
		default:
			to = c.clone(c.channels & mask)
			h.classes = append(h.classes, to)
		}
		if r.blocks {
			h.waiting++
		}
		to.overflow, to.left = r, units
		to.drain(h.now)
	}
}

// tick simulates the controllers' part of this cycle. It reports whether a queue got room, and
// whether there was any progress.
func (h *Host) tick() (room, progress bool) {
	for _, c := range h.classes {
		if c.wake > h.now {
			continue
		}
		answered, r := c.tick(h.now)
		room = room || r
		progress = progress || r || answered
		if answered {
			h.waiting--
		}
	}
	return room, progress
}

// Result returns the outcome; it panics before EOC.
func (h *Host) Result() Result {
	if !h.ended {
		panic("aimhost: a run without EOC has no result")
	}
	r := Result{Cycles: h.now, Instructions: h.n, Issued: make([]int64, len(h.std.Ops))}
	for _, c := range h.classes {
		c.catchUp(h.now)
		n := int64(bits.OnesCount32(c.channels))
		for op := range r.Issued {
			r.Issued[op] += n * c.issued[op]
		}
		r.Idle += n * c.idle
		r.Open += n * c.open
		r.Precharged += n * (int64(h.now) - c.open)
	}
	return r
}
