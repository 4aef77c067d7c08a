package space

import (
	"strings"
	"testing"
)

// TestRanges: values of flags, and what is wrong with them.
func TestRanges(t *testing.T) {
	for text, want := range map[string]string{
		"2..4": "2 3 4", "2..16/5": "2 7 12", "1..64x4": "1 4 16 64", "0.1..0.3/0.1": "0.1 0.2 0.3", "-1..1": "-1 0 1", "1..2x1.5": "1 1.5",
		"1..1": "1", "8,1..2,16": "8 1 2 16", "own": "own", "1000/7": "1000/7", "99999999999999999999..99999999999999999999": "99999999999999999999",
		"3..1": "error from 3 to 1", "1..3/0": "error step 0", "1..3x1": "error from 1, factor 1", "0..3x2": "error from 0, factor 2", "1..9999999": "error more values", "1..2x1.000001": "error more values",
		"1,,2": "error ", "": "error ", "1,1.0": "error \"1.0\" is there twice", "1,2,0..4/2": "error \"2\" is there twice",
	} {
		vs, err := ParseValues(text)
		got := ""
		if err == nil {
			var texts []string
			n := 0
			a := &Axis{Name: "x.y", Values: vs}
			if n, err = (&Spec{}).size(a); err == nil {
				texts, _, err = (&Spec{}).expand(a)
			}
			if err == nil && n != len(texts) {
				t.Errorf("%s has %d values, %d counted", text, len(texts), n)
			}
			got = strings.Join(texts, " ")
			var again []string
			for _, v := range vs {
				again = append(again, v.String())
			}
			if strings.Join(again, ",") != text {
				t.Errorf("%s is written %s", text, again)
			}
		}
		if wanted, is := strings.CutPrefix(want, "error "); is {
			if err == nil || !strings.Contains(err.Error(), wanted) {
				t.Errorf("%s: %s, %v", text, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %s, %v: %s wanted", text, got, err, want)
		}
	}
}
