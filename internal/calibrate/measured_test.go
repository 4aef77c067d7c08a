package calibrate

import (
	"strings"
	"testing"
)

const head = "dataset,gpu,dtype,op,N,C,H,W,K,R,S,stride_h,stride_w,pad_h,pad_w,groups,P,Q,gm,gn,gk,ta,tb,time_us,kernels,split\n"

// TestReadErrors: each mistake is one line that names file, line, column, value and
// what was wanted.
func TestReadErrors(t *testing.T) {
	const good = "d,T4,fp16,conv,1,8,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,dev\n"
	edit := func(old, new string) string { return head + good + strings.Replace(good, old, new, 1) }
	for _, c := range []struct{ text, want string }{
		{"", "f.csv:1: it is empty: columns as gpu,dtype,op,…,time_us wanted"},
		{strings.Replace(head, ",gk,", ",gl,", 1), `f.csv:1: column "gk" is missing`},
		{strings.Replace(head, "split", "spilt", 1), `f.csv:1: column "spilt" is not known (did you mean "split"?)`},
		{strings.Replace(head, "gk", "gm", 1), `f.csv:1: column "gm" is there twice`},
		{edit("d,T4,", "d,,"), `f.csv:3: gpu: "": a name wanted`},
		{edit("fp16", "fp61"), `f.csv:3: dtype: "fp61": one of fp16, fp32, int8 wanted`},
		{edit("conv,", "con,"), `f.csv:3: op: "con": one of conv, dwconv, gemm, add, relu wanted`},
		{edit(",8,14", ",x,14"), `f.csv:3: C: "x": a whole number of 1 to 1048576 wanted`},
		{edit(",8,14", ",0,14"), `f.csv:3: C: "0": a whole number of 1 to 1048576 wanted`},
		{edit(",8,14", ",2000000,14"), `f.csv:3: C: "2000000": a whole number of 1 to 1048576 wanted`},
		{edit(",16,3,3,", ",16,17,3,"), `f.csv:3: R: "17": at most the padded input, 16, wanted`},
		{edit(",14,14,,", ",14,15,,"), `f.csv:3: Q: "15": 14, which follows from input, kernel, stride and padding, wanted`},
		{edit(",1,14,14,,", ",3,14,14,,"), `f.csv:3: groups: "3": a divisor of C, 8, and K, 16, wanted`},
		{edit("conv,", "dwconv,"), `f.csv:3: groups: "1": C, 8, of a depthwise convolution wanted`},
		{edit("20.5", "0"), `f.csv:3: time_us: "0": a number above 0 wanted`},
		{edit("20.5", "NaN"), `f.csv:3: time_us: "NaN": a number above 0 wanted`},
		{edit("20.5", ""), `f.csv:3: time_us: "": a number above 0 wanted`},
		{edit("20.5", "1e300"), `f.csv:3: time_us: "1e300": a number above 0 wanted`},
		{edit(",dev", ""), "f.csv:3: another number of cells than in the line of columns"},
		{edit("fp16", `"fp16`), `f.csv:3: `},
		{head + "d,T4,fp16,gemm,,,,,,,,,,,,,,,64,64,-1,N,N,9,,dev\n", `f.csv:2: gk: "-1": a whole number of 1 to`},
		{"model,batch,ms,source\nresnet18,0,1,TRT8\n", `f.csv:2: batch: "0": a whole number of 1 to 65536 wanted`},
		{"model,batch,ms,source\n,1,1,TRT8\n", `f.csv:2: model: "": the name of a network of torchvision wanted`},
		{"model,batch,ms,source\nresnet18,1,-1,TRT8\n", `f.csv:2: ms: "-1": a number above 0 wanted`},
		{"model,batch,ms,source\nresnet18,1,1,\n", `f.csv:2: source: "": the name of the software that ran it wanted`},
		{"model,batch,ms\n", `f.csv:1: column "source" is missing: the columns model,batch,ms,source,gpu,dtype,licence wanted`},
	} {
		var m Measured
		err := m.Read("f.csv", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestReadColumns: columns may stand in any order, and those that are not needed may be
// missing.
func TestReadColumns(t *testing.T) {
	var a, b Measured
	if err := a.Read("a", strings.NewReader(head+"d,T4,fp16,conv,1,8,14,15,16,3,1,2,1,1,0,1,7,15,,,,,,20.5,k,dev\n")); err != nil {
		t.Fatal(err)
	}
	const text = "\ufefftime_us,op,dtype,gpu,groups,pad_w,pad_h,stride_w,stride_h,S,R,K,W,H,C,N,gm,gn,gk\n20.5,conv,fp16,T4,1,0,1,1,2,1,3,16,15,14,8,1,,,\n"
	if err := b.Read("a", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	b.Rows[0].Dataset, b.Rows[0].Kernel = "d", "k"
	if a.Rows[0] != b.Rows[0] || a.Rows[0].P() != 7 || a.Rows[0].Q() != 15 {
		t.Errorf("%+v and %+v", a.Rows[0], b.Rows[0])
	}
}

// TestLeftOut: what the model is not for is counted, with the reason, and never scored.
func TestLeftOut(t *testing.T) {
	rows := head +
		"d,A100,fp32,conv,1,8,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,\n" +
		"d,T5,fp16,conv,1,8,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,\n" +
		"d,T4,fp16,conv,1,3,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,\n" +
		"d,T4,fp16,conv,1,8,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,\n" +
		"d,t-4,fp16,gemm,,,,,,,,,,,,,,,64,64,64,N,N,9,,\n" // the same GPU
	m := &Measured{}
	if err := m.Read("a", strings.NewReader(rows)); err != nil {
		t.Fatal(err)
	}
	if err := m.Read("b", strings.NewReader("model,batch,ms,source\nresnet17,1,1,x\nresnet18,2,1,x\n")); err != nil {
		t.Fatal(err)
	}
	scores, err := calibration(t, "t4", nil).Score(t.Context(), m, false)
	if err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string]struct {
		n, left int
		why     string
	}{
		"A100 fp32 conv d":  {0, 1, "no eta_fma"},
		"T5 fp16 conv d":    {0, 1, "no GPU file of that name"},
		"T4 fp16 conv d":    {1, 1, "C is no multiple of 8"},
		"t-4 fp16 gemm d":   {1, 0, ""},
		"T4 fp16 network x": {1, 1, `no network resnet17 (did you mean "resnet`},
	} {
		found := false
		for _, s := range scores {
			if s.Set == set {
				found = true
				if s.Model.N != want.n || s.Left != want.left || !strings.HasPrefix(s.Why, want.why) {
					t.Errorf("%+v: %+v wanted", s, want)
				}
			}
		}
		if !found {
			t.Errorf("no set %s in %+v", set, scores)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + "d,T4,fp16,conv,1,8,14,14,16,3,3,1,1,1,1,1,14,14,,,,,,20.5,,dev\n")
	f.Add("model,batch,ms,source\nresnet18,1,1,x\n")
	f.Fuzz(func(t *testing.T, text string) {
		var m Measured
		if err := m.Read("f", strings.NewReader(text)); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: an error of more than a line: %q", text, err)
		}
	})
}
