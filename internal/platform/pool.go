package platform

import (
	"container/list"
	"fmt"
	"sync"

	"pimflow/internal/device"
	"pimflow/internal/gpu"
	"pimflow/internal/hw"
	"pimflow/internal/pim"
	"pimflow/internal/plan"
	"pimflow/internal/profile"
)

// Pool makes devices once for all machines whose numbers for the device are equal, and maps layers to the PIM once for all that
// differ in launches alone. What visits to rows take is measured once for all numbers of channels. The devices that were asked for longest ago leave it when it has compiled too much. It is safe for
// concurrent use.
type Pool struct {
	gpu    profile.Maker
	most   int // compiled cuts that are kept
	visits pim.Visits

	mu   sync.Mutex
	made map[string]*list.Element // of *pooled, by numbers
	used list.List                // the last used first
}

// pooled is devices that share numbers, by the rest of their numbers: a GPU, or PIM with its mappings.
type pooled struct {
	numbers  string
	mappings *pim.Mappings
	devices  map[string]device.Device
}

// compiledCuts is how many compiled cuts a pool keeps: 100 MB, at 2.4 kB each, measured on searches of mobilenet-v2.
const compiledCuts = 40_000

// NewPool is an empty pool whose GPUs a maker makes; nil: gpu.New.
func NewPool(by profile.Maker) *Pool {
	return &Pool{gpu: by, most: compiledCuts, made: map[string]*list.Element{}}
}

// Makers make devices of the pool.
func (p *Pool) Makers() Makers { return Makers{GPU: p.newGPU, PIM: p.newPIM} }

func (p *Pool) newGPU(m *hw.Machine, channels int) (device.Device, error) {
	make, numbers := p.gpu, readByGPU(m)
	if make == nil {
		make = gpu.New
	} else { // a maker may ask what the machine's memory is
		numbers.Memory = m.Memory
	}
	return p.of(fmt.Sprintf("gpu %d %+v", channels, numbers), "", func(*pim.Mappings) (device.Device, error) { return make(m, channels) })
}

func (p *Pool) newPIM(m *hw.Machine, channels int, commands string) (device.Device, error) {
	return p.of(fmt.Sprintf("pim %d %s %+v", channels, commands, mappedBy(m)), fmt.Sprintf("%+v", readByPIM(m)), func(shared *pim.Mappings) (device.Device, error) {
		if commands == plan.Basic {
			return shared.NewBasic(m, channels)
		}
		return shared.New(m, channels)
	})
}

// of is the device of some numbers and of further ones.
func (p *Pool) of(numbers, further string, make func(*pim.Mappings) (device.Device, error)) (device.Device, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.made[numbers]
	if at == nil {
		at = p.used.PushFront(&pooled{numbers: numbers, mappings: pim.NewMappings(&p.visits), devices: map[string]device.Device{}})
		p.made[numbers] = at
	}
	p.used.MoveToFront(at)
	of := at.Value.(*pooled)
	if d := of.devices[further]; d != nil {
		return d, nil
	}
	d, err := make(of.mappings)
	if err != nil {
		return nil, err
	}
	d = device.Memo(d)
	of.devices[further] = d
	p.shrink()
	return d, nil
}

// shrink takes the devices from the pool that were used longest ago, until few enough cuts are compiled.
func (p *Pool) shrink() {
	cuts := 0
	for at := p.used.Front(); at != nil; {
		of, next := at.Value.(*pooled), at.Next()
		for _, d := range of.devices {
			cuts += device.Compiled(d)
		}
		if cuts > p.most && at != p.used.Front() {
			p.used.Remove(at)
			delete(p.made, of.numbers)
		}
		at = next
	}
}

// readByGPU returns the numbers that the GPU reads of a machine, all others zero.
func readByGPU(m *hw.Machine) hw.Machine {
	of := m.Memory
	return hw.Machine{GPU: m.GPU, Memory: hw.Memory{Channels: of.Channels, ChannelGBps: of.ChannelGBps, ChannelL2: of.ChannelL2, ElementSize: of.ElementSize}}
}

// readByPIM returns the numbers that the PIM reads of a machine, all others zero: of the GPU its clock, its DRAM efficiency and its energies,
// which the link's costs are made of, and the error of launches; all of it where it finishes results.
func readByPIM(m *hw.Machine) hw.Machine {
	r := hw.Machine{Launch: m.Launch, Memory: m.Memory, GPU: m.GPU, PIM: m.PIM, Link: m.Link}
	r.Memory.PIMChannels = 0
	if m.Link.Finish.Where != hw.OnGPU {
		r.Memory.ChannelL2 = 0
		r.GPU = hw.GPU{Clock: m.GPU.Clock, Energy: m.GPU.Energy}
		r.GPU.Model.EtaD, r.GPU.Error.Launch = m.GPU.Model.EtaD, m.GPU.Error.Launch
	}
	return r
}

// mappedBy returns the numbers that a layer's mapping to the PIM depends on, all others zero.
func mappedBy(m *hw.Machine) hw.Machine {
	return hw.Machine{PIM: m.PIM, Memory: hw.Memory{ChannelGBps: m.Memory.ChannelGBps, ElementSize: m.Memory.ElementSize}, Link: hw.Link{PerByte: m.Link.PerByte}}
}
