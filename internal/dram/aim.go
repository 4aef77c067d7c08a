package dram

// The commands of the standard aim, in the order of its Ops.
const (
	aimACT Op = iota
	aimPREA
	aimPRE
	aimRD
	aimWR
	aimACT16
	aimMAC
	aimMAC16
	aimAF16
	aimEWMUL16
	aimRDCP
	aimWRCP
	aimWRGB
	aimRDMAC16
	aimRDAF16
	aimWRMAC16
	aimWRA16
	aimTMOD
	aimREF
)

// The modes of the standard aim, in the order of its Modes.
const (
	aimMemory   Mode = iota // commands on rows
	aimRegister             // accesses to the global buffer and the MAC registers
)

// aim is SK hynix's GDDR6-AiM as in the published simulator (aim_simulator, commit 0f28a07,
// device GDDR6_AiM, preset GDDR6_AiM_timing), with its omissions: no tFAW; no wait but the
// change of mode between a write to the global buffer or the MAC registers and the
// computation; no wait from a MAC to a write. Commands whose names end in 16 act on all banks.
//
// The preset has a refresh that the simulator never issues, since its manager finds no rank.
// Package aimhost serves none either; a Channel serves it at a PREA, as for newton.
var aim = &Standard{
	Name: "aim",
	Ops: []OpSpec{
		aimACT:     {Name: "ACT", Bank: true, Opens: true, Modes: In(aimMemory)},
		aimPREA:    {Name: "PREA", Closes: true, Yields: true, Modes: In(aimMemory)},
		aimPRE:     {Name: "PRE", Bank: true, Closes: true, Modes: In(aimMemory)},
		aimRD:      {Name: "RD", Bank: true, Row: true, Modes: In(aimMemory)},
		aimWR:      {Name: "WR", Bank: true, Row: true, Modes: In(aimMemory)},
		aimACT16:   {Name: "ACT16", Opens: true, Modes: In(aimMemory)},
		aimMAC:     {Name: "MAC", Bank: true, Row: true, Modes: In(aimMemory)},
		aimMAC16:   {Name: "MAC16", Row: true, Modes: In(aimMemory)},
		aimAF16:    {Name: "AF16", Row: true, Modes: In(aimMemory)}, // its row is a table of the function
		aimEWMUL16: {Name: "EWMUL16", Row: true, Modes: In(aimMemory)},
		aimRDCP:    {Name: "RDCP", Bank: true, Row: true, Modes: In(aimMemory)}, // bank to global buffer
		aimWRCP:    {Name: "WRCP", Bank: true, Row: true, Modes: In(aimMemory)}, // global buffer to bank
		aimWRGB:    {Name: "WRGB", Modes: In(aimRegister)},
		aimRDMAC16: {Name: "RDMAC16", Modes: In(aimRegister), Blocks: true},
		aimRDAF16:  {Name: "RDAF16", Modes: In(aimRegister), Blocks: true},
		aimWRMAC16: {Name: "WRMAC16", Modes: In(aimRegister)},
		aimWRA16:   {Name: "WRA16", Row: true, Closes: true, Modes: In(aimMemory)},
		aimTMOD:    {Name: "TMOD"},
		aimREF:     {Name: "REFab", Modes: In(aimMemory)},
	},
	Timing: []string{
		"bl_ck",       // data on the bus
		"ccds_ck",     // an access to the next
		"ccdl_ck",     // the same in a group
		"rcdrd_ck",    // activation to RD
		"rcdrdmac_ck", // … to MAC and MAC16
		"rcdewmul_ck", // … to EWMUL16
		"rcdrdaf_ck",  // … to AF16
		"rcdrdcp_ck",  // … to RDCP
		"rcdwr_ck",    // … to WR and WRA16
		"rcdwrcp_ck",  // … to WRCP
		"rp_ck",       // precharge to activation
		"ras_ck",      // activation to precharge
		"rc_ck",       // activation to activation of a bank
		"rrds_ck",     // ACT to ACT of another bank
		"rrdl_ck",     // the same in a group
		"wr_ck",       // end of a write to precharge
		"rtp_ck",      // read to precharge
		"wtrs_ck",     // end of a write to a read
		"wtrl_ck",     // the same in a group
		"cl_ck",       // RD to data
		"cwl_ck",      // WR to data
		"clreg_ck",    // RDMAC16 and RDAF16 to data
		"cwlreg_ck",   // WRMAC16 to data
		"cwlgb_ck",    // WRGB to data
		"wpre_ck",     // turning the bus around
		"modch_ck",    // TMOD to any command
		"rfc_ck",      // REFab to an activation or REFab
		"refi_ck",     // a refresh request to the next; 0: never
	},
	Rules:  aimRules,
	Limits: aimLimits,
	// Eight refreshes may be postponed (JESD79-4, Refresh Command), estimated for GDDR6.
	Refresh: &Refresh{Close: aimPREA, Do: aimREF, Queue: 8},
	Banks:   &BankSpec{Groups: 4, PerGroup: 4, Open: aimACT, Close: aimPRE, OpenAll: aimACT16, CloseAll: aimPREA},
	Modes:   []string{"memory", "register"},
	Changes: []Change{
		{From: aimMemory, To: aimRegister, Issue: []Op{aimTMOD}, Wait: "modch_ck"},
		{From: aimRegister, To: aimMemory, Issue: []Op{aimTMOD}, Wait: "modch_ck"},
	},
}

