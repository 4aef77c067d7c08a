package space

import (
	"fmt"
	"strings"
	"testing"
)

// known are names for constraints without a machine.
func known(name string) (kind, term, error) {
	v, ok := map[string]any{"pim.banks": 16.0, "batch": 4.0, "policy": "auto", "gpu.fused": true, "one.nan": nil}[name]
	if !ok {
		return 0, nil, fmt.Errorf("%.80q is not known", name)
	}
	if v == nil {
		return number, func([]int) (value, bool) { return value{}, false }, nil
	}
	w := valueOf(v)
	return w.kind, func([]int) (value, bool) { return w, true }, nil
}

// TestWhere: what constraints mean.
func TestWhere(t *testing.T) {
	for src, want := range map[string]bool{
		"pim.banks <= 16": true, "pim.banks < 16": false, "pim.banks >= 16": true, "pim.banks > 16": false, "pim.banks == 16": true, "pim.banks != 16": false,
		"2 + 3 * 4 == 14": true, "(2 + 3) * 4 == 20": true, "7 / 2 == 3.5": true, "7 % 4 == 3": true, "10 - 4 - 3 == 3": true, "-batch == -4": true, "1e3 == 1000": true,
		`policy == "auto"`: true, `policy != "auto"`: false, "gpu.fused": true, "!gpu.fused": false, "gpu.fused == true": true, "gpu.fused != true": false,
		"batch == 4 || pim.banks == 0 && false": true, "(batch == 4 || pim.banks == 0) && false": false,
	} {
		e, err := compile(src, known)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if v, ok := e(nil); !ok || v.truth != want || v.kind != truth {
			t.Errorf("%s is %v, %v", src, v, ok)
		}
	}
	for src, want := range map[string]bool{ // whether it has a value where the machine refuses the point
		"one.nan > 0": false, "pim.banks == 16 || one.nan > 0": true, "pim.banks == 0 && one.nan > 0": true, "pim.banks == 0 || one.nan > 0": false, "!(one.nan > 0)": false, "-one.nan > 0": false,
		"1 / (batch - 4) > 5": false, "batch % (pim.banks - 16) == 0": false, "0 / batch == 0": true,
	} {
		e, err := compile(src, known)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e(nil); ok != want {
			t.Errorf("%s has a value: %v", src, ok)
		}
	}
}

// TestBadWhere: an error names the column and what is wanted.
func TestBadWhere(t *testing.T) {
	for src, want := range map[string]string{
		"":                                  "column 1: no constraint here",
		"pim.banks":                         "a number: a comparison wanted, as pim.banks <= 16",
		"batch / 0 > 5":                     "column 9: a quotient by 0: another divisor wanted",
		"batch % (2 - 2) == 0":              "column 9: a quotient by 0: another divisor wanted",
		"pim.bank < 3":                      `column 1: "pim.bank" is not known`,
		"batch < ":                          "column 9: no constraint here",
		"batch = 3":                         "column 7: no constraint here",
		"batch < 3 3":                       "column 11: ",
		`batch < "3"`:                       "column 1: a number < a text: two of numbers wanted",
		`batch == "3"`:                      "column 1: a number == a text: two of numbers, two of texts, two of truths wanted",
		"batch && true":                     "column 1: a number && a truth: two of truths wanted",
		"1 + (batch < 3) < 2":               "column 1: a number + a truth: two of numbers wanted",
		"!batch":                            "column 1: ! of a number: - of a number or ! of a truth wanted",
		"-policy == 3":                      "column 1: - of a text",
		"batch << 3 < 4":                    "column 1: operator << is not known",
		"batch < 0x10":                      `column 9: "0x10": a decimal number wanted`,
		"batch < 1_000":                     `column 9: "1_000": a decimal number wanted`,
		"batch < 'c'":                       `column 9: 'c': a number, or a text in double quotes, wanted`,
		"f(batch) < 3":                      "column 1: only numbers, texts, keys, operators and parentheses have a meaning here",
		"batch[0] < 3":                      "column 1: only numbers",
		"func() {} == 3":                    "column 1: only numbers",
		strings.Repeat("(", maxWhere) + ")": "4097 bytes: at most 4096 wanted",
	} {
		if _, err := compile(src, known); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80s: %v, %s wanted", src, err, want)
		}
	}
}

// FuzzWhere: a constraint has a value, or an error of one line.
func FuzzWhere(f *testing.F) {
	for _, src := range []string{"pim.banks * 2 <= 512 && !gpu.fused", `policy == "a\n"`, "((((1)))) < 1e99", "-1 % 0 > batch || one.nan == 0", "a.b.(type)", "x[:]", "func(){}()"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := compile(src, known)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		if v, ok := e(nil); ok && v.kind != truth {
			t.Fatalf("%s is %v", src, v)
		}
	})
}
