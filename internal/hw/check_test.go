package hw

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/dram"
)

// edited is a machine of the program as text, with the numbers of some keys replaced; they no
// longer follow from others, and rules are not asked.
func edited(t *testing.T, name string, change func(m *Machine)) []byte {
	t.Helper()
	m, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	for path := range m.Given {
		if strings.HasPrefix(path, "pim.") || strings.HasPrefix(path, "memory.") {
			delete(m.Given, path)
		}
	}
	change(m)
	var b bytes.Buffer
	if err := m.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestImpossible: memories that no DRAM could be are refused, each in one line with the keys
// and their values.
func TestImpossible(t *testing.T) {
	ck := func(key string, v int64) func(m *Machine) { return func(m *Machine) { m.PIM.Timing[key] = v } }
	for _, c := range []struct {
		machine string
		change  func(m *Machine)
		want    string
	}{
		{"newton", func(m *Machine) { m.PIM.Clock = Period{8000, 7} }, `memory.channel_gb_per_s: 28 about 1000 * pim.column_bytes / pim.clock_ps / pim.timing.bl_ck (pim.column_bytes 32, pim.clock_ps 1142.86, pim.timing.bl_ck 2) wanted, 14: rule "one rate"`}, // as it was
		{"newton", func(m *Machine) { m.Memory.ChannelGBps = 28004 }, `memory.channel_gb_per_s: 28004 about`},
		{"newton", func(m *Machine) { m.Memory.ChannelGBps, m.PIM.Clock = 112, Period{1000, 7} }, `8 * memory.channel_gb_per_s (memory.channel_gb_per_s 112): 896 <= 48 * memory.pins_per_channel (memory.pins_per_channel 16) wanted, 768: rule "pin rate"`},
		{"newton", ck("bl_ck", 4), `memory.channel_gb_per_s: 28 about`},
		{"newton", ck("ras_ck", 250), `pim.timing.rc_ck: 79 >= pim.timing.ras_ck + pim.timing.rp_ck - 1 (pim.timing.ras_ck 250, pim.timing.rp_ck 26) wanted, 275: rule "row cycle"`},
		{"newton", ck("rc_ck", 35), `pim.timing.rc_ck: 35 >= `},
		{"newton", ck("rp_ck", 0), `pim.timing.rp_ck: 0 >= 1 wanted, 1: rule "precharge"`},
		{"newton", ck("ccds_ck", 0), `pim.timing.ccds_ck: 0 >= pim.timing.bl_ck wanted, 2: rule "column cadence"`},
		{"newton", ck("bl_ck", 0), `divides by pim.timing.bl_ck, which is 0`},
		{"newton", ck("cl_ck", 0), `pim.timing.cl_ck: 0 >= 1 wanted, 1: rule "read latency"`},
		{"newton", ck("cl_ck", 13), `pim.timing.cl_ck: 13 >= pim.timing.cwl_ck wanted, 14: rule "write latency"`},
		{"newton", ck("rcdr_ck", 0), `pim.timing.rcdr_ck: 0 >= 1 wanted, 1: rule "column access"`},
		{"newton", ck("rcdr_ck", 50), `pim.timing.ras_ck: 53 >= pim.timing.rcdr_ck + pim.timing.rtp_ck (pim.timing.rcdr_ck 50, pim.timing.rtp_ck 4) wanted, 54: rule "row open"`},
		{"newton", ck("faw_ck", 29), `pim.timing.faw_ck: 29 >= 3 * pim.timing.rrd_ck (pim.timing.rrd_ck 10) wanted, 30: rule "four activations"`},
		{"newton", ck("refi_ck", 0), `pim.timing.refi_ck: 0 > pim.timing.rfc_ck + pim.timing.rp_ck (pim.timing.rfc_ck 184, pim.timing.rp_ck 26) wanted, 210: rule "refresh ends"`},
		{"newton", ck("refi_ck", 184), `rule "refresh ends"`},
		{"newton", ck("refi_ck", 1_000_000), `rule "retention"`},
		{"newton", ck("rfc_ck", 20), `pim.timing.rfc_ck: 20 >= pim.timing.rc_ck wanted, 79: rule "refresh opens a row"`},
		{"newton", func(m *Machine) { m.PIM.Banks = 12 }, `pim.banks: 12 a power of 2 wanted: rule "bank address"`},
		{"newton", func(m *Machine) { m.PIM.Banks = 2 }, `pim.banks: 2 a multiple of pim.bank_groups wanted, 4: rule "whole groups"`},
		{"newton", func(m *Machine) { m.PIM.Groups = 3 }, `pim.banks: 16 a multiple of pim.bank_groups wanted, 3`},
		{"newton", func(m *Machine) { m.PIM.Column = 48 }, `: rule "`}, // 24 lanes
		{"newton", func(m *Machine) { m.PIM.Column = 33 }, `: rule "`},
		{"newton", func(m *Machine) { m.PIM.Row = 2000 }, `pim.row_bytes: 2000 a multiple of pim.column_bytes wanted, 32: rule "whole columns"`},
		{"newton", func(m *Machine) { m.PIM.Row = 96 }, `pim.row_bytes: 96 a power of 2 wanted: rule "column address"`},
		{"newton", func(m *Machine) { m.PIM.Buffer = 1000 }, `pim.buffer_bytes: 1000 a multiple of pim.column_bytes wanted, 32: rule "whole buffer"`},
		{"newton", func(m *Machine) { m.Memory.Pins = 32 }, `8 * pim.column_bytes (pim.column_bytes 32): 256 = memory.pins_per_channel * memory.burst_length (memory.pins_per_channel 32, memory.burst_length 16) wanted, 512: rule "burst and column"`},
		{"newton", func(m *Machine) { m.Memory.Burst = 8 }, `rule "burst and column"`},
		{"newton", func(m *Machine) { m.Memory.Pins, m.Memory.Burst = 8, 32; m.Memory.Burst = 24 }, `: rule "`},
		{"newton", func(m *Machine) { m.PIM.Format = "fp32" }, `memory.bytes_per_element: 2 = pim.real_bytes wanted, 4: rule "element"`},
		{"newton", func(m *Machine) { m.Memory.ElementSize = 4 }, `memory.bytes_per_element: 4 = pim.real_bytes wanted, 2: rule "element"`},
		{"newton", func(m *Machine) { m.PIM.Format = "fp61" }, `pim.number_format: "fp61": one of bf16, fp16, fp32, int8 wanted (did you mean "fp16"?)`},
		{"newton", func(m *Machine) { m.PIM.Standard = "newtoon" }, `pim.standard: DRAM standard "newtoon" is unknown (did you mean "newton"?)`},
		{"newton", func(m *Machine) { delete(m.PIM.Timing, "rrd_ck") }, `pim.timing.rrd_ck: missing`},
		{"newton", func(m *Machine) { m.Waives = map[string]string{"one-rate": "none"} }, `waives: "one-rate": no rule of standard newton (did you mean "one rate"?)`},
		{"newton", func(m *Machine) { m.PIM.Limit = 0.1 }, `pim.power_limit_mw: 0.1: a column access of all banks takes `},
		{"aim", func(m *Machine) { m.PIM.Banks = 8 }, `pim.banks: 8 = 16 wanted, 16: rule "banks of the standard"`},
		{"aim", func(m *Machine) { m.PIM.Groups = 8 }, `pim.bank_groups: 8 = 4 wanted, 4: rule "groups of the standard"`},
		{"aim", ck("rc_ck", 84), `pim.timing.rc_ck: 84 >= `},
		{"aim", ck("ccdl_ck", 1), `pim.timing.ccdl_ck: 1 >= pim.timing.ccds_ck wanted, 2: rule "cadence in a group"`},
		{"aim", ck("rrdl_ck", 4), `rule "activations in a group"`},
		{"aim", ck("wtrl_ck", 8), `rule "turning in a group"`},
		{"aim", ck("rcdrdmac_ck", 30), `pim.timing.rcdrdmac_ck: 30 >= pim.timing.rcdrd_ck wanted, 36: rule "multiply after read"`},
		{"aim", func(m *Machine) { m.Memory.ChannelGBps = 28 }, `rule "one rate"`},
		{"toy", ck("act_act_ck", 0), `pim.timing.act_act_ck: 0 >= pim.timing.rc_ck wanted, 30: rule "row opened again"`},
		{"toy", ck("comp_act_ck", 9), `rule "row closed"`},
		{"artifact", func(m *Machine) { delete(m.Waives, "row closed") }, `pim.timing.comp_act_ck: 0 >= pim.timing.rp_ck wanted, 11: rule "row closed"`},
		{"artifact", func(m *Machine) { m.Waives = nil }, `memory.channel_gb_per_s: 28.004 about`},
	} {
		_, err := Parse("m.json", edited(t, c.machine, c.change))
		if err == nil || !strings.HasPrefix(err.Error(), "m.json: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v: %q wanted", c.machine, err, c.want)
		}
	}
}

