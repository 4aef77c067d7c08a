package pim

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/dram"
	"pimflow/internal/tensor"
)

// TestReplayRules: each rule of a replay is found broken by a stream that breaks it and none before.
func TestReplayRules(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 48, 3, 3}, 40, 1, 3, 1, 1, []int64{1, 1, 1, 1}, false)
	type stream = []dram.Command
	set := func(change func(c *dram.Command)) func(s stream, i int) stream {
		return func(s stream, i int) stream { change(&s[i]); return s }
	}
	again := func(s stream, i int) stream { return append(s, s[i]) } // at the end
	for _, c := range []struct {
		machines string
		role     role
		last     bool // the last of a role is changed, not the first
		change   func(s stream, i int) stream
		want     string
	}{
		{"artifact newton aim", writeRole, false, again, "is not multiplied before the end"},
		{"artifact newton aim", writeRole, false, twice, "is overwritten before it is multiplied"},
		{"newton aim", writeRole, false, drop, "which was not filled"},
		{"newton aim", writeRole, false, set(func(c *dram.Command) { c.Buf.Base = 1 << 20 }), "is written: it has"},
		{"newton aim", writeRole, false, set(func(c *dram.Command) { c.Buf.Base = -1 }), "is written: it has"},
		{"artifact newton aim", writeRole, false, set(func(c *dram.Command) { c.Data.Base = 1 << 40 }), "of the source matrices is read"},
		{"artifact newton aim", writeRole, false, set(func(c *dram.Command) { c.Data.Base = -16 }), "of the source matrices is read"},
		{"artifact newton aim", writeRole, false, set(func(c *dram.Command) { c.Data.Base += 8 }), "of the source matrices is read"},
		{"artifact", writeRole, false, set(func(c *dram.Command) { c.Fill.Len-- }), "whole columns of 16 wanted"},
		{"artifact newton aim", openRole, false, set(func(c *dram.Command) { c.Row.Base = 1 << 20 }), "is activated: the channel holds"},
		{"artifact newton aim", openRole, false, set(func(c *dram.Command) { c.Row.Base = -1 }), "is activated: the channel holds"},
		{"newton aim", openRole, false, twice, "where row 0 is open"},
		{"artifact newton aim", openRole, false, drop, "which is not open in quarter 0"},
		{"newton aim", closeRole, true, drop, "of the banks at the end"},
		{"artifact newton aim", compRole, false, twice, "are computed again"},
		{"artifact newton aim", compRole, false, set(func(c *dram.Command) { c.Row.Base = 1 << 20 }), "COMP in row 1048576: the channel holds"},
		{"artifact newton aim", compRole, false, set(func(c *dram.Command) { c.Col.Base = 1 << 20 }), "of a row: it has"},
		{"artifact newton aim", compRole, false, set(func(c *dram.Command) { c.Acc.Base = 1 << 20 }), "accumulator 1048576 is named"},
		{"newton", compRole, false, set(func(c *dram.Command) { c.Buf.Base = -1 }), "which was not filled"},
		{"newton", compRole, false, set(func(c *dram.Command) { c.Col.Base++ }), "inputs of others"},
		{"aim", initRole, false, drop, "to a sum that has not been set"},
		{"aim", initRole, false, twice, "is set again before anything is added to it"},
		{"lpddr5-aim", initRole, false, drop, "to a sum that has not been set"},
		{"aim", initRole, false, again, "to which nothing is added before the end"},
		{"artifact newton aim", readRole, false, twice, "of what has not been computed"},
		{"artifact newton aim", readRole, false, set(func(c *dram.Command) { c.Data.Base++ }), "where no group of outputs begins"},
		{"artifact newton aim", readRole, false, set(func(c *dram.Command) { c.Data.Base += 16 }), "READRES to matrix 0"},
		{"artifact aim", readRole, true, drop, "has not been read before the end"},
		{"newton", readRole, true, drop, "has not been read before PREA"},
	} {
		for _, machine := range strings.Fields(c.machines) {
			code := compile(t, machineOf(t, machine), 2, n.g, n.g.Whole(n.id))
			ops, s := code.device.ops, code.perChannel()[0]
			plain := flat(code.device.stream(s))
			of := func(k dram.Command) bool {
				r := ops.roles[k.Op]
				return r == c.role || r == gatherRole && c.role == writeRole
			}
			i := slices.IndexFunc(plain, of)
			if c.last {
				slices.Reverse(plain)
				i = len(plain) - 1 - slices.IndexFunc(plain, of)
				slices.Reverse(plain)
			}
			p, err := code.newProducts()
			if err != nil {
				t.Fatal(err)
			}
			f := &follower{productSet: p, held: p.layout(s)}
			var v *Violation
			if err := f.follow(nested(c.change(plain, i))); !errors.As(err, &v) || !strings.Contains(v.Rule, c.want) {
				t.Errorf("%s, %s %d: %v, %q wanted", machine, ops.names[plain[i].Op], i, err, c.want)
			}
		}
	}
}

// TestReplayEnd: a refresh that is requested before the end, and not served, is missing.
func TestReplayEnd(t *testing.T) {
	n := conv(t, rand.New(rand.NewPCG(3, 4)), tensor.Shape{1, 16, 1, 1}, 16, 1, 1, 1, 1, []int64{0, 0, 0, 0}, false)
	for _, machine := range []string{"artifact", "newton", "aim", "lpddr5-aim"} {
		code := compile(t, machineOf(t, machine), 1, n.g, n.g.Whole(n.id))
		d, s := code.device, code.perChannel()[0]
		end := int64(d.time(s).Cycles)
		for _, c := range []struct {
			interval int64
			want     string
		}{{end, "is missing"}, {end + 1, ""}} {
			d.timing = maps.Clone(d.timing) // of the check alone: the channel has another
			d.timing["refi_ck"], d.timing["rfc_ck"] = c.interval, 1
			got := ""
			if _, err := code.replayTime(0, s, d.stream(s)); err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%s, a refresh in %d of %d cycles: %q, %q wanted", machine, c.interval, end, got, c.want)
			}
		}
	}
}
