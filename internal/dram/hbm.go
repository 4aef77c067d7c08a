package dram

// The commands of the standard hbm-pim, in the order of its Ops.
const (
	hbmACT Op = iota
	hbmPRE
	hbmPREA
	hbmRD
	hbmWR
	hbmACTAB
	hbmRDAB
	hbmWRAB
	hbmACTMR
	hbmPREMR
	hbmWRREG
	hbmFENCE
	hbmACTSB
	hbmRDSB
	hbmREF
)

// The modes of the standard hbm-pim, in the order of its Modes. AB-PIM has the commands of AB.
const (
	hbmSB Mode = iota
	hbmAB
)

// The rows that stand for modes (7bvcxz/PIMsim, commit 5abe9cd).
const (
	hbmRowSB = 0x3fff // from all banks to single banks
	hbmRowAB = 0x3ffe // from single banks to all banks
)

// hbm is a pseudo-channel of HBM2 or HBM3 with units between pairs of banks (HBM-PIM,
// Aquabolt-XL: ISSCC 2021, ISCA 2021), from open models: modes, registers and reserved rows of
// PIMsim (7bvcxz/PIMsim, commit 5abe9cd), rules of all banks of DCC's HBM3 model (ISCA 2026),
// timing of UniNDP (HPCA 2025), rules of single banks after JESD235 as Ramulator 2 has them.
//
// Commands whose names end in AB act on all banks: ACTAB opens a row of each, RDAB and WRAB
// access the even or the odd ones, a command a tCCDAB. In the mode AB-PIM each of them executes
// an instruction of the units too, which has no rule of its own. Writes to instructions,
// vectors, scalars and the mode AB-PIM are WRABs to reserved rows, which are opened like any
// other. ACTMR and PREMR open and close a row of the mode register: from single banks (SB) to
// all banks (AB), and back. WRREG and FENCE exist where the machine says so: a register write
// beside the open row (switch reg_access), and a wait for a host that reorders (fence_ck).
// ACTSB and RDSB are ACT and RD of a stream, which names no banks to its channel: banks in turn,
// each of another group than the one before, and read in the order in which they were opened.
// Then the waits within a group hold if those between groups do.
var hbm = hbmVariant(nil)

// hbmSwitches are what no publication says of the device, the default first.
var hbmSwitches = []Switch{
	// A register write has a row cycle of its own; or it comes beside the open row (WRREG), and the
	// next access a tCCDAB after it; or it takes a burst of the data bus and nothing else, as UniNDP has it.
	{"reg_access", []string{"row", "column", "free-bus"}},
	// RDAB to WRAB and back turn the data bus, or take a slot of the columns, as no data cross the pins.
	{"pim_turnaround", []string{"bus", "column"}},
	// A multiply-accumulate rounds once, as PIMsim does, or its product first; no rule of time.
	{"mac_rounding", []string{"fused", "separate"}},
}

// hbmVariant is the standard with values of its switches; others are the default.
func hbmVariant(values map[string]string) *Standard {
	return &Standard{
		Name: "hbm-pim",
		Ops: []OpSpec{
			hbmACT:   {Name: "ACT", Bank: true, Opens: true, Modes: In(hbmSB)},
			hbmPRE:   {Name: "PRE", Bank: true, Closes: true, Modes: In(hbmSB)},
			hbmPREA:  {Name: "PREA", Closes: true},
			hbmRD:    {Name: "RD", Bank: true, Row: true, Column: true, Modes: In(hbmSB)},
			hbmWR:    {Name: "WR", Bank: true, Row: true, Column: true, Modes: In(hbmSB)},
			hbmACTAB: {Name: "ACTAB", Opens: true, Modes: In(hbmAB)},
			hbmRDAB:  {Name: "RDAB", Row: true, Column: true, Modes: In(hbmAB)},
			hbmWRAB:  {Name: "WRAB", Row: true, Column: true, Modes: In(hbmAB)},
			hbmACTMR: {Name: "ACTMR", Opens: true},
			hbmPREMR: {Name: "PREMR", Closes: true},
			hbmWRREG: {Name: "WRREG", Column: true, Modes: In(hbmAB)},
			hbmFENCE: {Name: "FENCE", Column: true},
			hbmACTSB: {Name: "ACTSB", Opens: true, Amid: true, Modes: In(hbmSB)},
			hbmRDSB:  {Name: "RDSB", Row: true, Column: true, Modes: In(hbmSB)},
			hbmREF:   {Name: "REFab"},
		},
		Timing: []string{
			"bl_ck",         // data on the bus
			"ccds_ck",       // an access to the next
			"ccdl_ck",       // the same in a group
			"ccdab_ck",      // an access of all banks to the next: the clock of the units
			"rcdrd_ck",      // activation to read
			"rcdwr_ck",      // activation to write
			"rp_ck",         // precharge to activation
			"ras_ck",        // activation to precharge
			"rc_ck",         // activation to activation of a bank
			"rrds_ck",       // ACT to ACT of another bank
			"rrdl_ck",       // the same in a group
			"faw_ck",        // four ACTs to the next
			"wr_ck",         // end of a write to precharge
			"rtpl_ck",       // read to precharge
			"wtrs_ck",       // end of a write to a read
			"wtrl_ck",       // the same in a group
			"cl_ck",         // read to data
			"cwl_ck",        // write to data
			"mode_extra_ck", // PREMR to an activation, beyond rp_ck
			"fence_ck",      // FENCE to any command
			"rfc_ck",        // REFab to an activation or REFab
			"refi_ck",       // a refresh request to the next; 0: never
		},
		Rules:    func(t Timing) Book { return hbmRules(t, values["reg_access"], values["pim_turnaround"]) },
		Limits:   hbmLimits,
		Buses:    RowAndColumn,
		Switches: hbmSwitches,
		Kept:     7, // six of modes and registers (7bvcxz/PIMsim, commit 5abe9cd), and that of stored sums before them
		variant:  hbmVariant,
		// Eight refreshes may be postponed (JESD235, REFRESH command).
		Refresh: &Refresh{Close: hbmPREA, Do: hbmREF, Queue: 8, Postponed: true, Reopen: hbmACTAB},
		Modes:   []string{"SB", "AB"},
		Changes: []Change{
			{From: hbmSB, To: hbmAB, Issue: []Op{hbmACTMR, hbmPREMR}, Row: hbmRowAB, As: hbmACT},
			{From: hbmAB, To: hbmSB, Issue: []Op{hbmACTMR, hbmPREMR}, Row: hbmRowSB, As: hbmACTAB},
		},
		Explicit: true,
		Banks:    &BankSpec{Groups: 4, PerGroup: 4, Open: hbmACT, Close: hbmPRE, OpenAll: hbmACTAB, CloseAll: hbmPREA},
	}
}