// TestWaivers: the machines of the program keep every rule, launches alike too, but those that
// their files waive; and each that is waived is broken.
func TestWaivers(t *testing.T) {
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		std, err := dram.Lookup(m.PIM.Standard)
		if err != nil {
			t.Fatal(err)
		}
		s := newSolver(reflect.ValueOf(m).Elem(), m.Given, m)
		for _, l := range limitsOf(std) {
			broken, err := s.broken(&l)
			_, waived := m.Waives[l.Name]
			if err != nil || (broken != "") != waived {
				t.Errorf("%s: %q: %q, %v; waived: %v", name, l.Name, broken, err, waived)
			}
		}
		if len(m.Waives) > 0 && name != "artifact" || m.Launch != (Launch{Stream, Each}) || len(m.NotModelled) < 4 {
			t.Errorf("%s: waives %v, launches %v, does not model %q", name, m.Waives, m.Launch, m.NotModelled)
		}
	}
}

// TestLimits: the rules of every standard have names of their own, relations that are known, and
// name parameters that their standard has.
func TestLimits(t *testing.T) {
	for _, std := range dram.Standards() {
		if !slices.Contains(Names(), std.Name) { // no machine has it yet
			continue
		}
		m, err := Load(std.Name)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, l := range limitsOf(std) {
			if seen[l.Name] || l.Why == "" {
				t.Errorf("%s: %q twice, or without a reason", std.Name, l.Name)
			}
			seen[l.Name] = true
			s := newSolver(reflect.ValueOf(m).Elem(), m.Given, m)
			if _, err := s.broken(&l); err != nil { // panics at an unknown relation
				t.Errorf("%s: %q: %v", std.Name, l.Name, err)
			}
		}
	}
}
