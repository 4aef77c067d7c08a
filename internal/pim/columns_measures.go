package pim

import (
	"fmt"
	"sync"
	"sync/atomic"

	"pimflow/internal/hw"
)

// measures are what short streams take, by their keys. The zero value has none. It is safe for concurrent use. What is found in
// the table of places, mostly, takes no lock.
type measures[T any] struct {
	places [measurePlaces]atomic.Pointer[measure[T]]
	mu     sync.Mutex
	of     map[packedKey]*measure[T]
}

type measure[T any] struct {
	key packedKey
	of  T
}

// measurePlaces: the layers of a network have some hundred measures on a machine. Estimated.
const (
	placeBits     = 9
	measurePlaces = 1 << placeBits
)

// get returns a measure, which is made where there is none.
func (m *measures[T]) get(key packedKey, make func() T) T {
	place := &m.places[key.place()]
	if x := place.Load(); x != nil && x.key == key {
		return x.of
	}
	m.mu.Lock()
	x := m.of[key]
	m.mu.Unlock()
	if x == nil {
		x = &measure[T]{key, make()}
		m.mu.Lock()
		if m.of == nil {
			m.of = map[packedKey]*measure[T]{}
		}
		m.of[key] = x
		m.mu.Unlock()
	}
	place.Store(x)
	return x.of
}

// place is a key's place among measurePlaces: multiplicative hashing (Knuth, The Art of Computer Programming, volume 3, 6.4).
func (k *packedKey) place() uint64 {
	const golden = 0x9e3779b97f4a7c15
	return (k[0]*golden ^ k[1]) * golden >> (64 - placeBits)
}

// visitTimes are the measures of the visits of a channel.
type visitTimes struct {
	opens measures[openTime]
	steps measures[float64] // by how many cycles the writes for the next step lengthen one
}

// Visits are the times of visits by the numbers of a channel, for machines that differ in the number of channels, the link or launches.
// The zero value is empty. It is safe for concurrent use.
type Visits struct {
	mu sync.Mutex
	of map[string]*visitTimes
}

// keptVisits is the most channels whose times are kept: 10 MB. Estimated.
const keptVisits = 128

// at returns the times of a machine's channels.
func (v *Visits) at(m *hw.Machine, basic bool) *visitTimes {
	if v == nil {
		return &visitTimes{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	key := fmt.Sprintf("%v %d %+v", basic, m.Memory.ElementSize, m.PIM)
	t := v.of[key]
	if t == nil {
		if len(v.of) == keptVisits || v.of == nil {
			v.of = map[string]*visitTimes{}
		}
		t = &visitTimes{}
		v.of[key] = t
	}
	return t
}
