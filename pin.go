package pimflow

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"pimflow/internal/device"
	"pimflow/internal/fault"
	"pimflow/internal/graph"
	"pimflow/internal/nearest"
	"pimflow/internal/plan"
)

// pin is a value of Search.Pins.
type pin struct{ layers, device string }

func parsePin(text string) (pin, error) {
	at := strings.LastIndexByte(text, '=') // names may contain one
	if at < 1 {
		return pin{}, fault.Usagef("pin %.80q: LAYERS=gpu or LAYERS=pim wanted", text)
	}
	p := pin{text[:at], text[at+1:]}
	if p.device != plan.GPU && p.device != plan.PIM {
		return pin{}, fault.Usagef("pin %.80q: device %.80q: %s or %s wanted", text, p.device, plan.GPU, plan.PIM)
	}
	return p, nil
}

// pinned finds the layers of pins.
func (s *Session) pinned(pins []string) (map[graph.ID]string, error) {
	if len(pins) == 0 {
		return nil, nil
	}
	at := map[graph.ID]string{}
	for _, text := range pins {
		p, err := parsePin(text)
		if err != nil {
			return nil, err
		}
		list, exact := s.matching(p.layers)
		if len(list) == 0 {
			return nil, fault.Usagef("pin %.80q: no layer of %s is called %.80q%s", text, s.graph.Name, p.layers, nearest.Hint(p.layers, s.layers()))
		}
		n := 0
		var refused error
		for _, id := range list {
			if p.device == plan.PIM {
				if err := s.refuses(id); errors.Is(err, device.ErrUnsupported) {
					refused = err
					continue
				} else if err != nil {
					return nil, err
				}
			}
			at[id] = p.device
			n++
		}
		if n == 0 || exact && refused != nil {
			return nil, fault.As(fault.Infeasible, fmt.Errorf("pin %.80q: %w", text, refused))
		}
	}
	return at, nil
}

// matching lists the layers of a name or, if there is none, of a pattern.
func (s *Session) matching(layers string) (list []graph.ID, exact bool) {
	parts := strings.Split(layers, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	pattern := regexp.MustCompile("^(?s:" + strings.Join(parts, ".*") + ")$")
	for i := range s.graph.Nodes {
		switch nd := &s.graph.Nodes[i]; {
		case nd.Op == nil:
		case nd.Name == layers:
			return []graph.ID{nd.ID}, true
		case pattern.MatchString(nd.Name):
			list = append(list, nd.ID)
		}
	}
	return list, false
}

// layers are the names of the operations.
func (s *Session) layers() (names []string) {
	for i := range s.graph.Nodes {
		if s.graph.Nodes[i].Op != nil {
			names = append(names, s.graph.Nodes[i].Name)
		}
	}
	return names
}

// refuses is the reason why the PIM does not execute a layer; nil if it does.
func (s *Session) refuses(id graph.ID) error {
	ds, err := s.target.Devices(s.target.PIMChannels, plan.Extended)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.Name() == plan.PIM {
			_, err := d.Compile(s.graph, s.graph.Whole(id))
			return err
		}
	}
	return fmt.Errorf("machine %s has no PIM: %w", s.machine.Name, device.ErrUnsupported)
}
