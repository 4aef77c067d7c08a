package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"pimflow"

	"pimflow/internal/hw"
	"pimflow/internal/plan"
	"pimflow/internal/result"
)

// sumBytes is the size of an accumulator: float32 or int32 (package pim).
const sumBytes = 4

// numbers fills a row with what a plan takes on the session's machine.
func numbers(r *result.Row, s *pimflow.Session, p *pimflow.Plan) error {
	rep, err := s.Summary(p)
	if err != nil {
		return err
	}
	r.Batch, r.PIMChannels, r.Stopped = rep.Throughput.Images, rep.PIMChannels, rep.Stopped
	r.Baseline, r.BaselineLow, r.BaselineHigh = rep.Baseline, rep.BaselineLow, rep.BaselineHigh
	r.Total, r.TotalLow, r.TotalHigh = rep.Total, rep.TotalLow, rep.TotalHigh
	r.Speedup, r.SpeedupLow, r.SpeedupHigh = rep.Speedup, rep.Low, rep.High
	if rep.Bound != nil {
		r.Bound, r.BoundTwo = *rep.Bound, *rep.BoundTwo
	}
	r.GPUBusy, r.PIMBusy, r.BothBusy, r.Launch, r.PIMLaunch, r.Idle = rep.GPUBusy, rep.PIMBusy, rep.BothBusy, rep.Launch, rep.PIMLaunch, rep.Idle
	r.BaselineRate, r.Rate = rep.Throughput.BaselineRate, rep.Throughput.Rate
	e := &rep.Energy
	r.BaselineEnergy, r.Energy, r.EnergyLow, r.EnergyHigh, r.Ratio, r.RatioLow, r.RatioHigh = e.Baseline, e.Total, e.Low, e.High, e.Ratio, e.RatioLow, e.RatioHigh
	r.Parts = map[string]result.Energy{}
	for _, p := range e.Parts {
		r.Parts[p.Name] = result.Energy{Value: p.Total, Low: p.Low, High: p.High}
	}
	_, m, _, _ := s.Internal()
	launches(r, p)
	hardware(r, m)
	return nil
}

// launches counts those of a plan.
func launches(r *result.Row, p *pimflow.Plan) {
	steps := p.Internal().Timeline.Program.Steps
	for i := range steps {
		st := &steps[i]
		kernels := st.Code.Cost().Kernels
		if st.Device != plan.PIM {
			r.GPULaunches += kernels
			continue
		}
		r.Finishes += kernels
		if !st.Fused {
			r.PIMLaunches++
		}
	}
}

// hardware counts what the channels that compute have.
func hardware(r *result.Row, m *hw.Machine) {
	r.MACUnits = r.PIMChannels * m.PIM.MACUnits() * m.PIM.Lanes()
	r.BufferBytes = r.PIMChannels * (m.PIM.Buffers*m.PIM.Buffer + sumBytes*m.PIM.Banks*m.PIM.Sums)
	r.Channels = m.Memory.Channels
	r.Internal = 1e3 * float64(r.PIMChannels*m.PIM.MACUnits()*m.PIM.Column) / m.ColumnPS()
}

// hashOf is the SHA-256 of a text.
func hashOf(write func(b *strings.Builder) error) (string, error) {
	var b strings.Builder
	if err := write(&b); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:]), nil
}
