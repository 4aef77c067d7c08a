package aimhost

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pimflow/internal/dram"
)

// publishedLPDDR5 is aim_simulator's device LPDDR5_AiM.
func publishedLPDDR5(t testing.TB) *Published {
	t.Helper()
	std, err := dram.Lookup("lpddr5-aim")
	if err != nil {
		t.Fatal(err)
	}
	return PublishedOf(std)
}

// TestLPDDR5Golden runs traces of the published simulator: cycles, commands and its own statistics
// are those it printed, at the refresh that it was given.
func TestLPDDR5Golden(t *testing.T) {
	p := publishedLPDDR5(t)
	rows := golden(t, "testdata/lpddr5.csv")
	if len(rows) != 26 {
		t.Errorf("%d rows, 26 wanted", len(rows))
	}
	for _, row := range rows {
		refi, err := strconv.ParseInt(row["refi"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		rfc, err := strconv.ParseInt(row["rfc"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		h, err := p.Host(refi, rfc)
		if err != nil {
			t.Fatal(err)
		}
		r, err := runText(h, row["trace"])
		if err != nil {
			t.Errorf("%s: %v", row["name"], err)
			continue
		}
		compare(t, row, p.Standard, &r, r.Issued)
	}
}

// TestLPDDR5Referee: the slow host agrees in all that is counted, with other timings too.
func TestLPDDR5Referee(t *testing.T) {
	p := publishedLPDDR5(t)
	rapid.Check(t, func(t *rapid.T) {
		device, text := *p, anyTrace(t)
		if rapid.Bool().Draw(t, "other timing") {
			device.Timing = maps.Clone(p.Timing)
			for _, name := range device.Standard.Parameters() {
				if name != "wckpst_ck" && name != "faw_ck" { // not of this device
					device.Timing[name] = rapid.Int64Range(0, 60).Draw(t, name)
				}
			}
		}
		every := rapid.SampledFrom([][2]int64{{0, 0}, {3125, 304}, {500, 100}, {281, 100}}).Draw(t, "refresh")
		h, err := device.Host(every[0], every[1])
		if err != nil {
			t.Fatal(err)
		}
		fast, err := runText(h, text)
		if err != nil {
			if !strings.Contains(err.Error(), "never ends") {
				t.Fatal(err)
			}
			return // the referee would never end
		}
		timing := maps.Clone(device.Timing)
		timing["refi_ck"], timing["rfc_ck"] = every[0], every[1]
		newSlowHost(device.Standard, timing).hold(t, text, fast)
	})
}

// TestLPDDR5Forms are closed forms of cycles without refreshes, for any size.
func TestLPDDR5Forms(t *testing.T) {
	p := publishedLPDDR5(t)
	rapid.Check(t, func(t *rapid.T) {
		n, u := rapid.IntRange(1, 20).Draw(t, "N"), rapid.IntRange(1, 130).Draw(t, "n")
		for _, row := range []struct {
			trace string
			want  int
		}{
			{"%d*i(AiM MAC_ABK %d 0xff {i}) | AiM EOC", 59 + 4*(u-1) + (n-1)*(73+4*u)},
			{"%d*i(AiM EWMUL %d 0xff {i}) | AiM EOC", 28 + 4*(u-1) + (n-1)*(77+4*u)},
			{"%d*i(AiM COPY_GBBK %d 0xff 3 {i}) | AiM EOC", 51 + 4*(u-1) + (n-1)*(102+4*u)},
			{"%d*i(AiM COPY_BKGB %d 0xff 3 {i}) | AiM EOC", 69 + 4*(u-1) + (n-1)*(81+4*u)},
			{"%d*i(AiM WR_GB %d 0 0xff) | AiM EOC", 40 + 4*(u*n-1)},
			{"%[1]d*i(AiM RD_MAC 0 0xff) | AiM EOC", 40 + 6*(n-1)},
			{"%[1]d*i(AiM WR_BIAS 0 0xff) | AiM EOC", 40 + 4*(n-1)},
			{"%[1]d*i(AiM WR_ABK 0 0x1 {i}) | AiM EOC", 35 + 4*(n-1)},
			{"%d*i(AiM WR_BIAS 0 0xff | AiM MAC_ABK %d 0xff {i} | AiM RD_MAC 0 0xff) | AiM EOC", 17 + n*(142+4*u)},
			{"%d*i(AiM WR_BIAS 0 0xff | AiM MAC_ABK %d 0xff 5 | AiM RD_MAC 0 0xff) | AiM EOC", 90 + n*(69+4*u)},
			{"AiM WR_GB 64 0 0xff | %d*i(AiM WR_BIAS 0 0xff | AiM MAC_ABK %d 0xff {i} | AiM RD_MAC 0 0xff) | AiM EOC", 17 + 4*64 + n*(142+4*u)},
			{"%[1]d*i(AiM WR_BIAS 0 0xff) | %[1]d*i(AiM MAC_ABK %[2]d 0xff {i}) | %[1]d*i(AiM RD_MAC 0 0xff) | AiM EOC", 17 + 142 + 4*u + (n-1)*(83+4*u)},
		} {
			h, err := p.Host(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(row.trace, n, u)
			text, _, _ = strings.Cut(text, "%!(EXTRA")
			r, err := runText(h, text)
			if err != nil {
				t.Fatal(err)
			}
			if int(r.Cycles) != row.want {
				t.Errorf("%s: %d cycles, %d wanted", text, r.Cycles, row.want)
			}
		}
	})
	// A product of 4096 x 4096 on 32 channels, without and with refreshes.
	gemv := "4*s(AiM WR_GB 64 0 0xffffffff | 8*v(AiM WR_BIAS 0 0xffffffff | AiM MAC_ABK 64 0xffffffff {v*4+s} | AiM RD_MAC 0 0xffffffff)) | AiM EOC"
	for every, want := range map[[2]int64]dram.Cycle{{0, 0}: 13777, {3125, 304}: 15190} {
		h, err := p.Host(every[0], every[1])
		if err != nil {
			t.Fatal(err)
		}
		if r, err := runText(h, gemv); err != nil || r.Cycles != want {
			t.Errorf("refresh %v: %d cycles, %v: %d wanted", every, r.Cycles, err, want)
		}
	}
}

// TestPublishedHost: numbers of refreshes that never end are refused, and GDDR6's device is that of
// its standard.
func TestPublishedHost(t *testing.T) {
	if _, err := publishedLPDDR5(t).Host(100, 304); err == nil || !strings.Contains(err.Error(), "a refresh every 100 cycles: at least 323 wanted") {
		t.Error(err)
	}
	if p := PublishedOf(aim); p != nil {
		t.Errorf("%+v", p)
	}
}
