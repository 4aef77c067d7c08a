package page

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"pimflow"
)

// need is a number of a report by its key, and what it has to be.
type need struct {
	key    string
	x      float64
	holds  bool
	wanted string
}

func positive(key string, x float64) need { return need{key, x, x > 0, "more than 0"} }

// near reports whether two numbers are the same but for the rounding of decimal digits.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// day is the longest time of a page, in ns. Estimated: runs take seconds.
const day = 24 * 3600 * 1e9

// values are the numbers that a page needs, with what they have to be.
func values(r *pimflow.Report) []need {
	p := &r.Utilization.Peaks
	list := []need{positive("utilization.peaks.gpu_fma_gflops", p.FMA), positive("utilization.peaks.baseline_gpu_dram_gb_per_s", p.BaselineDRAM)}
	if p.Link != nil {
		list = append(list, positive("utilization.peaks.link_gb_per_s", *p.Link))
	}
	if r.Total == 0 && r.Baseline == 0 {
		return list // nothing takes time
	}
	for _, t := range []need{{key: "baseline_ns", x: r.Baseline}, {key: "total_ns", x: r.Total}} {
		list = append(list, need{t.key, t.x, t.x > 0 && t.x <= day, "more than 0, at most a day,"})
	}
	of := r.Baseline / r.Total
	return append(list,
		need{"speedup", r.Speedup, near(r.Speedup, of), fmt.Sprintf("baseline_ns / total_ns, %v,", of)},
		need{"speedup_low", r.Low, r.Low > 0 && r.Low <= r.High, "more than 0, at most speedup_high,"},
		positive("speedup_high", r.High),
	)
}

// most bounds every number: products of three stay finite. Estimated.
const most = 1e100

// unsigned are the ends of keys of numbers that are never negative.
var unsigned = []string{"_ns", ".ns", "_gflops", ".gflops", "gb_per_s", "flops_per_byte"}

// impossible is the first number of a value that no run has; nil where there is none.
func impossible(v reflect.Value, path string) *need {
	switch v.Kind() {
	case reflect.Float64:
		x := v.Float()
		if !(math.Abs(x) <= most) {
			return &need{path, x, false, "a number of at most 1e100"}
		}
		is := func(end string) bool { return strings.HasSuffix(path, end) }
		if x < 0 && slices.ContainsFunc(unsigned, is) && !is(".saved_ns") {
			return &need{path, x, false, "0 or more"}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return impossible(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if x := impossible(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); x != nil {
				return x
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" {
				continue
			}
			if name = path + "." + name; strings.HasSuffix(name, ".") {
				name = path // a struct that is embedded
			}
			if x := impossible(v.Field(i), strings.TrimPrefix(name, ".")); x != nil {
				return x
			}
		}
	}
	return nil
}
