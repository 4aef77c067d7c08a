package dram

import (
	"errors"
	"fmt"
)

// Check holds what an engine issues against the rules of a standard: an Audit of commands of all banks that ends at the first
// violation, and takes a refresh before its request for one too.
type Check struct{ audit *Audit }

// NewCheck starts a check at cycle 0. The error names a wrong timing parameter.
func (s *Standard) NewCheck(t Timing) (*Check, error) {
	a, err := s.NewAudit(t)
	return &Check{a}, err
}

// Issue checks a command issued in a cycle. The error names the rule that it breaks; the command does not count then.
func (c *Check) Issue(op Op, at Cycle) error {
	a := c.audit
	if a.std.Ops[op].Bank {
		return fmt.Errorf("cycle %d: %s of a single bank: commands of all banks wanted", at, a.std.Ops[op].Name)
	}
	var first *Violation
	a.Judge(op, AllBanks, AnyRow, at, func(v *Violation) {
		if first == nil && v.Rule != RuleOpen {
			first = v
		}
	})
	if first != nil {
		return errors.New(first.String())
	}
	if f := a.std.Refresh; f != nil && op == f.Do {
		if due := (a.done + 1) * a.book.Interval; int64(at) < due {
			return fmt.Errorf("cycle %d: %s before the refresh is requested in cycle %d", at, a.std.Ops[op].Name, due)
		}
	}
	a.Record(op, AllBanks, AnyRow, at)
	return nil
}

// Finish checks the end of a run. The error names a refresh that is missing.
func (c *Check) Finish(end Cycle) error {
	issued, requested := c.audit.Refreshes(end)
	if f := c.audit.std.Refresh; f != nil && f.Postponed {
		requested -= f.late()
	}
	if issued < requested {
		return fmt.Errorf("cycle %d: the refresh of cycle %d is missing", end, (issued+1)*c.audit.book.Interval)
	}
	return nil
}
