package report

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/plan"
	"pimflow/internal/search"
	"pimflow/internal/utilization"
)

// width is the length of a line of text where no other is asked for, in characters.
const width = 80

// Headline answers in a sentence that can be quoted whether the plan is worth it: the speed-up and the energy with their intervals, and
// both times.
func Headline(r *pimflow.Report) string { return spaces(headline(r)) }

func headline(r *pimflow.Report) string {
	return fmt.Sprintf("%s on %s: %s (%s to %s); %s (%s to %s); %s -> %s\u00a0us.",
		fault.Name(r.Model), r.Machine, faster(r.Speedup), times(r.Low), times(r.High),
		saving(r.Energy.Ratio), saved(r.Energy.RatioLow), saved(r.Energy.RatioHigh), micros(r.Baseline), micros(r.Total))
}

// faster says a speed-up in words.
func faster(x float64) string {
	switch {
	case times(x) == times(1):
		return "as fast as the GPU alone"
	case x < 1:
		return times(1/x) + " slower than the GPU alone"
	}
	return times(x) + " faster than the GPU alone"
}

func times(x float64) string { return fmt.Sprintf("%.2fx", x) }

// saving says in words what a quotient of energies saves.
func saving(ratio float64) string {
	if saved(ratio) == saved(1) {
		return "the same energy"
	}
	return saved(ratio) + " energy"
}

// saved is a quotient of energies as a share that is less or more than the whole.
func saved(ratio float64) string {
	word := "less"
	if ratio > 1 {
		word = "more"
	}
	share := math.Round(100 * math.Abs(1-ratio))
	if share == 0 {
		return "0\u00a0%"
	}
	return fmt.Sprintf("%.0f\u00a0%% %s", share, word)
}

// certainty says what holds within the whole of both intervals; "" for a plan that is the GPU alone.
func certainty(r *pimflow.Report) string {
	if r.Low == 1 && r.High == 1 {
		return ""
	}
	of := func(low, high float64, more, less, either string) string {
		switch {
		case low > 1:
			return more
		case high < 1:
			return less
		}
		return either
	}
	return "Within the errors of the models the plan " + of(r.Low, r.High, "is faster", "is slower", "may be faster or slower") + " and " +
		of(r.Energy.RatioLow, r.Energy.RatioHigh, "takes more energy", "takes less energy", "may take more or less energy") + "."
}

// micros prints nanoseconds as microseconds, with more digits where there are few.
func micros(ns float64) string {
	return fmt.Sprintf("%.*f", decimals(ns/1e3), ns/1e3)
}

// decimals is how many digits follow the point where four or more are to be seen, 1 to 3.
func decimals(x float64) int {
	switch x = math.Abs(x); {
	case x >= 100 || x == 0:
		return 1
	case x >= 10:
		return 2
	}
	return 3
}

// answer writes what people ask first: is it worth it, where does the time go, how much is left.
func answer(b *strings.Builder, r *pimflow.Report, columns int) {
	fold := func(text string) string { return foldTo(text, cmp.Or(columns, width)) }
	b.WriteString(fold(headline(r)))
	if text := certainty(r); text != "" {
		b.WriteString(fold(text))
	}
	b.WriteString(fold(of(r)))
	b.WriteString(bindings(r.Bindings))
	b.WriteByte('\n')
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	row := func(name string, base, plan float64, lows ...float64) {
		cells := []string{name, fmt.Sprintf("%.*f", decimals(base), base), "", fmt.Sprintf("%.*f", decimals(plan), plan), "", ""}
		if base > 0 {
			cells[5] = strings.Replace(fmt.Sprintf("%+.1f %%", 100*(plan/base-1)), "-0.0", "+0.0", 1)
		}
		if len(lows) > 0 {
			cells[2], cells[4] = interval(lows[0], lows[1]), interval(lows[2], lows[3])
		}
		t.row(cells...)
	}
	t.row("", "GPU alone", "[low, high]", "plan", "[low, high]", "change")
	row("latency, us", r.Baseline/1e3, r.Total/1e3, r.BaselineLow/1e3, r.BaselineHigh/1e3, r.TotalLow/1e3, r.TotalHigh/1e3)
	e := &r.Energy
	row("energy, mJ", e.Baseline/1e9, e.Total/1e9, e.BaselineLow/1e9, e.BaselineHigh/1e9, e.Low/1e9, e.High/1e9)
	row("mean power, W", e.BaselinePower, e.Power, e.BaselinePowerLow, e.BaselinePowerHigh, e.PowerLow, e.PowerHigh)
	row("images/s", r.Throughput.BaselineRate, r.Throughput.Rate)
	t.write(b)
	b.WriteByte('\n')
	limitText(b, r)
	b.WriteString(fold(spent(r)))
	if r.Bound != nil {
		b.WriteString(fold(left(r)))
	}
	if c := r.Cold; c != nil {
		b.WriteString(fold(fmt.Sprintf("Before the first run, %.*f\u00a0MB of weights are written into the PIM channels, which takes %s\u00a0us.", decimals(float64(c.Bytes)/1e6), float64(c.Bytes)/1e6, micros(c.NS))))
	}
}

