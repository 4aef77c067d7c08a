package calibrate
import ("fmt";"testing";"math";"sort";"pimflow/internal/hw";"pimflow/internal/gpu";"os")
func TestResid(t *testing.T) {
	if os.Getenv("RESID")=="" {t.Skip()}
	m, bs := load(t)
	var t4 *hw.Board
	for _, b := range bs { if b.Name == "t4" { t4 = b } }
	c := New(t4, bs, m.Rows)
	for _, s := range c.Sets {
		if len(s.kernels)==0 {continue}
		out := make([]float64, len(s.kernels))
		predictor{c.boards}.predict(s, true, out)
		type rr struct{e float64; s string}
		var rs []rr
		mm, b := predictor{c.boards}.model(s)
		lib := gpu.Library("cudnn"); sp := gpu.Splits(b.GPU.ConvSplit)
		if s.Op=="gemm" {lib=gpu.Library("cublas"); sp=gpu.Splits(16)}
		for i := range s.kernels {
			k := s.kernels[i]; e := math.Log(out[i]/k.row.US)
			d := ""
			if k.direct==nil { x := mm.Fastest(k.gemm, lib, sp); d = fmt.Sprintf("%v %s sm %.1f dram %.1f", x.Choice, x.Bound, x.SM, x.DRAM) } else {d=fmt.Sprint(*k.direct)}
			rs = append(rs, rr{e, fmt.Sprintf("%+.2f  meas %.1f pred %.1f  [%s] M%d N%d K%d  %s %v", e, k.row.US, out[i], k.row.shape(), k.gemm.M,k.gemm.N,k.gemm.K, d, k.known)})
		}
		sort.Slice(rs, func(i,j int) bool { return rs[i].e<rs[j].e})
		fmt.Println("==",s.Name)
		for _, r := range rs { fmt.Println(r.s) }
	}
}
func (c *Calibration) cv(t *testing.T, label string, fitted []*Set) {
	at := c.coordinates(fitted)
	start := make([]float64, len(at))
	for i, a := range at { start[i] = a.of(c.boardOf(a)) ; if start[i]==0 {start[i]=1} }
	pred := map[string][2][]float64{}
	predC := map[string][2][]float64{}
	cost := 0.0
	for f := range Folds {
		c.apply(at, start)
		c.fit(part(fitted, func(x int) bool { return x != f }), at)
		for _, s := range part(c.Sets, func(x int) bool { return x == f }) {
			out := make([]float64, len(s.kernels))
			for chosen, mp := range []map[string][2][]float64{pred, predC} {
			predictor{c.boards}.predict(s, chosen==1, out)
			pm := mp[s.Name]
			for i := range out { pm[0] = append(pm[0], out[i]); pm[1] = append(pm[1], s.kernels[i].row.US)
				if chosen==0 && s.Fitted {l,_ := loss(math.Log(out[i]/s.kernels[i].row.US)); cost += l} }
			mp[s.Name] = pm
			}
		}
	}
	c.apply(at, start)
	sol := c.fit(fitted, at)
	fmt.Printf("%-22s cost %.3f cv %.3f |", label, sol.cost, cost)
	for _, s := range c.Sets {
		if len(s.kernels)==0 {continue}
		pm := pred[s.Name]
		sc := score(pm[0], pm[1])
		fmt.Printf(" %s%s%s %.1f(%+.0f) %.3f |", s.GPU[:2], s.Dtype[:1], s.Op[:1], 100*sc.MAPE, 100*sc.Bias, sc.Spearman)
		if s.GPU=="TITANRTX" && s.Op=="conv" || s.GPU=="A100" || s.GPU=="RTX3090" {
			pm = predC[s.Name]
			sc := score(pm[0], pm[1])
			fmt.Printf(" chosen %.1f(%+.0f) %.3f |", 100*sc.MAPE, 100*sc.Bias, sc.Spearman)
		}
	}
	fmt.Println()
	for i, a := range at { fmt.Printf("  %s=%.4g±%.0f%%", a.path, sol.x[i], 100*sol.sigma[i]) }
	fmt.Println()
}
func TestCV(t *testing.T) {
	m, bs := load(t)
	var t4 *hw.Board
	for _, b := range bs { if b.Name == "t4" { t4 = b } }
	base := func(edit func(b *hw.Board)) (*Calibration, []*Set) {
		var cl []*hw.Board
		for _, b := range bs { x := b.Clone(); if edit!=nil {edit(x)}; cl = append(cl, x) }
		x := t4.Clone(); if edit!=nil {edit(x)}
		c := New(x, cl, m.Rows)
		var fitted []*Set
		for _, s := range c.Sets { if s.Fitted && len(s.kernels) > 0 && s.Name != "T4 int8 gemm" { fitted = append(fitted, s) } }
		return c, fitted
	}
	_ = gpu.Splits
	c, f := base(nil)
	c.cv(t, "published form", f)
	variants(t, base)
}
