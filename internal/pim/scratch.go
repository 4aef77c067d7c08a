package pim

import "pimflow/internal/dram"

// scratch is memory that the mappings of a layer are compared in. It is used for one layer
// after another.
type scratch struct {
	shares [3][]share // in which plans are made, and of two mappings that are compared
	plans  []planned
	items  stock
	made   batches // of streams without addresses
}

// set returns a set of shares of so many channels.
func (r *scratch) set(i, channels int) []share {
	const spans = 6 // of a channel, usually
	if len(r.shares[i]) != channels {
		s, all := make([]share, channels), make(share, channels*spans)
		for c := range s {
			s[c] = all[c*spans : c*spans : (c+1)*spans]
		}
		r.shares[i] = s
	}
	return r.shares[i]
}

// stock is items of streams without addresses, which are gone once the stream is timed.
type stock struct {
	chunk dram.Stream // the part that is free begins at its length
}

// grown returns a copy of a stream with room for n items more.
func (k *stock) grown(st dram.Stream, n int) dram.Stream {
	const items = 1 << 10
	want := max(len(st)+n, 2*len(st))
	at := len(k.chunk)
	if cap(k.chunk)-at < want {
		k.chunk, at = make(dram.Stream, 0, max(items, 2*cap(k.chunk), want)), 0
	}
	k.chunk = k.chunk[:at+want]
	return append(k.chunk[at:at:at+want], st...)
}

// enter returns a scratch that nobody else uses until it is left.
func (d *Device) enter() *scratch {
	if r, ok := d.scratches.Get().(*scratch); ok {
		return r
	}
	return &scratch{}
}

func (d *Device) leave(r *scratch) { d.scratches.Put(r) }
