package hbmhost

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestInstruction: what is printed is read back; what is no instruction is an error that names the word.
func TestInstruction(t *testing.T) {
	for _, line := range []string{"BAR", "MACAB 16383 31", "RD 1 3 3 16383 31", "WR 0 1 2 3 4", "WRGB 1 2 3", "MVSB 0 0 0", "MVGB 1 3 0"} {
		in, err := ParseInstruction("  " + strings.ReplaceAll(line, " ", "\t "))
		if err != nil || in.String() != line {
			t.Errorf("%q: %q, %v", line, in, err)
		}
	}
	for line, want := range map[string]string{
		"":                 "an empty line: an instruction wanted",
		"BAR 1":            "1 operands: 0 wanted",
		"MACAB 16384 0":    `row "16384": 0 to 16383 wanted`,
		"MACAB 0 -1":       `col "-1": 0 to 31 wanted`,
		"WRGB 2 0 0":       `pch "2": 0 to 1 wanted`,
		"WRGB 0 4 0":       `group "4": 0 to 3 wanted`,
		"WRGB 0 0 0x1":     `bank "0x1": 0 to 3 wanted`,
		"MACABS 0 0":       `instruction "MACABS" is unknown (did you mean "MACAB"?): one of BAR, MACAB, RD, WR, WRGB, MVSB, MVGB wanted`,
		"RD 0 0 0 0\x00 0": `row "0\x00": 0 to 16383 wanted`,
	} {
		if in, err := ParseInstruction(line); err == nil || err.Error() != want {
			t.Errorf("%q: %v, %v: %q wanted", line, in, err, want)
		}
	}
}

// FuzzLines: a line is an instruction that is printed and read back as the same, or an error in one line. A trace of them ends: ticks ascend, with at most a row
// command and a column command in each; each access and move is issued once.
func FuzzLines(f *testing.F) {
	f.Add("MACAB 0 0\nBAR\nWRGB 1 2 3\nMACAB 1 7\nMVSB 0 0 0", uint16(3900), uint16(260), byte(0))
	f.Add("MACAB 3 31\nMACAB 2 1\nMACAB 3 0\nMVGB 1 1 1\nMVGB 1 1 2\nBAR\nBAR", uint16(60), uint16(59), byte(3))
	f.Add("RD 0 0 0 1 2\nfoo\n+1 MACAB\n\tMACAB +1 007", uint16(0), uint16(0), byte(9))
	f.Fuzz(func(t *testing.T, text string, interval, refresh uint16, preset byte) {
		var trace []Instruction
		counts := make([]int, len(instructions))
		for _, line := range strings.Split(text, "\n") {
			in, err := ParseInstruction(line)
			if err != nil {
				if strings.ContainsAny(err.Error(), "\n\r") || in != (Instruction{}) && in.kind == 0 {
					t.Errorf("%q: %q, %+v", line, err, in)
				}
				continue
			}
			if again, err := ParseInstruction(in.String()); err != nil || again != in || strings.Join(strings.Fields(in.String()), " ") != in.String() {
				t.Errorf("%q: %q is read as %v: %v", line, in, again, err)
			}
			if len(trace) < 64 {
				trace = append(trace, in)
				counts[in.kind]++
			}
		}
		timing := presets[int(preset)%len(presets)].Timing
		if preset >= 128 {
			timing.CCDAB = timing.CCDL
		}
		timing.Interval, timing.Refresh = int64(interval), int64(refresh)
		if timing.Check() != nil {
			return
		}
		issued := make([]int, len(Commands))
		var at [2]int64 // the last row command and the last column command
		last := int64(0)
		cycles, err := Run(&timing, slices.Values(trace), func(i Issue) {
			bus := 0
			if column(i.Command) {
				bus = 1
			}
			if i.At < last || i.At == at[bus] {
				t.Errorf("%s in tick %d after tick %d", Commands[i.Command], i.At, last)
			}
			issued[i.Command]++
			last, at[bus] = i.At, i.At
		}, nil)
		var order *ErrOrder
		if errors.As(err, &order) {
			if counts[readBank]+counts[writeBank] == 0 {
				t.Error(err)
			}
			return
		}
		if err != nil {
			if !strings.Contains(err.Error(), "never ends here") || timing.Refresh < timing.Interval {
				t.Errorf("%+v: %v", timing, err)
			}
			return
		}
		if cycles < last || issued[macab] != counts[macAB] || issued[wrgb] != counts[moves] || issued[mvsb] != counts[moves+1] || issued[mvgb] != counts[moves+2] || issued[actab] > 2*counts[macAB] {
			t.Errorf("%d cycles, the last command in tick %d: %v of %v", cycles, last, issued, counts)
		}
	})
}
