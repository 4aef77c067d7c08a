package emit

import "pimflow/internal/dram"

// issue is a command of a stream at one iteration of the loops around it, or one of a refresh or a change of mode.
type issue struct {
	op      dram.Op
	at      dram.Cycle    // 0 where cycles are not wanted
	command *dram.Command // nil: of a refresh or a change of mode
	index   []int         // valid during the call
}

// expand calls f for each command of a stream in order; timed, with its cycle, and with the commands of refreshes and
// changes of mode.
func expand(ch *dram.Channel, st dram.Stream, timed bool, f func(*issue) error) (err error) {
	if !timed {
		st.Walk(func(k *dram.Command, index []int) bool {
			err = f(&issue{k.Op, 0, k, index})
			return err == nil
		})
		return err
	}
	var made []issue
	run := ch.Run()
	run.Observe(func(op dram.Op, at dram.Cycle) { made = append(made, issue{op: op, at: at}) })
	tell := func() {
		for i := range made {
			if err == nil {
				err = f(&made[i])
			}
		}
		made = made[:0]
	}
	st.Walk(func(k *dram.Command, index []int) bool {
		run.Issue(k.Op)
		last := &made[len(made)-1] // what comes before it was due
		last.command, last.index = k, index
		tell()
		return err == nil
	})
	if err == nil {
		run.Finish()
		tell()
	}
	return err
}
