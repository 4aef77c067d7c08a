package device

import "pimflow/internal/graph"

// Bound returns a device whose uncertain times are replaced by the time that of chooses:
// Uncertainty's Low or High, for a machine as fast or as slow as its bounds allow. The costs
// of the device have no uncertainty.
func Bound(d Device, of func(*Uncertainty) Time) Device { return bounded{d, of} }

type bounded struct {
	Device
	of func(*Uncertainty) Time
}

func (d bounded) Compile(g *graph.Graph, c graph.Cut) (Code, error) {
	code, err := d.Device.Compile(g, c)
	if err != nil || code.Cost().Uncertain == nil {
		return code, err
	}
	cost := code.Cost()
	cost.Time = cost.At(d.of)
	for i := range cost.Uncertain {
		if u := &cost.Uncertain[i]; u.Kind == OfLaunch {
			more := d.of(u) - u.Time
			if cost.Launch += more; cost.Fusible > 0 {
				cost.Fusible += more
			}
		}
	}
	cost.Uncertain = nil
	return boundedCode{code, cost}, nil
}

type boundedCode struct {
	Code
	cost Cost
}

func (c boundedCode) Cost() Cost { return c.cost }

// Bare is the code itself of code that a device of Bound has compiled.
func Bare(c Code) Code {
	if b, ok := c.(boundedCode); ok {
		return b.Code
	}
	return c
}
