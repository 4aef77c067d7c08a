package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	base := errors.New("x")
	for i, c := range []struct {
		err  error
		want Kind
	}{
		{base, Input},
		{Usagef("y: %w", base), Usage},
		{fmt.Errorf("z: %w", As(Infeasible, base)), Infeasible},
		{As(Input, fmt.Errorf("file: %w", Usagef("y"))), Input},
		{errors.Join(base, Usagef("y")), Usage},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("%d: kind %d: %d wanted", i, got, c.want)
		}
	}
	if As(Usage, nil) != nil {
		t.Error("no error was marked")
	}
	if !errors.Is(Usagef("y: %w", base), base) {
		t.Error("a marked error is not the error")
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb":               "a; b",
		"\x1b[31mred\r":      `\x1b[31mred\r`,
		"a\u202eb":           `a\u202eb`,
		"größer als 1 µm":    "größer als 1 µm",
		"bad \xff byte":      "bad \ufffd byte",
		"\"quoted\" and 'x'": "\"quoted\" and 'x'",
	} {
		if got := Line(errors.New(text)); got != want {
			t.Errorf("%q: %q: %q wanted", text, got, want)
		}
	}
	if got := Line(errors.New(strings.Repeat("ä", 5000))); got != strings.Repeat("ä", MaxLine)+"…" {
		t.Errorf("a line of %d bytes", len(got))
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]string{
		"conv":                   "conv",
		"relu\x1b[31m\n":         `relu\x1b[31m\n`,
		"\xff":                   `\xff`,
		strings.Repeat("ä", 80):  strings.Repeat("ä", 80),
		strings.Repeat("ä", 81):  strings.Repeat("ä", 80) + "…",
		strings.Repeat("\a", 99): strings.Repeat(`\a`, 80) + "…",
	} {
		if got := Name(text); got != want {
			t.Errorf("%q: %q: %q wanted", text, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	if got := Names([]string{"a", "b\n", ""}); got != `a, b\n, ` || Names(nil) != "" {
		t.Errorf("%q", got)
	}
}