// limitText writes what the time goes to by class of layer, the longest on the GPU alone first.
func limitText(b *strings.Builder, r *pimflow.Report) {
	if len(r.Limits) == 0 || r.Total == 0 {
		return
	}
	t := table{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}
	t.row("us, by class", "layers", "GPU alone", "plan", "saved", "of gain", "launch, move, compute")
	for i := range r.Limits {
		l := &r.Limits[i]
		gain, parts := "", ""
		if i > 0 && math.Abs(r.Limits[0].Saved) > 0 {
			gain = fmt.Sprintf("%.1f %%", 100*l.Gain)
		}
		if of := func(base, a, b float64) string { return fmt.Sprintf("%.0f", 100*(a+b)/base) }; l.Total > 0 && l.Class != utilization.Idle {
			parts = of(l.Total, l.GPU.Launch, l.PIM.Launch) + ", " + of(l.Total, l.GPU.Moving, l.PIM.Moving) + ", " + of(l.Total, l.GPU.Computing, l.PIM.Computing) + " %"
		}
		name := "  " + l.Class
		if i == 0 {
			name = l.Class
		}
		t.row(name, fmt.Sprint(l.Layers), fmt.Sprintf("%.1f", l.BaselineNS/1e3), fmt.Sprintf("%.1f", l.Total/1e3), fmt.Sprintf("%.1f", l.Saved/1e3), gain, parts)
	}
	t.write(b)
	b.WriteByte('\n')
}

func interval(low, high float64) string {
	return fmt.Sprintf("[%.*f, %.*f]", decimals(low)-1, low, decimals(high)-1, high)
}

// of says what was planned, and how.
func of(r *pimflow.Report) string {
	list := []string{fmt.Sprintf("%s, %.1f M multiply-accumulates; %d of %d memory channels compute", Count(len(r.Layers), "layer"), float64(r.MACs)/1e6, r.PIMChannels, r.Channels)}
	policy := "policy " + fault.Name(r.Policy)
	if r.Objective != search.Latency.String() {
		policy += " for " + r.Objective
	}
	if r.Effort != "" && r.Effort != search.Normal.String() && r.Policy == pimflow.DefaultPolicy {
		policy += ", effort " + r.Effort
	}
	if r.Stopped {
		policy += ", stopped before the end"
	}
	list = append(list, policy)
	if r.PlanMachine != "" {
		list = append(list, "plan made for machine "+fault.Name(r.PlanMachine))
	}
	if text := pinned(r.Layers); text != "" {
		list = append(list, "pinned: "+text)
	}
	if r.Integers > 0 {
		list = append(list, fmt.Sprintf("%.1f\u00a0%% of the multiply-accumulates are of 8-bit integers: all times of the GPU are of its int8 kernels", 100*float64(r.Integers)/float64(max(r.MACs, 1))))
	}
	return strings.Join(list, "; ") + "."
}

// spent says how long the devices work in the plan, and which layers are where.
func spent(r *pimflow.Report) string {
	if r.Total == 0 {
		return "Nothing takes time."
	}
	share := func(ns float64) string { return fmt.Sprintf("%.0f\u00a0%%", 100*ns/r.Total) }
	text := fmt.Sprintf("GPU busy %s of the plan's time, launching %s; PIM busy %s, launching %s; both at once %s; neither %s.",
		share(r.GPUBusy), share(r.Launch), share(r.PIMBusy), share(r.PIMLaunch), share(r.BothBusy), share(r.Idle))
	words := map[string]string{plan.GPU: "on the GPU", plan.PIM: "on the PIM", "split": "split between them", "pipe": "in pipelines of both"}
	n, sole := map[string]int{}, 0
	for i := range r.Layers {
		if n[r.Layers[i].Kind]++; r.Layers[i].Exclusive {
			sole++
		}
	}
	var list []string
	for _, k := range []string{plan.GPU, plan.PIM, "split", "pipe"} {
		if n[k] > 0 {
			list = append(list, fmt.Sprintf("%d %s", n[k], words[k]))
		}
	}
	if sole > 0 {
		list = append(list, fmt.Sprintf("%d of them alone, with every channel", sole))
	}
	if len(list) == 0 {
		return text
	}
	return text + " Layers: " + strings.Join(list, ", ") + "."
}

// left says how far the plan is from its bounds.
func left(r *pimflow.Report) string {
	if r.Exact {
		return "No plan of at most two tiles a layer is faster: proven."
	}
	return fmt.Sprintf("No plan of the tiles that were costed takes less than %s\u00a0us (the plan is %.1f\u00a0%% above it), none with at most two a layer less than %s\u00a0us (%.1f\u00a0%%).",
		micros(*r.Bound), 100*(r.Total / *r.Bound - 1), micros(*r.BoundTwo), 100*(r.Total / *r.BoundTwo - 1))
}

// foldTo breaks a text at spaces into lines of at most so many characters, where its words allow it. No-break spaces are printed as spaces.
func foldTo(text string, most int) string {
	b := &strings.Builder{}
	n := 0
	for i, word := range strings.Split(text, " ") {
		size := len([]rune(word))
		switch {
		case i > 0 && n+1+size > most:
			b.WriteByte('\n')
			n = 0
		case i > 0:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += size
	}
	return spaces(b.String()) + "\n"
}

// spaces makes spaces of no-break spaces.
func spaces(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }
