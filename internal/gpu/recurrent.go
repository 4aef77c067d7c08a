package gpu

// recurrent lowers RNN, GRU and LSTM: one matrix product of the inputs of all steps, and
// a kernel that keeps running, in which each step multiplies the states before it and
// waits for all SMs (Diamos et al., Persistent RNNs, ICML 2016). The weights of the
// recurrence come from the DRAM once, and from the L2 in each step. Estimated.
func recurrent(w *work) []Kernel {
	x, weights := w.g.Nodes[w.nd.In[0]].Shape, w.g.Nodes[w.nd.In[1]].Shape
	steps, batch, inputs := max(x[0], 1), x[1], x[2]
	d, n, h := weights[0], weights[1], w.nd.Attrs.Int("hidden_size")
	A, gates := w.operand(0), w.bytes(w.nd.ID, d*steps*batch*n)
	miss := w.Miss(A + gates)
	inner := GEMM{M: steps * batch, N: n, K: inputs, G: d, A: A, B: w.operand(1), O: gates, MissA: miss, MissB: w.weightMiss(A + gates), MissO: w.written(1, miss)}
	ks := []Kernel{{Class: Matrix, Work: inner, Timing: w.GEMM(inner, w.products, Splits(ProductSplit))}}

	R := w.operand(2)
	v := GEMV{M: batch, N: n, K: h, G: d, B: R}
	k := Kernel{Class: Vector, Work: v, Timing: w.GEMV(v)}
	if batch > 8 { // as for products
		p := GEMM{M: batch, N: n, K: h, G: d, A: w.bytes(w.nd.ID, d*batch*h), B: R, O: w.bytes(w.nd.ID, d*batch*n)}
		k = Kernel{Class: Matrix, Work: p, Timing: w.GEMM(p, w.products, Splits(ProductSplit))}
	}
	s := float64(steps)
	t := &k.Timing
	t.Bytes = R*w.weightMiss(gates) + gates*miss + w.written(w.out, miss) + w.residual*miss
	t.DRAM = w.dramUS(t.Bytes, w.EtaD)
	t.US, t.SM, t.MACs, t.L2, t.FMA, t.Tensor = t.US*s, t.SM*s, t.MACs*s, t.L2*s, t.FMA*s, t.Tensor*s
	t.L2Moved = 2*t.Bytes + t.L2
	if t.DRAM > t.US {
		t.US, t.Bound = t.DRAM, "dram"
	}
	return append(ks, k)
}
