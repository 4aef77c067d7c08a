package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pimflow/internal/fault"
	"pimflow/internal/nearest"
)

// tables are the operators that are known, by domain. It is a function because rows lower graphs, and graphs need rows.
func tables() map[string]map[string]row {
	return map[string]map[string]row{"": lowerings, microsoft: contributed}
}

// domain is the key of a domain in tables.
func domain(d string) string {
	if defaultDomain(d) {
		return ""
	}
	return d
}

// supported reports whether there is a row or a function for a node.
func (l *lowering) supported(p *nodeProto) bool {
	_, ok := l.rows[domain(p.domain)][p.opType]
	return ok || l.function(p) != nil
}

// missing counts the nodes of operators that are not supported.
type missing map[operator]int

type operator struct{ domain, name string }

func (m *missing) add(p *nodeProto) {
	if *m == nil {
		*m = missing{}
	}
	(*m)[operator{domain(p.domain), p.opType}]++
}

// maxListed bounds the operators that an error lists.
const maxListed = 20

// err lists them, those of ONNX first; known are the rows of its domain.
func (m missing) err(known map[string]row) error {
	all := 0
	var list []string
	for _, o := range slices.SortedFunc(maps.Keys(m), func(a, b operator) int {
		return strings.Compare(a.domain+"\x00"+a.name, b.domain+"\x00"+b.name)
	}) {
		all += m[o]
		s := fault.Name(o.name)
		switch {
		case o.domain != "":
			s += " of " + fault.Name(o.domain)
		case !isStandard(o.name):
			if hint := nearest.Hint(o.name, slices.Sorted(maps.Keys(known))); hint != "" {
				s += hint
			} else {
				s += ", which ONNX does not have,"
			}
		}
		list = append(list, fmt.Sprintf("%s (%d)", s, m[o]))
	}
	if n := len(list) - maxListed; n > 0 {
		list = append(list[:maxListed], fmt.Sprintf("%d more", n))
	}
	what := "operators are"
	if all == 1 {
		what = "operator is"
	}
	return fmt.Errorf("%d %s not supported: %s; --until VALUE takes the network up to a value", all, what, strings.Join(list, ", "))
}
