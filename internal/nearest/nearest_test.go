package nearest

import (
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	long := strings.Repeat("x", longest+1)
	for _, c := range []struct {
		name  string
		known []string
		want  string
	}{
		{"Rellu", []string{"Elu", "Relu", "Selu"}, ` (did you mean "Relu"?)`},
		{"to", []string{"tot", "toy"}, ` (did you mean "tot"?)`},
		{"time", []string{"latency", "energy", "edp"}, ""},
		{"", nil, ""},
		{long, []string{long[1:]}, ""},
		{long[1:], []string{long, long[2:]}, ` (did you mean "` + long[2:] + `"?)`},
	} {
		if got := Hint(c.name, c.known); got != c.want {
			t.Errorf("%q of %q: %s", c.name, c.known, got)
		}
	}
}
