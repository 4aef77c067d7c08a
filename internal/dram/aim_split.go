package dram

import "slices"

// aimSplit is a what-if: AiM whose bank groups open rows one after the other, as tFAW demands, and do not wait for each
// other. A command to all banks acts on the first group at once and on each further group faw_ck later, so the groups work
// on the same stream at a constant distance. They meet again where a command is for all of them: at a transfer of the
// global buffer or of the MAC registers.
//
// It is a hypothesis of this project, after the idea of SplitSync (Yoon et al., DAC 2025): asynchronous between bank
// groups, synchronous within one. Of that paper only the abstract was read; the rules and the distance are estimated.
var aimSplit = &Standard{
	Name:    "aim-split",
	Extends: aim,
	Ops:     aim.Ops,
	Timing:  append(slices.Clone(aim.Timing), "faw_ck"), // the four activations of a group to those of the next
	Rules:   aimSplitRules,
	Limits:  append(slices.Clone(aimLimits), Limit{"four activations", "faw_ck", ">=", "3 * rrds_ck", "four activations have three gaps between them"}),
	Refresh: aim.Refresh,
	Banks:   aim.Banks,
	Modes:   aim.Modes,
	Changes: aim.Changes,
}

// aimSplitRules are those of aim, which hold in each group. A command to one bank, to all of them at once, or a refresh
// waits until the last group has had the commands before it.
func aimSplitRules(t Timing) Book {
	b := aimRules(t)
	var (
		inTurn    = []Op{aimACT16, aimPREA, aimMAC16, aimAF16, aimEWMUL16}
		registers = []Op{aimWRGB, aimWRMAC16, aimRDMAC16, aimRDAF16}
		last      = 3 * t["faw_ck"] // the last of four groups behind the first
	)
	for _, r := range b.Rules {
		r.After = slices.DeleteFunc(slices.Clone(r.After), func(o Op) bool { return !slices.Contains(inTurn, o) })
		r.Before = slices.DeleteFunc(slices.Clone(r.Before), func(o Op) bool { return slices.Contains(inTurn, o) || slices.Contains(registers, o) })
		if len(r.After) > 0 && len(r.Before) > 0 {
			r.Wait += last
			b.Rules = append(b.Rules, r)
		}
	}
	b.Rules = append(b.Rules,
		Rule{Name: "tFAW", After: []Op{aimACT16}, Before: []Op{aimACT16}, Wait: last + t["faw_ck"]},
		// The last group multiplies before a register changes or is read. A change of mode lies between.
		Rule{Name: "last group", After: []Op{aimMAC16, aimAF16, aimEWMUL16}, Before: registers, Wait: max(0, last+t["ccds_ck"]-t["modch_ck"])})
	return b
}
