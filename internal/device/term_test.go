package device

import (
	"testing"

	"pgregory.net/rapid"
)

// TestScale: scaled terms add up to the new time and keep their order and words.
func TestScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var terms []Term
		from := Time(0)
		for _, name := range []string{"a", "b", "c"} {
			x := Term{name, Time(rapid.Int64Range(0, 1e9).Draw(t, name))}
			terms, from = append(terms, x), from+x.Time
		}
		to := Time(rapid.Int64Range(1, 1e12).Draw(t, "to"))
		sum := Time(0)
		got := Scale(Fill(terms, from), from, to, "rest")
		for _, x := range got {
			if x.Time == 0 {
				t.Fatalf("%v", got)
			}
			sum += x.Time
		}
		if sum != to {
			t.Fatalf("%v: %d wanted", got, to)
		}
	})
	if got := Scale(nil, 0, 5, "measured"); len(got) != 1 || got[0] != (Term{"measured", 5}) {
		t.Errorf("%v", got)
	}
	if got := Fill([]Term{{"a", 3}, {"b", 0}}, 4); len(got) != 1 || got[0] != (Term{"a", 4}) {
		t.Errorf("%v", got)
	}
}
