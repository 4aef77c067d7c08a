package page

import (
	"html/template"
	"strings"

	"pimflow/internal/fault"
)

// basis is the eighth section: what may I believe?
type basis struct {
	Statements []statement
	Rows       []statement
}

type statement struct {
	Head string
	Text template.HTML
}

// command is the command line of the report; of one without it the command that makes such a report.
func (p *pager) command() string {
	if m := p.Manifest; m != nil && m.Command != "" {
		return fault.Name(m.Command)
	}
	return "pimflow run " + fault.Name(p.Model) + " --policy " + fault.Name(p.Policy)
}

func (p *pager) setting() string {
	s := []string{"machine " + fault.Name(p.Machine), plural(p.Channels, "memory channel") + ", " + number(float64(p.PIMChannels), 0) + " of them compute"}
	if n := p.Throughput.Images; n > 0 {
		s = append(s, "batch "+number(float64(n), 0))
	}
	return strings.Join(append(s, "policy "+fault.Name(p.Policy)), " · ")
}

func (p *pager) basis() (b basis) {
	say := func(head string, format string, a ...any) {
		var c canvas
		c.put(format, a...)
		b.Statements = append(b.Statements, statement{head, c.html()})
	}
	if k := p.Check; k != nil && k.Replay.Timed > 0 {
		say("PIM times are exact under the machine’s DRAM rules.", "%s commands in %s were replayed, %s of them also held against every rule of time.",
			number(float64(k.Replay.Commands), 0), plural(k.Replay.Streams, "stream"), number(float64(k.Replay.Timed), 0))
	} else {
		say("PIM times are exact under the machine’s DRAM rules.", "Add <code>--check</code> to replay every command.")
	}
	if g := p.GPUProfile; g != nil {
		say("GPU times are measured where the profile has them,", "modelled elsewhere. With them the plan takes %s to %s%sµs, and the speed-up is %s to %s.", us(p.TotalLow), us(p.TotalHigh), space, number(p.Low, 2), number(p.High, 2))
	} else {
		say("GPU times are modelled, not measured.", "Within the errors of the model the GPU alone takes %s to %s%sµs, the plan %s to %s%sµs, and the speed-up is %s to %s.",
			us(p.BaselineLow), us(p.BaselineHigh), space, us(p.TotalLow), us(p.TotalHigh), space, number(p.Low, 2), number(p.High, 2))
	}
	launches, tiles := 0, 0
	for _, x := range p.pieces() {
		if x.Device == "pim" {
			if tiles++; x.Launch > 0 {
				launches++
			}
		}
	}
	if tiles > 0 {
		if launches < tiles {
			say("Consecutive PIM work shares one launch.", "%s for %s; whether hardware can is an assumption.", plural(launches, "launch"), plural(tiles, "piece"))
		} else {
			say("Each piece of PIM work has a launch.", "%s, of %s%sµs in all.", plural(tiles, "piece"), us(p.PIMLaunch), space)
		}
	}
	e := &p.Report.Energy
	say("Energy constants come from several sources.", "With all at their low or at their high value the plan takes %s to %s%smJ, which is %s to %s than the GPU alone.",
		millijoule(e.Low), millijoule(e.High), space, more(e.RatioLow), more(e.RatioHigh))
	switch {
	case p.Exact:
		say("The plan is proved.", "No plan of at most two pieces a layer is faster.")
	case p.Bound != nil && *p.Bound > 0:
		gap := p.Total / *p.Bound - 1
		if gap < 0.0005 {
			say("The plan is as fast as the bound.", "No plan of the costed pieces is faster.")
		} else {
			say("The gap to the bound is open.", "The plan takes %s more than the bound; a better plan may exist.", share(gap))
		}
	default:
		say("No bound was computed.", "A better plan may exist.")
	}
	row := func(head, text string) {
		if text != "" {
			b.Rows = append(b.Rows, statement{head, template.HTML(text)})
		}
	}
	code := func(s string) string { return "<code>" + esc(s) + "</code>" }
	row("Command", code(p.command()))
	model := esc(cut(fault.Name(p.Model), 120)) + ", " + plural(len(p.Report.Layers), "layer") + ", " + number(float64(p.MACs)/1e6, 1) + space + "M multiply-accumulates"
	m := p.Manifest
	if m != nil && m.Model != "" {
		model += "<br>" + hash(m.Model)
	} else if m != nil {
		model += ", built in"
	}
	row("Model", model)
	machine := esc(cut(fault.Name(p.Machine), 80))
	if m != nil {
		machine += ": " + esc(cut(m.About, 300)) + "<br>" + hash(m.Machine)
	}
	row("Machine", machine)
	if m != nil && len(m.NotModelled) > 0 {
		row("Not modelled", esc(cut(strings.Join(m.NotModelled, "; "), 900)))
	}
	if m != nil {
		plan := hash(m.Plan)
		if p.Effort != "" {
			plan += ", effort " + esc(cut(p.Effort, 20))
		}
		row("Plan", plan)
		row("Version", esc(cut(m.Version, 200)))
	}
	switch k := p.Check; {
	case k == nil:
		row("Check", "none")
	case k.OK && k.Exact:
		row("Check", "every tile equal to the bit on whole numbers")
	case k.OK:
		row("Check", "largest difference "+number(100*k.MaxRel, 3)+thin+"% of the largest output")
	default:
		row("Check", "failed: "+esc(cut(fault.Name(k.Reason), 300)))
	}
	row("Format", esc(cut(p.Schema, 40))+", as <code>pimflow run --json</code> prints it")
	return b
}

func hash(s string) string {
	return `<code title="` + esc(s) + `">sha256 ` + esc(cut(s, 21)) + `</code>`
}
