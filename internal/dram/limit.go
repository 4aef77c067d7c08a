package dram

import "slices"

// Limit is what holds between two numbers of every DRAM of a standard. Both sides are
// formulas (package hw): a name without a dot is a parameter of the standard's timing.
type Limit struct {
	Name  string // by which a machine may waive it
	Left  string
	Is    string // one of Relations
	Right string // "" for a relation of one number
	Why   string // what could not be otherwise
}

// Relations are the values of Limit.Is.
var Relations = []string{"=", ">", ">=", "<=", "a multiple of", "a power of 2", "about"}

// Standards lists the standards, in order.
func Standards() []*Standard { return slices.Clone(standards) }

// gddr6 are the limits of every standard here, of HBM too; each adds those of its own parameters.
var gddr6 = []Limit{
	{"burst", "bl_ck", ">=", "1", "data take time on the bus"},
	{"column cadence", "ccds_ck", ">=", "bl_ck", "a column access moves a whole burst before the next begins"},
	{"read latency", "cl_ck", ">=", "1", "data follow their command"},
	{"precharge", "rp_ck", ">=", "1", "bit lines are charged before a row is opened"},
	{"refresh opens a row", "rfc_ck", ">=", "rc_ck", "a refresh opens rows and closes them"},
	{"refresh ends", "refi_ck", ">", "rfc_ck + rp_ck", "one refresh is over before the next is due, and there is one"},
}

// interval bounds the refresh interval of the standards that have a datasheet.
var interval = Limit{"retention", "refi_ck * pim.clock_ps", "<=", "7800000", "cells are refreshed every 7.8 us or sooner (JESD79-4, tREFI)"}

// newtonLimits are those of GDDR6 with Newton's commands.
var newtonLimits = append(slices.Clone(gddr6), interval,
	Limit{"row cycle", "rc_ck", ">=", "ras_ck + rp_ck - 1", "a row is opened, kept open and closed again; a clock of rounding"},
	Limit{"row open", "ras_ck", ">=", "rcdr_ck + rtp_ck", "a row stays open until its first column is read"},
	Limit{"column access", "rcdr_ck", ">=", "1", "a row is sensed before a column is read"},
	Limit{"four activations", "faw_ck", ">=", "3 * rrd_ck", "four activations have three gaps between them"},
	Limit{"write latency", "cl_ck", ">=", "cwl_ck", "data written arrive no later than data read"},
)

// aimLimits are those of GDDR6-AiM, whose groups and banks are fixed.
var aimLimits = append(slices.Clone(gddr6), interval,
	Limit{"row cycle", "rc_ck", ">=", "ras_ck + rp_ck - 1", "a row is opened, kept open and closed again; a clock of rounding"},
	Limit{"row open", "ras_ck", ">=", "rcdrd_ck + rtp_ck", "a row stays open until its first column is read"},
	Limit{"column access", "rcdrd_ck", ">=", "1", "a row is sensed before a column is read"},
	Limit{"multiply after read", "rcdrdmac_ck", ">=", "rcdrd_ck", "operands are read before they are multiplied"},
	Limit{"cadence in a group", "ccdl_ck", ">=", "ccds_ck", "banks of a group share wires"},
	Limit{"activations in a group", "rrdl_ck", ">=", "rrds_ck", "banks of a group share wires"},
	Limit{"turning in a group", "wtrl_ck", ">=", "wtrs_ck", "banks of a group share wires"},
	Limit{"write latency", "cl_ck", ">=", "cwl_ck", "data written arrive no later than data read"},
	Limit{"banks of the standard", "pim.banks", "=", "16", "GDDR6 has 16 banks (JESD250)"},
	Limit{"groups of the standard", "pim.bank_groups", "=", "4", "GDDR6 has 4 bank groups (JESD250)"},
)

