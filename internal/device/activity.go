package device

// Activity counts what code does while it runs, over all channels. Counts of the GPU are those of its model's kernels, with the padding
// of tiles; products of the PIM are those that its multipliers execute, with the padding of columns.
type Activity struct {
	Tensor float64 // multiply-accumulates of the GPU's tensor cores
	FMA    float64 // of its FMA units
	L2     float64 // bytes between the GPU's L2 and its SMs
	DRAM   float64 // bytes of the memory channels of the GPU
	Link   int64   // bytes between the channels that compute and the rest of the machine
	MACs   int64   // multiply-accumulates of the PIM
	Inner  int64   // bytes that banks read to their multipliers
	Reads  int64   // column reads of banks, each to a multiplier
	Opened int64   // rows opened, of a bank each
	Firsts int64   // column reads that are the first of a row opened
}

// Add adds another activity.
func (a *Activity) Add(o Activity) {
	a.Tensor, a.FMA, a.L2, a.DRAM = a.Tensor+o.Tensor, a.FMA+o.FMA, a.L2+o.L2, a.DRAM+o.DRAM
	a.Link, a.MACs, a.Inner = a.Link+o.Link, a.MACs+o.MACs, a.Inner+o.Inner
	a.Reads, a.Opened, a.Firsts = a.Reads+o.Reads, a.Opened+o.Opened, a.Firsts+o.Firsts
}

// Active is Code that counts what it does. It counts on demand, since a search keeps tens of thousands of codes.
type Active interface {
	Activity() Activity
}

// ActivityOf is the activity of code; of code that does not count, the bytes of its cost.
func ActivityOf(c Code) Activity {
	if a, ok := Bare(c).(Active); ok {
		return a.Activity()
	}
	return Activity{DRAM: float64(c.Cost().Bytes)}
}
