package pimflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"pimflow/internal/files"
	"pimflow/internal/search"
	"pimflow/internal/usage"
)

// Beside plans the model with every other policy, in their order, with the plan's own among them. Each is searched.
func (s *Session) Beside(ctx context.Context, p *Plan) ([]usage.Policy, error) {
	p, err := s.own(p)
	if err != nil {
		return nil, err
	}
	list := []usage.Policy{}
	add := func(name, about string, p *Plan) error {
		r, err := newSummary(s, p)
		if err != nil {
			return err
		}
		list = append(list, usage.Policy{
			Name: name, About: about, Total: r.Total, Speedup: r.Speedup, SpeedupLow: r.Low, SpeedupHigh: r.High,
			GPUBusy: r.GPUBusy, PIMBusy: r.PIMBusy, Energy: r.Energy.Total, EnergyLow: r.Energy.Low, EnergyHigh: r.Energy.High,
		})
		return nil
	}
	own := false
	for _, policy := range search.Policies() {
		of := p
		if policy.Name == p.result.Plan.Policy {
			own = true
		} else if policy.All { // longer than all others together
			continue
		} else {
			if of, err = s.Plan(ctx, Search{Policy: policy.Name, Objective: p.how.Objective, Effort: p.how.Effort}); err != nil {
				return nil, err
			}
		}
		if err := add(policy.Name, policy.About, of); err != nil {
			return nil, err
		}
	}
	if !own {
		if err := add(p.result.Plan.Policy, "the given plan", p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Manifest says what a plan rests on: the version and the hashes of the model's files, of the machine and of the plan. command is the command
// line, or "".
func (s *Session) Manifest(ctx context.Context, p *Plan, version, command string) (m *usage.Manifest, err error) {
	m = &usage.Manifest{Version: version, Command: command, About: s.machine.About, NotModelled: s.machine.NotModelled}
	if m.Plan, err = hashOf(p.Print); err != nil {
		return nil, err
	}
	if m.Machine, err = hashOf(s.on.Print); err != nil {
		return nil, err
	}
	if len(s.Files()) > 0 {
		m.Model, err = hashOf(func(w io.Writer) error {
			for _, name := range s.Files() {
				f, err := files.Open(name, maxModel)
				if err != nil {
					return err
				}
				_, err = io.Copy(w, files.While(ctx, f))
				f.Close()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	s.whole(&err)
	return m, err
}

// maxModel bounds a file of a model that is hashed, in bytes.
const maxModel = 1 << 40

// hashOf is the SHA-256 of what is written.
func hashOf(write func(io.Writer) error) (string, error) {
	h := sha256.New()
	err := write(h)
	return hex.EncodeToString(h.Sum(nil)), err
}
