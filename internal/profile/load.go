package profile

import (
	"fmt"

	"pimflow/internal/files"
	"pimflow/internal/hw"
)

// maxFile bounds a table of kernels, in bytes. Estimated.
const maxFile = 1 << 30

// Load reads a file of measured kernels for a machine. It is an error if no kernel is
// measured, or if the profile does not fit the machine (Fits).
func Load(file string, m *hw.Machine) (*Profile, error) {
	f, err := files.OpenText(file, maxFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := Parse(f, file)
	if err != nil {
		return nil, err
	}
	if n, _ := p.Measured(); n == 0 {
		return nil, fmt.Errorf("%s: no row has a time_us: at least one measured kernel wanted", file)
	}
	return p, p.Fits(m)
}
