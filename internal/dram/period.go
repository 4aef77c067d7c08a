package dram

// Period is how long a stream takes that is repeated over and over without a refresh: the mean
// cycles from one repetition to the next once they are regular, and the cycles by which a run of
// n repetitions is longer than n periods, with the arrival of the last result.
//
// In the literature: the eigenvalue of a max-plus matrix.
func (c *Channel) Period(s Stream) (period float64, edge float64) {
	j := c.borrow()
	defer c.giveBack(j)
	j.prepare(s)
	st := c.start()
	at := j.intern(&st)
	type visit struct {
		at int32
		t  Cycle
	}
	var seen []visit
	var t, end Cycle
	for {
		for i, v := range seen {
			if v.at == at {
				n := len(seen)
				period = float64(t-v.t) / float64(n-i)
				return period, float64(end) - float64(n)*period
			}
		}
		seen = append(seen, visit{at, t})
		m := j.move(0, at)
		end = max(end, t+m.result, t+m.took)
		at, t = m.at, t+m.took
	}
}
