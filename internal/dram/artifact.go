package dram

// The commands of the standard artifact, in the order of its Ops.
const (
	artGWRITE Op = iota
	artGACT0
	artGACT1
	artGACT2
	artGACT3
	artCOMP
	artREADRES
	artPREA
	artREF
)

// artifact is GDDR6 with Newton's commands as in PIMFlow's published simulator
// (PIMFlow_ramulator, branch 2023cgo-artifact, src/GDDR6.cpp and src/Controller.cpp,
// configs/GDDR6-config.cfg), with its omissions: an activation waits neither for a precharge
// nor for tRC, except by two parameters that are 0 there; tFAW holds only inside a group of
// four activations; a COMP needs no open row; a refresh waits for a READRES.
var artifact = &Standard{
	Name: "artifact",
	Ops: []OpSpec{
		artGWRITE:  {Name: "GWRITE"},
		artGACT0:   {Name: "G_ACT0", Opens: true},
		artGACT1:   {Name: "G_ACT1", Opens: true},
		artGACT2:   {Name: "G_ACT2", Opens: true},
		artGACT3:   {Name: "G_ACT3", Opens: true},
		artCOMP:    {Name: "COMP"},
		artREADRES: {Name: "READRES", Yields: true},
		artPREA:    {Name: "PREA", Closes: true},
		artREF:     {Name: "REF"},
	},
	Timing: []string{
		"ccds_ck",             // COMP to COMP
		"rcdr_ck",             // G_ACT to COMP
		"rp_ck",               // PREA to the next activation or REF
		"rc_ck",               // part of GWRITE to COMP
		"faw_ck",              // a G_ACT to the next of its group
		"cl_ck",               // READRES to data
		"bl_ck",               // data on the bus
		"refi_ck",             // a refresh request to the next; 0: never
		"rfc_ck",              // REF to the next activation or REF
		"gwrite_gap_ck",       // GWRITE to GWRITE or G_ACT: 1 with latency hiding, 64 (32 column writes) without
		"gwrite_act_extra_ck", // GWRITE to COMP beyond rc_ck
		"readres_gwrite_ck",   // READRES to GWRITE
		"comp_act_ck",         // COMP to the next group's first activation, for precharging: 0 as published
		"act_act_ck",          // an activation of a bank to its next: 0 as published
	},
	Limits: artifactLimits,
	Rules: func(t Timing) Book {
		acts := []Op{artGACT0, artGACT1, artGACT2, artGACT3}
		return Book{
			Rules: []Rule{
				{Name: "GWRITE gap", After: []Op{artGWRITE}, Before: []Op{artGWRITE}, Wait: t["gwrite_gap_ck"]},
				{Name: "GWRITE to activation", After: []Op{artGWRITE}, Before: acts, Wait: t["gwrite_gap_ck"]},
				{Name: "GWRITE to COMP", After: []Op{artGWRITE}, Before: []Op{artCOMP}, Wait: t["rc_ck"] + t["gwrite_act_extra_ck"]},
				{Name: "tFAW", After: []Op{artGACT0}, Before: []Op{artGACT1}, Wait: t["faw_ck"]},
				{Name: "tFAW", After: []Op{artGACT1}, Before: []Op{artGACT2}, Wait: t["faw_ck"]},
				{Name: "tFAW", After: []Op{artGACT2}, Before: []Op{artGACT3}, Wait: t["faw_ck"]},
				{Name: "tRCDR", After: acts, Before: []Op{artCOMP}, Wait: t["rcdr_ck"]},
				{Name: "tCCD", After: []Op{artCOMP}, Before: []Op{artCOMP}, Wait: t["ccds_ck"]},
				{Name: "READRES to GWRITE", After: []Op{artREADRES}, Before: []Op{artGWRITE}, Wait: t["readres_gwrite_ck"]},
				{Name: "COMP to activation", After: []Op{artCOMP}, Before: []Op{artGACT0}, Wait: t["comp_act_ck"]},
				{Name: "activation to activation", After: []Op{artGACT0}, Before: []Op{artGACT0}, Wait: t["act_act_ck"]},
				{Name: "activation to activation", After: []Op{artGACT1}, Before: []Op{artGACT1}, Wait: t["act_act_ck"]},
				{Name: "activation to activation", After: []Op{artGACT2}, Before: []Op{artGACT2}, Wait: t["act_act_ck"]},
				{Name: "activation to activation", After: []Op{artGACT3}, Before: []Op{artGACT3}, Wait: t["act_act_ck"]},
				{Name: "tRP", After: []Op{artPREA}, Before: []Op{artGACT0, artREF}, Wait: t["rp_ck"]},
				{Name: "tRFC", After: []Op{artREF}, Before: []Op{artGACT0, artREF}, Wait: t["rfc_ck"]},
			},
			Result:   map[Op]int64{artREADRES: t["cl_ck"] + t["bl_ck"]},
			Interval: t["refi_ck"],
		}
	},
	Refresh: &Refresh{Close: artPREA, Do: artREF, Queue: 32},
}