func hbmRules(t Timing, registers, turn string) Book {
	ops := func(o ...Op) []Op { return o }
	var (
		rows    = ops(hbmACT, hbmPRE, hbmPREA, hbmACTAB, hbmACTMR, hbmPREMR, hbmACTSB, hbmREF)
		all     = append(ops(hbmRD, hbmWR, hbmRDAB, hbmWRAB, hbmWRREG, hbmFENCE, hbmRDSB), rows...)
		opens   = ops(hbmACT, hbmACTAB, hbmACTMR, hbmACTSB)
		allRows = ops(hbmACTAB, hbmACTMR)
		written = t["cwl_ck"] + t["bl_ck"]
		// 2 is a bubble between data of two directions (JESD235).
		turned           = t["cl_ck"] + t["bl_ck"] + 2 - t["cwl_ck"]
		readWrite, wrote = turned, written + t["wtrl_ck"]
	)
	if turn == "column" {
		readWrite, wrote = t["ccdab_ck"], t["ccdab_ck"]
	}
	b := Book{
		Rules: []Rule{
			// All banks.
			{Name: "tRCDRD AB", After: allRows, Before: ops(hbmRDAB), Wait: t["rcdrd_ck"]},
			{Name: "tRCDWR AB", After: allRows, Before: ops(hbmWRAB), Wait: t["rcdwr_ck"]},
			{Name: "tCCDAB reads", After: ops(hbmRDAB), Before: ops(hbmRDAB), Wait: t["ccdab_ck"]},
			{Name: "tCCDAB writes", After: ops(hbmWRAB), Before: ops(hbmWRAB), Wait: t["ccdab_ck"]},
			{Name: "tRTW AB", After: ops(hbmRDAB), Before: ops(hbmWRAB), Wait: readWrite},
			{Name: "tWTR AB", After: ops(hbmWRAB), Before: ops(hbmRDAB), Wait: wrote},
			{Name: "tRTP AB", After: ops(hbmRDAB), Before: ops(hbmPREA, hbmPREMR), Wait: t["rtpl_ck"]},
			{Name: "tWR AB", After: ops(hbmWRAB), Before: ops(hbmPREA, hbmPREMR), Wait: written + t["wr_ck"]},
			{Name: "tRAS AB", After: allRows, Before: ops(hbmPREA, hbmPREMR, hbmPRE), Wait: t["ras_ck"]},
			{Name: "tRC AB", After: allRows, Before: opens, Wait: t["rc_ck"]},
			{Name: "tRC to AB", After: ops(hbmACT), Before: allRows, Wait: t["rc_ck"]},
			{Name: "tRP AB", After: ops(hbmPREA), Before: append(ops(hbmREF), opens...), Wait: t["rp_ck"]},
			{Name: "tRP to AB", After: ops(hbmPRE), Before: append(ops(hbmREF), allRows...), Wait: t["rp_ck"]},
			{Name: "mode change", After: ops(hbmPREMR), Before: opens, Wait: t["rp_ck"] + t["mode_extra_ck"]},
			{Name: "tRP after a mode change", After: ops(hbmPREMR), Before: ops(hbmREF), Wait: t["rp_ck"]},
			{Name: "row bus", After: opens, Before: rows, Wait: 2}, // an activation has two halves (JESD235)
			{Name: "fence", After: ops(hbmFENCE), Before: all, Wait: t["fence_ck"]},
			{Name: "tRFC", After: ops(hbmREF), Before: append(ops(hbmREF), opens...), Wait: t["rfc_ck"]},
			// Single banks in turn.
			{Name: "tRRDS in turn", After: ops(hbmACTSB), Before: ops(hbmACTSB), Wait: t["rrds_ck"]},
			{Name: "tFAW in turn", After: ops(hbmACTSB), Before: ops(hbmACTSB), Wait: t["faw_ck"], Window: 4},
			{Name: "tRC in turn", After: ops(hbmACTSB), Before: append(ops(hbmACT), allRows...), Wait: t["rc_ck"]},
			{Name: "tRCDRD in turn", After: ops(hbmACTSB), Before: ops(hbmRDSB), Wait: t["rcdrd_ck"]},
			{Name: "tCCDS in turn", After: ops(hbmRDSB), Before: ops(hbmRDSB), Wait: max(t["bl_ck"], t["ccds_ck"])},
			{Name: "tRAS in turn", After: ops(hbmACTSB), Before: ops(hbmPREA, hbmPREMR), Wait: t["ras_ck"]},
			{Name: "tRTP in turn", After: ops(hbmRDSB), Before: ops(hbmPREA, hbmPREMR), Wait: t["rtpl_ck"]},
			// Single banks.
			{Name: "tRRDS", After: ops(hbmACT), Before: ops(hbmACT), Wait: t["rrds_ck"]},
			{Name: "tRRDL", Level: GroupLevel, After: ops(hbmACT), Before: ops(hbmACT), Wait: t["rrdl_ck"]},
			{Name: "tFAW", After: ops(hbmACT), Before: ops(hbmACT), Wait: t["faw_ck"], Window: 4},
			{Name: "tCCDS reads", After: ops(hbmRD), Before: ops(hbmRD), Wait: max(t["bl_ck"], t["ccds_ck"])},
			{Name: "tCCDS writes", After: ops(hbmWR), Before: ops(hbmWR), Wait: max(t["bl_ck"], t["ccds_ck"])},
			{Name: "tCCDL reads", Level: GroupLevel, After: ops(hbmRD), Before: ops(hbmRD), Wait: t["ccdl_ck"]},
			{Name: "tCCDL writes", Level: GroupLevel, After: ops(hbmWR), Before: ops(hbmWR), Wait: t["ccdl_ck"]},
			{Name: "tRTW", After: ops(hbmRD), Before: ops(hbmWR), Wait: turned},
			{Name: "tWTRS", After: ops(hbmWR), Before: ops(hbmRD), Wait: written + t["wtrs_ck"]},
			{Name: "tWTRL", Level: GroupLevel, After: ops(hbmWR), Before: ops(hbmRD), Wait: written + t["wtrl_ck"]},
			{Name: "tRC", Level: BankLevel, After: ops(hbmACT), Before: ops(hbmACT), Wait: t["rc_ck"]},
			{Name: "tRCDRD", Level: BankLevel, After: ops(hbmACT), Before: ops(hbmRD), Wait: t["rcdrd_ck"]},
			{Name: "tRCDWR", Level: BankLevel, After: ops(hbmACT), Before: ops(hbmWR), Wait: t["rcdwr_ck"]},
			{Name: "tRAS", Level: BankLevel, After: ops(hbmACT), Before: ops(hbmPRE), Wait: t["ras_ck"]},
			{Name: "tRTP", Level: BankLevel, After: ops(hbmRD), Before: ops(hbmPRE), Wait: t["rtpl_ck"]},
			{Name: "tWR", Level: BankLevel, After: ops(hbmWR), Before: ops(hbmPRE), Wait: written + t["wr_ck"]},
			{Name: "tRP", Level: BankLevel, After: ops(hbmPRE), Before: ops(hbmACT), Wait: t["rp_ck"]},
			{Name: "tRAS to PREA", After: ops(hbmACT), Before: ops(hbmPREA, hbmPREMR), Wait: t["ras_ck"]},
			{Name: "tRTP to PREA", After: ops(hbmRD), Before: ops(hbmPREA, hbmPREMR), Wait: t["rtpl_ck"]},
			{Name: "tWR to PREA", After: ops(hbmWR), Before: ops(hbmPREA, hbmPREMR), Wait: written + t["wr_ck"]},
		},
		Result:   map[Op]int64{hbmRD: t["cl_ck"] + t["bl_ck"], hbmRDSB: t["cl_ck"] + t["bl_ck"]},
		Interval: t["refi_ck"],
	}
	if registers == "free-bus" {
		b.Rules = append(b.Rules, Rule{Name: "register writes", After: ops(hbmWRREG), Before: ops(hbmWRREG), Wait: t["bl_ck"]})
	} else {
		b.Rules = append(b.Rules, Rule{Name: "register write", After: ops(hbmWRREG), Before: ops(hbmRDAB, hbmWRAB, hbmWRREG), Wait: t["ccdab_ck"]})
	}
	return b
}
