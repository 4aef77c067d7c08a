package hw

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pimflow/internal/dram"
)

// TestExtends: a standard that extends another keeps the numbers of a base with that one; any other has to have its own.
func TestExtends(t *testing.T) {
	const of = `{"base": "%s", "name": "x", "pim": {"standard": "%s", "timing": {%s}}}`
	tried := 0
	for _, s := range dram.Standards() {
		if s.Extends == nil {
			continue
		}
		base, err := Load(s.Extends.Name)
		if err != nil {
			t.Fatal(err)
		}
		var more []string
		for _, p := range s.Timing {
			if !slices.Contains(s.Extends.Timing, p) {
				more = append(more, fmt.Sprintf(`"%s": {"value": 50, "source": "test"}`, p))
			}
		}
		m, err := Parse("x.json", fmt.Appendf(nil, of, base.Name, s.Name, strings.Join(more, ", ")))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range s.Extends.Timing {
			if path := "pim.timing." + p; m.PIM.Timing[p] != base.PIM.Timing[p] || m.Sources[path] != base.Sources[path] {
				t.Errorf("%s: %s is %d, %d on its base", s.Name, p, m.PIM.Timing[p], base.PIM.Timing[p])
			}
		}
		tried++
	}
	if tried == 0 {
		t.Error("no standard extends another")
	}
	if _, err := Parse("x.json", fmt.Appendf(nil, of, "aim", "newton", `"bl_ck": {"value": 2, "source": "test"}`)); err == nil || !strings.Contains(err.Error(), "missing: pim.timing.ccds_ck,") {
		t.Errorf("newton with the numbers of aim: %v", err)
	}
}
