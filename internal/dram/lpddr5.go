package dram

import "slices"

// The commands of the standard lpddr5-aim: those of aim, where the ones that open rows are the first
// of two steps, and then its own.
const (
	lpACT2 Op = iota + aimREF + 1
	lpACT162
	lpCASRD
	lpCASWR
	lpCASWRGB
	lpCASWRMAC16
	lpCASRDMAC16
	lpCASRDAF16
	lpCASWRA16
)

// lpddr5 is AiM in an LPDDR5 DRAM, as a part could be: the LPDDR5 device of the published simulator
// (aim_simulator, commit 0f28a07, LPDDR5_AiM) without its slips. Rows are opened in two steps, the
// second right after the first, from which all waits count. Commands that move data over the pins
// need the data clock, which a CAS starts in the cycle before (JESD209-5). A write to all banks
// opens its row and closes it, as on GDDR6. What the published device does otherwise is in package
// aimhost.
var lpddr5 = &Standard{
	Name: "lpddr5-aim",
	Ops: append(lpddr5Ops(),
		OpSpec{Name: "ACT-2", Bank: true, Opens: true, Modes: In(aimMemory)},
		OpSpec{Name: "ACT16-2", Opens: true, Modes: In(aimMemory)},
		OpSpec{Name: "CASRD", Bank: true, Modes: In(aimMemory)},
		OpSpec{Name: "CASWR", Bank: true, Modes: In(aimMemory)},
		OpSpec{Name: "CASWRGB", Modes: In(aimRegister)},
		OpSpec{Name: "CASWRMAC16", Modes: In(aimRegister)},
		OpSpec{Name: "CASRDMAC16", Modes: In(aimRegister)},
		OpSpec{Name: "CASRDAF16", Modes: In(aimRegister)},
		OpSpec{Name: "CASWRA16", Modes: In(aimMemory)},
	),
	Timing: []string{
		"bl_ck",       // data on the bus
		"ccds_ck",     // an access of a row to the next, of all banks too
		"rcd_ck",      // activation to RD, WR and WRA16
		"rcdrdmac_ck", // … to MAC and MAC16
		"rcdewmul_ck", // … to EWMUL16
		"rcdrdaf_ck",  // … to AF16
		"rcdrdcp_ck",  // … to RDCP
		"rcdwrcp_ck",  // … to WRCP
		"rppb_ck",     // precharge to activation, of one bank
		"rpab_ck",     // the same of all banks
		"ras_ck",      // activation to precharge
		"rc_ck",       // activation to activation of a bank
		"rrd_ck",      // ACT-1 to ACT-1 of another bank
		"faw_ck",      // ACT-1 to the fourth after it
		"ppd_ck",      // precharge to precharge
		"wr_ck",       // end of a write to precharge
		"rtp_ck",      // read to precharge
		"wtrs_ck",     // end of a write to a read
		"wtrl_ck",     // the same in a group, and to the registers
		"cl_ck",       // RD to data
		"cwl_ck",      // WR to data
		"clreg_ck",    // RDMAC16 and RDAF16 to data
		"cwlreg_ck",   // WRMAC16 to data
		"cwlgb_ck",    // WRGB to data
		"wckpst_ck",   // the data clock after data
		"modch_ck",    // TMOD to any command
		"rfc_ck",      // REFab to an activation or REFab
		"refi_ck",     // a refresh request to the next; 0: never
	},
	Rules:  lpddr5Rules,
	Limits: lpddr5Limits,
	// Eight refreshes may be postponed (JESD209-5, Refresh command).
	Refresh: &Refresh{Close: aimPREA, Do: aimREF, Queue: 8},
	Banks:   &BankSpec{Groups: 4, PerGroup: 4, Open: lpACT2, Close: aimPRE, OpenAll: lpACT162, CloseAll: aimPREA},
	Modes:   aim.Modes,
	Changes: aim.Changes,
	Leads: []Lead{
		{Issue: aimACT, Before: lpACT2},
		{Issue: aimACT16, Before: lpACT162},
		{Issue: lpCASRD, Before: aimRD, Clock: true},
		{Issue: lpCASWR, Before: aimWR, Clock: true},
		{Issue: lpCASWRGB, Before: aimWRGB, Clock: true},
		{Issue: lpCASWRMAC16, Before: aimWRMAC16, Clock: true},
		{Issue: lpCASRDMAC16, Before: aimRDMAC16, Clock: true},
		{Issue: lpCASRDAF16, Before: aimRDAF16, Clock: true},
		{Issue: lpCASWRA16, Before: aimWRA16, Clock: true},
	},
}

// lpddr5Ops are the commands of aim. Those that open rows are first steps here.
func lpddr5Ops() []OpSpec {
	ops := slices.Clone(aim.Ops)
	ops[aimACT] = OpSpec{Name: "ACT-1", Bank: true, Modes: In(aimMemory)}
	ops[aimACT16] = OpSpec{Name: "ACT16-1", Modes: In(aimMemory)}
	return ops
}

// lpddr5Rules are those of aim in LPDDR5's parameters, which has one tRCD, tRRD and tCCD and no tCCD
// between transfers of registers, a cycle less between read and write data, and waits of its own.
func lpddr5Rules(t Timing) Book {
	b := aimBook(t, &aimNumbers{
		column: t["ccds_ck"], rcdrd: t["rcd_ck"], rcdwr: t["rcd_ck"], rrds: t["rrd_ck"], rrdl: t["rrd_ck"],
		rp: t["rppb_ck"], rpAll: t["rpab_ck"],
		turn:      2, // aim_simulator, LPDDR5_AiM: cycles of its waits from reads to writes
		registers: true,
	})
	b.Postamble = t["wckpst_ck"]
	ops := func(o ...Op) []Op { return o }
	var (
		regRead, regWrite = ops(aimRDMAC16, aimRDAF16), ops(aimWRGB, aimWRMAC16)
		rowRead, rowWrite = ops(aimRD, aimMAC, aimMAC16, aimRDCP, aimEWMUL16), ops(aimWR, aimWRCP, aimWRA16)
	)
	b.Rules = slices.DeleteFunc(b.Rules, func(r Rule) bool { // what holds between any banks
		return r.Level == GroupLevel && slices.Equal(r.After, r.Before)
	})
	b.Rules = append(b.Rules,
		Rule{Name: "tBL registers", After: regRead, Before: regRead, Wait: t["bl_ck"]},
		Rule{Name: "tBL registers", After: regWrite, Before: regWrite, Wait: t["bl_ck"]},
		Rule{Name: "tCCD after registers", After: regRead, Before: rowRead, Wait: t["ccds_ck"]},
		Rule{Name: "tCCD after registers", After: regWrite, Before: rowWrite, Wait: t["ccds_ck"]},
		Rule{Name: "tFAW", After: ops(aimACT), Before: ops(aimACT), Wait: t["faw_ck"], Window: 4},
		Rule{Name: "tPPD", After: ops(aimPRE, aimPREA), Before: ops(aimPRE, aimPREA), Wait: t["ppd_ck"]},
		Rule{Name: "tRC to REF", After: ops(aimACT, aimACT16), Before: ops(aimREF), Wait: t["rc_ck"]},
		Rule{Name: "tRP of all banks to REF", After: ops(aimPREA), Before: ops(aimREF), Wait: t["rpab_ck"]},
	)
	return b
}
