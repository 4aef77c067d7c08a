package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"pimflow/internal/job"
)

// errNoStart is wrapped if a start of a job has no result: no coordinator sends such a job.
var errNoStart = errors.New("it has no result")

// kept bounds the plans that a worker keeps for the next jobs. Estimated.
const kept = 256

// plans are those of starts, by key, "" of those without a plan.
type plans struct {
	mu sync.Mutex
	by map[job.Key]string
}

// of returns the plans of starts that have one, in the order of the starts.
func (p *plans) of(ctx context.Context, s *Store, starts []job.Key) (list []string, err error) {
	for _, key := range starts {
		text, err := p.one(ctx, s, key)
		if err != nil {
			return nil, err
		}
		if text != "" {
			list = append(list, text)
		}
	}
	return list, nil
}

func (p *plans) one(ctx context.Context, s *Store, key job.Key) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text, ok := p.by[key]; ok {
		return text, nil
	}
	e, err := s.get(ctx, key)
	if err != nil {
		return "", err
	}
	if e == nil {
		return "", fmt.Errorf("start %s: %w", key, errNoStart)
	}
	if len(p.by) >= kept || p.by == nil {
		p.by = map[job.Key]string{}
	}
	p.by[key] = e.Plan
	return e.Plan, nil
}
