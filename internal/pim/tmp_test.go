package pim
import ("testing";"syscall";"fmt";"math/rand/v2";"pimflow/internal/graph";"pimflow/internal/tensor";"time")
func cpu() time.Duration { var r syscall.Rusage; syscall.Getrusage(0,&r); return time.Duration(r.Utime.Nano()+r.Stime.Nano()) }
func TestCPU(t *testing.T) {
	for _, l := range layers {
		p := int64(l.kernel / 2)
		n := conv(t, rand.New(rand.NewPCG(1, 2)), tensor.Shape{1, l.ins, l.size, l.size}, l.outs, l.group, l.kernel, l.stride, 1, []int64{p, p, p, p}, true)
		dd, _ := New(machine(t), 16)
		d := dd.(*Device)
		whole := n.g.Whole(n.id)
		rows := whole.Box[2].Hi
		N, misses := 0, 0
		c0 := cpu()
		for cpu()-c0 < 300*time.Millisecond {
			clear(d.timed)
			for i := range 2*rows-1 {
				r := tensor.Range{Lo: 0, Hi: i%rows + 1}
				if i/rows%2 == 1 { r = tensor.Range{Lo: i % rows, Hi: rows} }
				if _, err := d.Compile(n.g, graph.Cut{Node: n.id, Box: whole.Box.With(2, r)}); err != nil { t.Fatal(err) }
				N++
			}
			misses += len(d.timed)
		}
		fmt.Println(l.name, (cpu()-c0)/time.Duration(N), "misses/compile", float64(misses)/float64(N))
	}
}