// hbmLimits are those of HBM with units between pairs of banks.
var hbmLimits = append(slices.Clone(gddr6), interval,
	Limit{"row cycle", "rc_ck", ">=", "ras_ck + rp_ck - 1", "a row is opened, kept open and closed again; a clock of rounding"},
	Limit{"row open", "ras_ck", ">=", "rcdrd_ck + rtpl_ck", "a row stays open until its first column is read"},
	Limit{"column access", "rcdrd_ck", ">=", "1", "a row is sensed before a column is read"},
	Limit{"column written", "rcdwr_ck", ">=", "1", "a row is sensed before a column is written"},
	Limit{"cadence in a group", "ccdl_ck", ">=", "ccds_ck", "banks of a group share wires"},
	Limit{"cadence of all banks", "ccdab_ck", ">=", "ccdl_ck", "an access of all banks is one in each group"},
	Limit{"activations in a group", "rrdl_ck", ">=", "rrds_ck", "banks of a group share wires"},
	Limit{"four activations", "faw_ck", ">=", "3 * rrds_ck", "four activations have three gaps between them"},
	Limit{"turning in a group", "wtrl_ck", ">=", "wtrs_ck", "banks of a group share wires"},
	Limit{"write latency", "cl_ck", ">=", "cwl_ck", "data written arrive no later than data read"},
	Limit{"banks of the standard", "pim.banks", "=", "16", "a pseudo-channel has 16 banks (JESD235)"},
	Limit{"groups of the standard", "pim.bank_groups", "=", "4", "a pseudo-channel has 4 bank groups (JESD235)"},
)

// artifactLimits are those of the published simulator's parameters; tRAS is none of them.
var artifactLimits = append(slices.Clone(gddr6),
	Limit{"row cycle", "rc_ck", ">=", "rcdr_ck + rp_ck", "a row is opened, read and closed again"},
	Limit{"column access", "rcdr_ck", ">=", "1", "a row is sensed before a column is read"},
	Limit{"row opened again", "act_act_ck", ">=", "rc_ck", "a bank opens a row no sooner than tRC after the last"},
	Limit{"row closed", "comp_act_ck", ">=", "rp_ck", "a row is closed before another is opened"},
)

// lpddr5Limits are those of LPDDR5, whose groups and banks are fixed too.
var lpddr5Limits = []Limit{
	gddr6[0], gddr6[1], gddr6[2],
	{"precharge", "rppb_ck", ">=", "1", "bit lines are charged before a row is opened"},
	{"precharge of all banks", "rpab_ck", ">=", "rppb_ck", "all banks take no less than one"},
	gddr6[4],
	{"refresh ends", "refi_ck", ">", "rfc_ck + rpab_ck", "one refresh is over before the next is due, and there is one"},
	{"retention", "refi_ck * pim.clock_ps", "<=", "3906000", "cells are refreshed every 3.906 us or sooner (JESD209-5, tREFI)"},
	{"row cycle", "rc_ck", ">=", "ras_ck + rppb_ck - 1", "a row is opened, kept open and closed again; a clock of rounding"},
	{"row open", "ras_ck", ">=", "rcd_ck + rtp_ck", "a row stays open until its first column is read"},
	{"column access", "rcd_ck", ">=", "1", "a row is sensed before a column is read"},
	{"multiply after read", "rcdrdmac_ck", ">=", "rcd_ck", "operands are read before they are multiplied"},
	{"four activations", "faw_ck", ">=", "3 * rrd_ck", "four activations have three gaps between them"},
	{"two steps", "rrd_ck", ">=", "2", "an activation is two commands"},
	{"turning in a group", "wtrl_ck", ">=", "wtrs_ck", "banks of a group share wires"},
	{"write latency", "cl_ck", ">=", "cwl_ck", "data written arrive no later than data read"},
	{"banks of the standard", "pim.banks", "=", "16", "LPDDR5 has 16 banks a channel (JESD209-5)"},
	{"groups of the standard", "pim.bank_groups", "=", "4", "LPDDR5 has 4 bank groups (JESD209-5)"},
}
