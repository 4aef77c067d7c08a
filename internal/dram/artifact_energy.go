package dram

// Joules is the energy of one channel as the published simulator counts it, without
// activations, refreshes, transfers and leakage.
type Joules struct{ COMP, GWRITE, READRES, PREA float64 }

// Total is the sum.
func (j Joules) Total() float64 { return j.COMP + j.GWRITE + j.READRES + j.PREA }

// ArtifactEnergy is the energy that the published simulator prints for a result of the
// standard artifact (PIMFlow_ramulator, src/Controller.h; 16 banks of 16 lanes).
func ArtifactEnergy(r Result) Joules {
	const (
		banks, lanes, burst = 16, 16, 32 // a DRAM read counts once for 32 COMPs

		precharge = 0.03183e-9  // of a bank
		sramRead  = 0.175814e-9 // of a word
		sramWrite = 0.181995e-9
		dramRead  = 1.16822e-9
		multiply  = 1.1e-12 // fp16
		add       = 0.4e-12
	)
	n := func(op Op) float64 { return float64(r.Issued[op]) }
	return Joules{
		COMP:    n(artCOMP) / burst * banks * (burst*lanes*multiply + burst*sramRead + dramRead + burst*lanes*add),
		GWRITE:  n(artGWRITE) * sramWrite, // one word for any number of inputs
		READRES: n(artREADRES) * sramRead,
		PREA:    n(artPREA) * banks * precharge,
	}
}
