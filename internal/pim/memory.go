package pim

import (
	"sync"

	"pimflow/internal/dram"
)

// room is the memory of channels that are performed one after the other.
type room struct {
	streamMemory
	numbers []float32 // taken from its start on
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// zeros are n numbers that are 0, of those behind the ones that are taken.
func zeros(of *[]float32, n int) []float32 {
	v := taken(of, n)
	clear(v)
	return v
}

// streamMemory is the memory of a stream.
type streamMemory struct {
	arena   arena
	batches batchArena
	steps   []address
}

var streamMemories = sync.Pool{New: func() any { return new(streamMemory) }}

// arena holds streams, one after the other.
type arena struct {
	chunk    dram.Stream // free from its length on; so are those below
	commands []dram.Command
	numbers  []int64
}

// reset frees what is held.
func (k *arena) reset() { k.chunk, k.commands, k.numbers = k.chunk[:0], k.commands[:0], k.numbers[:0] }

// grown returns a copy of a stream with space for n more items.
func (k *arena) grown(st dram.Stream, n int) dram.Stream {
	want := max(len(st)+n, 2*len(st))
	to := taken(&k.chunk, want)
	return to[:copy(to, st)]
}

// command is a command that is held.
func (k *arena) command(c dram.Command) *dram.Command {
	to := taken(&k.commands, 1)
	to[0] = c
	return &to[0]
}

// strides are n numbers.
func (k *arena) strides(n int) []int64 {
	if k == nil {
		return make([]int64, n)
	}
	return taken(&k.numbers, n)
}

// taken returns n elements behind those that are taken, which are not set. Where there is no room it begins anew, in more memory.
func taken[S ~[]T, T any](of *S, n int) S {
	const least = 1 << 10 // estimated
	at := len(*of)
	if cap(*of)-at < n {
		*of, at = make(S, 0, max(least, 2*cap(*of), n)), 0
	}
	*of = (*of)[:at+n]
	return (*of)[at : at+n : at+n]
}
