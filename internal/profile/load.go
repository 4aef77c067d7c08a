package profile

import (
	"bytes"
	"fmt"

	"pimflow/internal/files"
	"pimflow/internal/graph"
	"pimflow/internal/hw"
)

// maxFile bounds a table of kernels, in bytes. Estimated.
const maxFile = 1 << 30

// Load reads a file of measured kernels for a machine, or of times by the names of a graph's layers (nil for none): CSV, or
// what trtexec --exportProfile writes. It is an error if no kernel is measured, or if the profile does not fit the machine (Fits).
// note, unless "", says which names are no layers.
func Load(file string, m *hw.Machine, g *graph.Graph) (p *Profile, note string, err error) {
	data, err := files.Read(file, maxFile)
	if err != nil {
		return nil, "", err
	}
	n, ok, err := byName(data, file)
	if err != nil {
		return nil, "", err
	}
	if ok {
		if g == nil {
			return nil, "", fmt.Errorf("%s has times by names of layers: a table of kernels wanted, as pimflow profile lists them", file)
		}
		t, fits := Type(m)
		if !fits {
			return nil, "", (&Profile{File: file}).Fits(m)
		}
		if p, note, err = n.on(g, t); err != nil {
			return nil, "", err
		}
		return p, note, p.Fits(m)
	}
	if p, err = Parse(bytes.NewReader(data), file); err != nil {
		return nil, "", err
	}
	if n, _ := p.Measured(); n == 0 {
		return nil, "", fmt.Errorf("%s: no row has a time_us: at least one measured kernel wanted", file)
	}
	return p, "", p.Fits(m)
}
