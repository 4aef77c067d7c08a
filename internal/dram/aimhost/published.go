package aimhost

import (
	"slices"

	"pimflow/internal/dram"
)

// Published is the device of aim_simulator (commit 0f28a07) that a standard is made after, where the
// two differ: the rules and timings that its results need, slips included.
type Published struct {
	Standard *dram.Standard
	Timing   dram.Timing // ticks

	dark dram.Op // counts as closing all banks, and closes none
}

// devices are the published devices that differ from the standard made after them, by its name.
var devices = map[string]func(*dram.Standard) *Published{"lpddr5-aim": lpddr5}

// PublishedOf is the published device of a standard; nil: it has the rules and timings of the machine.
func PublishedOf(std *dram.Standard) *Published {
	if of := devices[std.Name]; of != nil {
		return of(std)
	}
	return nil
}

// lpddr5 is the device LPDDR5_AiM (organisation LPDDR5_AiM_org, timing LPDDR5_AiM_timing). Against the
// standard: a write to all banks neither needs nor changes rows; a precharge waits for the reads of
// its group, not of its bank; tRC is less than tRAS; a burst takes 4 ticks, as long as two; there is
// neither tFAW nor tPPD; the data clock stops with the data, and is started at once and again
// (dram.Banks.Eager); many delays are GDDR6's numbers, in ticks of 2.5 times the length. Its
// controllers serve a refresh when it is due, before all but accesses to open rows. They read its
// numbers from outside of a table: both come from whoever asks.
func lpddr5(std *dram.Standard) *Published {
	device := *std
	write := std.Op("WRA16")
	device.Ops = slices.Clone(std.Ops)
	device.Ops[write].Row, device.Ops[write].Closes = false, false
	device.Rules = func(t dram.Timing) dram.Book {
		b := std.Rules(t)
		b.Rules = append(b.Rules, dram.Rule{
			Name: "tRTP in a group", Level: dram.GroupLevel, Wait: t["rtp_ck"],
			After: []dram.Op{std.Op("RD"), std.Op("MAC"), std.Op("RDCP")}, Before: []dram.Op{std.Op("PRE")},
		})
		return b
	}
	return &Published{
		Standard: &device, dark: write,
		Timing: dram.Timing{
			"bl_ck": 4, "ccds_ck": 4, "cl_ck": 20, "cwl_ck": 11, "clreg_ck": 0, "cwlreg_ck": 1, "cwlgb_ck": 1, "wckpst_ck": 0,
			"rcd_ck": 15, "rcdrdmac_ck": 56, "rcdewmul_ck": 25, "rcdrdaf_ck": 86, "rcdrdcp_ck": 66, "rcdwrcp_ck": 48,
			"ras_ck": 34, "rc_ck": 30, "rppb_ck": 15, "rpab_ck": 17, "ppd_ck": 0, "rrd_ck": 4, "faw_ck": 0,
			"wr_ck": 28, "rtp_ck": 4, "wtrs_ck": 5, "wtrl_ck": 10, "modch_ck": 32, "refi_ck": 0, "rfc_ck": 0,
		},
	}
}

// Host returns a host of all channels of the device, refreshed every refi ticks for rfc ticks; refi 0:
// never. The error names the number that does not fit.
func (p *Published) Host(refi, rfc int64) (*Host, error) {
	timing := dram.Timing{}
	for name, v := range p.Timing {
		timing[name] = v
	}
	timing["refi_ck"], timing["rfc_ck"] = refi, rfc
	c, err := p.Standard.New(timing)
	if err != nil {
		return nil, err
	}
	h, err := New(c, MaxChannels)
	if err != nil {
		return nil, err
	}
	first := h.classes[0]
	first.device = p
	first.banks.Eager()
	first.refi = dram.Cycle(refi)
	return h, nil
}
