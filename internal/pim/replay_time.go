package pim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"pimflow/internal/dram"
)

// timedCommands is how many commands of a stream are replayed in time.
const timedCommands = 1 << 18

// sequence identifies the commands of a stream in order, without their addresses: the digest of its loop nest. Streams of one
// sequence take the same cycles.
type sequence [sha256.Size]byte

// timedSequence is the extent of a replay in time.
type timedSequence struct {
	commands int64
	cycles   dram.Cycle // of the whole stream
	whole    bool       // all commands were replayed
}

func sequenceOf(st dram.Stream) sequence { return sha256.Sum256(appendSequence(nil, st)) }

// appendSequence writes the operations of a stream and the iterations of its loops.
func appendSequence(to []byte, st dram.Stream) []byte {
	to = binary.AppendUvarint(to, uint64(len(st)))
	for i := range st {
		it := &st[i]
		if to = binary.AppendUvarint(to, uint64(it.Times)); it.Times == 0 {
			to = binary.AppendUvarint(to, uint64(it.Command.Op))
		} else {
			to = appendSequence(to, it.Body)
		}
	}
	return to
}

// replayTime holds the first commands of a stream against the rules of time, and says how many. A sequence that broke no rule is
// replayed once.
func (c *mappedCode) replayTime(channel int, s share, st dram.Stream) (int64, error) {
	d, of := c.device, sequenceOf(st)
	d.mu.Lock()
	r, known := d.replayed[of]
	d.mu.Unlock()
	if !known {
		var err error
		if r, err = d.replaySequence(channel, st); err != nil {
			return r.commands, err
		}
		d.mu.Lock()
		d.replayed[of] = r
		d.mu.Unlock()
	}
	if r.whole && r.commands > 0 {
		if cost := d.time(s).Cycles; cost != r.cycles {
			return r.commands, &Violation{channel, int(r.commands), fmt.Sprintf("the stream takes %d cycles, its cost says %d", r.cycles, cost)}
		}
	}
	return r.commands, nil
}

// replaySequence replays the first commands of a stream in time.
func (d *Device) replaySequence(channel int, st dram.Stream) (timedSequence, error) {
	check, err := d.standard.NewCheck(d.timing)
	if err != nil {
		return timedSequence{}, &Violation{channel, -1, err.Error()}
	}
	n := 0
	run := d.channel.Run()
	run.Observe(func(op dram.Op, at dram.Cycle) {
		if err == nil {
			if e := check.Issue(op, at); e != nil {
				err = &Violation{channel, n, e.Error()}
			}
		}
	})
	whole := st.Walk(func(k *dram.Command, _ []int) bool {
		if n == timedCommands {
			return false
		}
		run.Issue(k.Op)
		n++
		return err == nil
	})
	r := timedSequence{commands: int64(n), whole: whole}
	if err != nil || !whole || n == 0 {
		return r, err
	}
	r.cycles = run.Finish().Cycles
	if err != nil {
		return r, err
	}
	if e := check.Finish(r.cycles); e != nil {
		return r, &Violation{channel, n, e.Error()}
	}
	return r, nil
}
