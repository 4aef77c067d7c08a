package report

import (
	"io"
	"path/filepath"

	"pimflow"

	"pimflow/internal/fault"
	"pimflow/internal/tracing"
)

// perfettoEnding is that of files in Perfetto's protocol buffers.
const perfettoEnding = ".pftrace"

// Trace writes the timeline of a plan for viewers, in the form that the name of the file asks for: Perfetto's protocol buffers where it
// ends in .pftrace, else the Trace Event Format.
func Trace(w io.Writer, file string, r *pimflow.Report, p *pimflow.Plan) error {
	of := p.Internal()
	t := tracing.New(of.Timeline, &of.Standby, of.Plan.PIMChannels, fault.Name(r.Model), []tracing.Arg{
		{Name: "version", Value: Version()}, {Name: "machine", Value: r.Machine}, {Name: "policy", Value: r.Policy},
		{Name: "gpu_clock_ps", Value: r.Clocks.GPU}, {Name: "pim_clock_ps", Value: r.Clocks.PIM}, {Name: "total_ns", Value: r.Total},
	})
	if filepath.Ext(file) == perfettoEnding {
		return t.Perfetto(w)
	}
	return t.JSON(w)
}
