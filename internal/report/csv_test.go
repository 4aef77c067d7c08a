package report

import (
	"strings"
	"testing"

	"pimflow/internal/device"
)

// TestCSV: a column a key, objects in objects too; a comma is quoted; null is empty; the columns do not depend on values.
func TestCSV(t *testing.T) {
	type inner struct {
		NS float64 `json:"ns"`
	}
	type base struct {
		Name string `json:"name"`
	}
	type row struct {
		base
		Shape  []int         `json:"shape"`
		Pair   [2]int        `json:"pair"`
		GPU    *inner        `json:"gpu"`
		PIM    inner         `json:"pim"`
		Best   *float64      `json:"best,omitempty"`
		Parts  []inner       `json:"parts"`
		OK     bool          `json:"ok"`
		Issued device.Counts `json:"issued"`
		Left   int           `json:"-"`
		own    int
	}
	half := 0.5
	rows := []row{
		{base{"a,b"}, []int{1, 2}, [2]int{3, 4}, nil, inner{1e-7}, nil, []inner{{1}}, true, device.Counts{{Kind: "MAC", N: 2}}, 9, 9},
		{base{"c"}, nil, [2]int{}, &inner{1234567.25}, inner{0.1}, &half, nil, false, nil, 9, 9},
	}
	var b strings.Builder
	if err := CSV(&b, rows); err != nil {
		t.Fatal(err)
	}
	want := "name,shape,pair,gpu.ns,pim.ns,best,ok,issued\n" +
		"\"a,b\",1 2,3 4,,1e-07,,true,\"{\"\"MAC\"\":2}\"\n" +
		"c,,0 0,1.23456725e+06,0.1,0.5,false,{}\n"
	if b.String() != want {
		t.Errorf("%s\n%s wanted", &b, want)
	}
}