// aimRules follows the tables of the device, with rules that no instruction can meet: an
// activation of all banks waits rc after another, though a precharge always lies between.
func aimRules(t Timing) Book {
	return aimBook(t, &aimNumbers{
		column: max(t["bl_ck"], t["ccds_ck"], t["ccdl_ck"]), rcdrd: t["rcdrd_ck"], rcdwr: t["rcdwr_ck"], rrds: t["rrds_ck"], rrdl: t["rrdl_ck"],
		rp: t["rp_ck"], rpAll: t["rp_ck"],
		turn: 3 + t["wpre_ck"], // 3 is a bubble of the published rules
		one:  []Op{aimPRE}, all: []Op{aimPREA},
	})
}

// aimNumbers are what the standards of AiM have by other names, or as one number instead of two.
type aimNumbers struct {
	column       int64 // an access of a row to the next
	rcdrd, rcdwr int64
	rrds, rrdl   int64
	rp, rpAll    int64 // of one bank, of all
	turn         int64 // cycles of the data bus between a read and a write
	registers    bool  // transfers of registers have waits of their own
	one, all     []Op  // precharges that wait like an activation after another
}

// aimBook are the rules that the standards of AiM share.
func aimBook(t Timing, k *aimNumbers) Book {
	ops := func(o ...Op) []Op { return o }
	var (
		column  = k.column
		readers = ops(aimRD, aimMAC, aimMAC16, aimRDCP, aimRDMAC16, aimRDAF16)
		banked  = ops(aimWR, aimWRCP, aimWRMAC16, aimWRA16)
		writers = append(ops(aimWRGB), banked...)
		regRead = ops(aimRDMAC16, aimRDAF16)
		busRead = append(ops(aimRD), regRead...)
		// Accesses that wait for the last of a row, and of registers where these have their own wait.
		fromReads, fromWrites = readers, writers
		turn                  = t["bl_ck"] + k.turn
		written               = t["cwl_ck"] + t["bl_ck"]
	)
	if k.registers {
		fromReads, fromWrites = ops(aimRD, aimMAC, aimMAC16, aimRDCP), ops(aimWR, aimWRCP, aimWRA16)
	}
	return Book{
		Rules: []Rule{
			// Accesses, one after the other.
			{Name: "tCCD reads", After: fromReads, Before: append(ops(aimEWMUL16), readers...), Wait: column},
			{Name: "tCCD writes", After: fromWrites, Before: writers, Wait: column},
			{Name: "tCCD write to EWMUL", After: banked, Before: ops(aimEWMUL16), Wait: column},
			{Name: "tCCD from EWMUL", After: ops(aimEWMUL16), Before: append(append(ops(aimEWMUL16), readers...), banked...), Wait: column},
			{Name: "tCCDL reads", Level: GroupLevel, After: ops(aimRD, aimMAC, aimRDCP), Before: ops(aimRD, aimMAC, aimRDCP), Wait: column},
			{Name: "tCCDL writes", Level: GroupLevel, After: ops(aimWR, aimWRCP), Before: ops(aimWR, aimWRCP), Wait: column},
			// Read to write.
			{Name: "tRTW RD to WR", After: ops(aimRD), Before: ops(aimWR, aimWRA16), Wait: t["cl_ck"] + turn - t["cwl_ck"]},
			{Name: "tRTW RD to WRGB", After: ops(aimRD), Before: ops(aimWRGB), Wait: t["cl_ck"] + turn - t["cwlgb_ck"]},
			{Name: "tRTW RD to WRMAC", After: ops(aimRD), Before: ops(aimWRMAC16), Wait: t["cl_ck"] + turn - t["cwlreg_ck"]},
			{Name: "tRTW register to WR", After: regRead, Before: ops(aimWR, aimWRA16), Wait: t["clreg_ck"] + turn - t["cwl_ck"]},
			{Name: "tRTW register to WRGB", After: regRead, Before: ops(aimWRGB), Wait: t["clreg_ck"] + turn - t["cwlgb_ck"]},
			{Name: "tRTW registers", After: regRead, Before: ops(aimWRMAC16), Wait: t["clreg_ck"] + turn - t["cwlreg_ck"]},
			// Write to read.
			{Name: "tWTRS", After: ops(aimWR), Before: ops(aimRD), Wait: written + t["wtrs_ck"]},
			{Name: "tWTRL", Level: GroupLevel, After: ops(aimWR), Before: ops(aimRD), Wait: written + t["wtrl_ck"]},
			{Name: "tWTRL WR to register", After: ops(aimWR), Before: regRead, Wait: written + t["wtrl_ck"]},
			{Name: "tWTRL WRA", After: ops(aimWRA16), Before: busRead, Wait: written + t["wtrl_ck"]},
			{Name: "tWTRS WRGB", After: ops(aimWRGB), Before: busRead, Wait: t["cwlgb_ck"] + t["bl_ck"] + t["wtrs_ck"]},
			{Name: "tWTRL WRMAC", After: ops(aimWRMAC16), Before: busRead, Wait: t["cwlreg_ck"] + t["bl_ck"] + t["wtrl_ck"]},
			// Activation to activation.
			{Name: "tRRDS", After: ops(aimACT), Before: ops(aimACT), Wait: k.rrds},
			{Name: "tRRDL", Level: GroupLevel, After: ops(aimACT), Before: ops(aimACT), Wait: k.rrdl},
			{Name: "tRC", Level: BankLevel, After: ops(aimACT), Before: ops(aimACT), Wait: t["rc_ck"]},
			{Name: "tRC to ACT16", After: ops(aimACT), Before: ops(aimACT16), Wait: t["rc_ck"]},
			{Name: "tRC from ACT16", After: ops(aimACT16), Before: ops(aimACT, aimACT16), Wait: t["rc_ck"]},
			// Activation to access.
			{Name: "tRCDRD after ACT16", After: ops(aimACT16), Before: ops(aimRD), Wait: k.rcdrd},
			{Name: "tRCDWR after ACT16", After: ops(aimACT16), Before: ops(aimWR), Wait: k.rcdwr},
			{Name: "tRCDRDMAC after ACT16", After: ops(aimACT16), Before: ops(aimMAC), Wait: t["rcdrdmac_ck"]},
			{Name: "tRCDRDCP after ACT16", After: ops(aimACT16), Before: ops(aimRDCP), Wait: t["rcdrdcp_ck"]},
			{Name: "tRCDWRCP after ACT16", After: ops(aimACT16), Before: ops(aimWRCP), Wait: t["rcdwrcp_ck"]},
			{Name: "tRCDRD", Level: BankLevel, After: ops(aimACT), Before: ops(aimRD), Wait: k.rcdrd},
			{Name: "tRCDWR", Level: BankLevel, After: ops(aimACT), Before: ops(aimWR), Wait: k.rcdwr},
			{Name: "tRCDRDMAC", Level: BankLevel, After: ops(aimACT), Before: ops(aimMAC), Wait: t["rcdrdmac_ck"]},
			{Name: "tRCDRDCP", Level: BankLevel, After: ops(aimACT), Before: ops(aimRDCP), Wait: t["rcdrdcp_ck"]},
			{Name: "tRCDWRCP", Level: BankLevel, After: ops(aimACT), Before: ops(aimWRCP), Wait: t["rcdwrcp_ck"]},
			{Name: "tRCDRDMAC of all banks", After: ops(aimACT, aimACT16), Before: ops(aimMAC16), Wait: t["rcdrdmac_ck"]},
			{Name: "tRCDRDAF", After: ops(aimACT, aimACT16), Before: ops(aimAF16), Wait: t["rcdrdaf_ck"]},
			{Name: "tRCDEWMUL", After: ops(aimACT, aimACT16), Before: ops(aimEWMUL16), Wait: t["rcdewmul_ck"]},
			{Name: "tRCDWR of all banks", After: ops(aimACT, aimACT16), Before: ops(aimWRA16), Wait: k.rcdwr},
			// To precharge.
			{Name: "tRAS to PREA", After: ops(aimACT, aimACT16), Before: ops(aimPREA), Wait: t["ras_ck"]},
			{Name: "tRAS of all banks", After: ops(aimACT16), Before: ops(aimPRE), Wait: t["ras_ck"]},
			{Name: "tRAS", Level: BankLevel, After: ops(aimACT), Before: ops(aimPRE), Wait: t["ras_ck"]},
			{Name: "tRTP to PREA", After: ops(aimRD, aimMAC, aimMAC16, aimAF16, aimRDCP), Before: ops(aimPREA), Wait: t["rtp_ck"]},
			{Name: "tRTP of all banks", After: ops(aimMAC16, aimAF16), Before: ops(aimPRE), Wait: t["rtp_ck"]},
			{Name: "tRTP", Level: BankLevel, After: ops(aimRD, aimMAC, aimRDCP), Before: ops(aimPRE), Wait: t["rtp_ck"]},
			{Name: "tWR to PREA", After: ops(aimWR, aimWRCP), Before: ops(aimPREA), Wait: written + t["wr_ck"]},
			{Name: "tWR", Level: BankLevel, After: ops(aimWR, aimWRCP), Before: ops(aimPRE), Wait: written + t["wr_ck"]},
			{Name: "tWR EWMUL", After: ops(aimEWMUL16), Before: ops(aimPREA, aimPRE), Wait: t["cwl_ck"] + t["wr_ck"]}, // no burst
			// From precharge.
			{Name: "tRP of all banks", After: ops(aimPREA), Before: append(append(ops(aimACT, aimACT16), k.one...), k.all...), Wait: k.rpAll},
			{Name: "tRP to all banks", After: ops(aimPRE), Before: append(ops(aimACT16), k.all...), Wait: k.rp},
			{Name: "tRP", Level: BankLevel, After: ops(aimPRE), Before: ops(aimACT, aimPRE), Wait: k.rp},
			{Name: "tRP after WRA", After: ops(aimWRA16), Before: ops(aimACT, aimACT16), Wait: written + t["wr_ck"] + k.rpAll},
			// Refresh: between rules that all other devices of the simulator have too.
			{Name: "tRP to REF", After: ops(aimPREA, aimPRE), Before: ops(aimREF), Wait: k.rp},
			{Name: "tRP after WRA to REF", After: ops(aimWRA16), Before: ops(aimREF), Wait: written + t["wr_ck"] + k.rpAll},
			{Name: "tRFC", After: ops(aimREF), Before: ops(aimACT, aimACT16, aimREF), Wait: t["rfc_ck"]},
		},
		Result: map[Op]int64{
			aimRD: t["cl_ck"] + t["bl_ck"], aimWR: written, aimWRA16: written + k.rpAll,
			aimWRGB: t["cwlgb_ck"] + t["bl_ck"], aimWRMAC16: t["cwlreg_ck"] + t["bl_ck"],
			aimRDMAC16: t["clreg_ck"] + t["bl_ck"], aimRDAF16: t["clreg_ck"] + t["bl_ck"],
			aimMAC: 1, aimMAC16: 1, aimAF16: 1, aimEWMUL16: 1, aimRDCP: 1, aimWRCP: 1,
		},
		Interval: t["refi_ck"],
	}
}
