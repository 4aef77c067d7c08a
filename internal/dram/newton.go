package dram

// The commands of the standard newton, in the order of its Ops. Each buffer has its own
// GWRITE and COMP, and each quarter of the banks its own G_ACT.
const (
	newGWRITE0 Op = iota
	newGWRITE1
	newGWRITE2
	newGWRITE3
	newGACT0
	newGACT1
	newGACT2
	newGACT3
	newCOMP0
	newCOMP1
	newCOMP2
	newCOMP3
	newREADRES
	newPREA
	newREF
)

// newton is GDDR6 with Newton's commands (He et al., MICRO 2020) and the DRAM rules that
// PIMFlow's published simulator omits. A GWRITE moves one column, the inputs of one column
// access, over the data bus into one of four buffers. A row is closed before the next is
// opened. Refreshes are served at a PREA, so that no row is used after one. Column commands
// have the rules of Ramulator's GDDR6 for reads (READRES) and writes (GWRITE) over the bus
// (PIMFlow_ramulator, src/GDDR6.cpp). READRES and COMP have the rules of RDMAC16 and MAC16 in
// aim_simulator (GDDR6_AiM).
var newton = &Standard{
	Name: "newton",
	Ops: []OpSpec{
		newGWRITE0: {Name: "GWRITE0"},
		newGWRITE1: {Name: "GWRITE1"},
		newGWRITE2: {Name: "GWRITE2"},
		newGWRITE3: {Name: "GWRITE3"},
		newGACT0:   {Name: "G_ACT0", Opens: true},
		newGACT1:   {Name: "G_ACT1", Opens: true},
		newGACT2:   {Name: "G_ACT2", Opens: true},
		newGACT3:   {Name: "G_ACT3", Opens: true},
		newCOMP0:   {Name: "COMP0", Row: true},
		newCOMP1:   {Name: "COMP1", Row: true},
		newCOMP2:   {Name: "COMP2", Row: true},
		newCOMP3:   {Name: "COMP3", Row: true},
		newREADRES: {Name: "READRES"},
		newPREA:    {Name: "PREA", Closes: true, Yields: true},
		newREF:     {Name: "REF"},
	},
	Timing: []string{
		"bl_ck",   // a column on the data bus
		"ccds_ck", // a column command to the next
		"cl_ck",   // READRES to its data
		"cwl_ck",  // GWRITE to its data
		"wtr_ck",  // the end of written data to a read
		"rtw_ck",  // the bus, turned from reading to writing
		"rcdr_ck", // G_ACT to COMP
		"ras_ck",  // G_ACT to PREA
		"rc_ck",   // G_ACT to the next of its banks
		"rrd_ck",  // G_ACT to any other
		"faw_ck",  // four activations to four more: a G_ACT is four
		"rtp_ck",  // COMP to PREA
		"rp_ck",   // PREA to G_ACT or REF
		"rfc_ck",  // REF to G_ACT or REF
		"refi_ck", // a refresh request to the next; 0: never
	},
	Limits: newtonLimits,
	Rules: func(t Timing) Book {
		writes := []Op{newGWRITE0, newGWRITE1, newGWRITE2, newGWRITE3}
		acts := []Op{newGACT0, newGACT1, newGACT2, newGACT3}
		comps := []Op{newCOMP0, newCOMP1, newCOMP2, newCOMP3}
		read, prea, ref := []Op{newREADRES}, []Op{newPREA}, []Op{newREF}
		rules := []Rule{
			{Name: "tCCD writes", After: writes, Before: writes, Wait: max(t["bl_ck"], t["ccds_ck"])},
			{Name: "tCCD reads", After: read, Before: read, Wait: max(t["bl_ck"], t["ccds_ck"])},
			{Name: "tWTR", After: writes, Before: read, Wait: t["cwl_ck"] + t["bl_ck"] + t["wtr_ck"]},
			{Name: "tRTW", After: read, Before: writes, Wait: t["cl_ck"] + t["ccds_ck"] + t["rtw_ck"] - t["cwl_ck"]},
			{Name: "tCCD", After: comps, Before: comps, Wait: t["ccds_ck"]},
			{Name: "tCCD to READRES", After: comps, Before: read, Wait: t["ccds_ck"]},
			{Name: "tCCD from READRES", After: read, Before: comps, Wait: t["ccds_ck"]},
			{Name: "tFAW", After: acts, Before: acts, Wait: max(t["rrd_ck"], t["faw_ck"])},
			{Name: "tRCDR", After: acts, Before: comps, Wait: t["rcdr_ck"]},
			{Name: "tRAS", After: acts, Before: prea, Wait: t["ras_ck"]},
			{Name: "tRTP", After: comps, Before: prea, Wait: t["rtp_ck"]},
			{Name: "tRP", After: prea, Before: append(ref, acts...), Wait: t["rp_ck"]},
			{Name: "tRFC", After: ref, Before: append(ref, acts...), Wait: t["rfc_ck"]},
		}
		for i := range acts {
			rules = append(rules,
				Rule{Name: "tRC", After: acts[i : i+1], Before: acts[i : i+1], Wait: t["rc_ck"]},
				Rule{Name: "buffer written", After: writes[i : i+1], Before: comps[i : i+1], Wait: t["cwl_ck"] + t["bl_ck"]},
				// New data must not arrive in the buffer before the old is multiplied.
				Rule{Name: "buffer read", After: comps[i : i+1], Before: writes[i : i+1], Wait: t["cl_ck"] - t["cwl_ck"]})
		}
		return Book{Rules: rules, Result: map[Op]int64{newREADRES: t["cl_ck"] + t["bl_ck"]}, Interval: t["refi_ck"]}
	},
	// Eight refreshes may be postponed (JESD79-4, Refresh Command), estimated for GDDR6.
	Refresh: &Refresh{Close: newPREA, Do: newREF, Queue: 8},
}
