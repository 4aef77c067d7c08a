package pimflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/files"
	"pimflow/internal/plan"
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

// mostOptions is the number of alternatives of a layer in a report, the fastest alone first.
const mostOptions = 5

// Options adds the fastest ways to execute each layer alone, and the time of the plan with each, to a report that has its utilization; not to
// that of a network of more than 400 layers. The plan is timed with each of many ways.
func (s *Session) Options(ctx context.Context, p *Plan, rep *Report) error {
	p, e, err := s.explainer(p)
	if err != nil {
		return err
	}
	layers, err := p.result.Layers()
	if err != nil || len(layers) > movedLayers {
		return err
	}
	progress := s.phase("alternatives")
	for i := range layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		placed, err := e.Placed(&layers[i])
		if err != nil {
			return err
		}
		options, _, err := e.Fastest(placed, mostOptions)
		if err != nil {
			return err
		}
		of := *rep.Layers[i].Use
		of.Options = nil
		for k := range options {
			o := &options[k]
			of.Options = append(of.Options, usage.Option{Parts: s.parts(o.Tiles()), Chosen: o.Chosen, NS: o.Time.NS(), Total: o.Total.NS(), Why: o.Why})
		}
		if progress != nil {
			progress(i+1, len(layers))
		}
		rep.Layers[i].Use = &of
	}
	return nil
}

// parts is tiles in words: their device and what they are of their layer.
func (s *Session) parts(tiles []plan.Tile) string {
	var list []string
	for _, t := range tiles {
		text := strings.ToUpper(t.Device)
		switch axis, from, to, of := axisOf(t.Box, s.graph.Nodes[t.Node].Shape); {
		case of > 0:
			text += fmt.Sprintf(" %s %d to %d", axis, from, to)
		case axis != "":
			text += " " + t.Box.String()
		}
		list = append(list, text)
	}
	return strings.Join(list, " + ")
}

// Manifest says what a plan rests on: the version and the hashes of the model's files, of the machine and of the plan. command is the command
// line, or "".
func (s *Session) Manifest(ctx context.Context, p *Plan, version, command string) (m *usage.Manifest, err error) {
	m = &usage.Manifest{Version: version, Command: command, About: s.machine.About, NotModelled: s.machine.NotModelled}
	for _, keys := range energyKeys {
		list := []usage.Constant{}
		for _, key := range keys {
			list = append(list, usage.Constant{Key: key, Source: s.machine.Sources[key]})
		}
		m.Energy = append(m.Energy, list)
	}
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

// energyKeys are the keys of a machine that the parts of the energy are proportional to.
var energyKeys = [device.Parts][]string{
	device.GPUStandby: {"gpu.energy.constant_w", "gpu.energy.sm_idle_w"}, device.GPUActive: {"gpu.energy.sm_busy_w"},
	device.GPUMAC: {"gpu.energy.tensor_mac_pj"}, device.GPUFMA: {"gpu.energy.fma_pj"}, device.GPUL2: {"gpu.energy.l2_pj_per_byte"},
	device.GPUDRAM: {"gpu.energy.dram_pj_per_byte"}, device.PIMStandby: {"pim.energy.standby_mw"}, device.PIMRefresh: {"pim.energy.refresh_pj"},
	device.PIMActive: {"pim.energy.active_mw"}, device.PIMActivate: {"pim.energy.activate_pj", "pim.energy.precharge_pj"},
	device.PIMColumnRead: {"pim.energy.column_read_pj"}, device.PIMMAC: {"pim.energy.mac_pj"},
	device.PIMBuffer: {"pim.energy.broadcast_pj", "pim.energy.gwrite_pj", "pim.energy.readres_pj", "pim.energy.init_pj"},
	device.PIMIO:     {"pim.energy.io_pj_per_bit"}, device.PIMFinish: {"link.finish.pj_per_op"},
}

// maxModel bounds a file of a model that is hashed, in bytes.
const maxModel = 1 << 40

// hashOf is the SHA-256 of the bytes that a function writes, in hexadecimal digits.
func hashOf(write func(io.Writer) error) (string, error) {
	h := sha256.New()
	err := write(h)
	return hex.EncodeToString(h.Sum(nil)), err
}
