package utilization

import (
	"pimflow/internal/device"
	"pimflow/internal/plan"
	"pimflow/internal/program"
	"pimflow/internal/run"
)

// Stall is a cause of a device's time.
type Stall struct {
	Device string
	Cause  string
	Kind   Kind
	Busy   bool        // the device works; else it waits
	Time   device.Time // of the device: those of a device add up to the total
	Shared Half        // of the network: those of both devices add up to twice the total
}

// The causes of a device that does not work.
const (
	WaitInput     = "wait for input" // that the other device makes
	WaitExclusive = "wait for turn"  // of the other device, since one runs alone
	Done          = "no work left"   // after its last step
)

// devices has the names of the lanes, in order.
var devices = [program.Lanes]string{plan.GPU, plan.PIM}

// Stalls are the causes of the time of each device: the GPU's first, in the order in which steps meet them, what it works at before what
// it waits for.
func Stalls(tl *run.Timeline) (list []Stall) {
	shares, idle := Shares(tl)
	waits := Waits(tl)
	for lane, name := range devices {
		var work, wait []Stall
		add := func(to *[]Stall, cause string, busy bool, t device.Time, share Half) {
			for i := range *to {
				if x := &(*to)[i]; x.Cause == cause {
					x.Time, x.Shared = x.Time+t, x.Shared+share
					return
				}
			}
			if t != 0 || share != 0 {
				*to = append(*to, Stall{name, cause, KindOf(cause), busy, t, share})
			}
		}
		end := device.Time(0)
		for i := range tl.Program.Steps {
			if program.Lane(tl.Program.Steps[i].Device) != lane {
				continue
			}
			end = tl.Spans[i].End
			for _, x := range Terms(tl, i) {
				add(&work, x.Name, true, x.Time, 0)
			}
			for _, x := range sharedTerms(tl, i, shares[i]) {
				add(&work, x.Name, true, 0, x.Time)
			}
			cause := WaitInput
			if waits[i].Why == Exclusive {
				cause = WaitExclusive
			}
			add(&wait, cause, false, waits[i].Idle, 0)
		}
		add(&wait, Done, false, tl.Total-end, 0)
		if idle[lane] > 0 && len(wait) > 0 {
			wait[0].Shared += idle[lane]
		}
		list = append(append(list, work...), wait...)
	}
	return list
}
