package generator

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// naiveUnit is a unit as lists of lines: the buffer write, and for each group
// the activations and the pieces.
type naiveUnit struct {
	gwrite string
	sets   []*naiveSet
}

type naiveSet struct {
	acts   []string
	pieces [][]string
}

// naive writes all lines of all channels of a convolution, unit by unit,
// as the generator's description has it: lists are kept, shared and changed in
// place, nothing is counted or folded.
func naive(l Layer) []string {
	pixels := ((l.H-l.KH+2*l.PH)/l.Stride + 1) * ((l.W-l.KW+2*l.PW)/l.Stride + 1)
	k := (l.IC*l.KH*l.KW + 15) / 16 * 16
	out := make([]string, l.Channels)
	segment := func(columns, k int, operands string) {
		fold := 512 / k
		var units []*naiveUnit
		for range (columns + fold - 1) / fold {
			u := &naiveUnit{gwrite: "0x00000000 GWRITE_%d " + operands + "\n"}
			for range (l.OC + 15) / 16 {
				set := &naiveSet{}
				for i := range 4 {
					set.acts = append(set.acts, fmt.Sprintf("0x%08x G_ACT%d\n", i<<27, i))
				}
				for p := range fold {
					var piece []string
					for c := range k / 16 {
						piece = append(piece, fmt.Sprintf("0x%08x COMP\n", (p*k/16+c)<<6))
					}
					set.pieces = append(set.pieces, piece)
				}
				u.sets = append(u.sets, set)
			}
			units = append(units, u)
		}
		var best []string
		for g := 1; g <= l.Buffers; g *= 2 {
			lines := make([]strings.Builder, l.Channels)
			n, run := l.Channels/g, (len(units)+g-1)/g
			for i, u := range units {
				first := i / run * n
				for c := range n {
					fmt.Fprintf(&lines[first+c], u.gwrite, g)
				}
				set := u.sets[0]
				for len(u.sets)*len(set.pieces) <= n/2 {
					f := n / (len(u.sets) * len(set.pieces))
					var split [][]string
					for at, piece := range set.pieces {
						each := len(piece) / f
						for t := range f {
							var part []string
							for m := range each {
								if pos := t*each + m + at; pos < len(piece) {
									part = append(part, piece[pos])
								}
							}
							split = append(split, part)
						}
					}
					set.pieces = split
				}
				q := len(set.pieces)
				total := len(u.sets) * q
				step := min(max((total+n-1)/n, 1), q)
				for j, x := 0, 0; j < total; j, x = j+step, x+1 {
					w := &lines[first+x%n]
					w.WriteString(strings.Join(set.acts, ""))
					for k := 0; k < step && j+k < total; k++ {
						set.pieces[q-1] = set.pieces[k]
						w.WriteString(strings.Join(set.pieces[q-1], "") + "READRES\n")
					}
				}
			}
			texts := make([]string, l.Channels)
			for c := range lines {
				texts[c] = lines[c].String()
			}
			acts := func(t []string) int { return strings.Count(t[0], "G_ACT0") }
			if best == nil || acts(texts) < acts(best) || acts(texts) == acts(best) && len(texts[0]) < len(best[0]) {
				best = texts
			}
		}
		for c := range out {
			out[c] += best[c]
		}
	}
	switch {
	case k > 512:
		segment(k/512*pixels, 512, "")
		if k%512 > 0 {
			segment(pixels, k%512, "")
		}
	case l.KH > 1 || l.KW > 1:
		segment(pixels, k, fmt.Sprintf("%d %d %d", l.IC*l.KH, l.IC*(l.H-l.KH), l.IC*l.KH))
	default:
		segment(pixels, k, "")
	}
	return out
}

// TestPublishedNaive compares every channel's text with the naive generator's.
func TestPublishedNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, name) }
		l := Layer{
			OC: n("oc", 1, 200), IC: n("ic", 1, 150), KH: n("kh", 1, 3), KW: n("kw", 1, 3), PH: n("ph", 0, 1), PW: n("pw", 0, 1),
			Stride: n("stride", 1, 3), Channels: n("channels", 1, 32),
		}
		l.H, l.W = l.KH+n("h", 0, 9), l.KW+n("w", 0, 9)
		l.Buffers = min(n("buffers", 1, 8), l.Channels)
		code, err := Conv(l)
		if err != nil {
			t.Fatal(err)
		}
		for c, want := range naive(l) {
			var got bytes.Buffer
			if err := code.WriteTrace(&got, c); err != nil {
				t.Fatal(err)
			}
			if got.String() != want {
				t.Fatalf("channel %d: %s", c, cmp.Diff(strings.Split(want, "\n"), strings.Split(got.String(), "\n")))
			}
		}
	})
}

func TestPublishedErrors(t *testing.T) {
	good := square(16, 16, 8, 3, 1, 1, 16, 4)
	for _, row := range []struct {
		change func(l *Layer)
		err    string
	}{
		{func(l *Layer) { l.OC = 0 }, "oc: 0: at least 1 wanted"},
		{func(l *Layer) { l.PH = -1 }, "ph: -1: at least 0"},
		{func(l *Layer) { l.Stride = 0 }, "stride: 0"},
		{func(l *Layer) { l.H, l.PH = 2, 0 }, "h + 2 ph - kh: -1"},
		{func(l *Layer) { l.Channels = 0 }, "n_channel: 0"},
		{func(l *Layer) { l.Buffers = 0 }, "gw: 0: at least 1 wanted"},
	} {
		l := good
		row.change(&l)
		if _, err := Conv(l); err == nil || !strings.Contains(err.Error(), row.err) {
			t.Errorf("%+v: error %v, %q wanted", l, err, row.err)
		}
	}
	if _, err := Gemv(0, 1, 16, 4, Repairs{}); err == nil {
		t.Error("a matrix of no rows is accepted")
	}
}
