package pimflow_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"pimflow"
)

// Plan a network that is built in, and say what the plan gains and where layers are.
func Example() {
	s, err := pimflow.Open(context.Background(), "toy", pimflow.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	plan, err := s.Plan(context.Background(), pimflow.Search{})
	if err != nil {
		log.Fatal(err)
	}
	r, err := s.Time(plan)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f ns, %.3f times as fast as the GPU alone\n", r.Total, r.Speedup)
	for _, l := range r.Layers[:3] {
		fmt.Println(l.Name, l.Op, l.Kind, l.Tiles[0].Box)
	}
	// Output:
	// 48474.8 ns, 1.087 times as fast as the GPU alone
	// stem.conv Conv+Relu pim [0:1 0:16 0:16 0:16]
	// stem.pool MaxPool gpu [0:1 0:16 0:8 0:8]
	// block.expand Conv+Clip pim [0:1 0:32 0:8 0:8]
}

// Change keys of a machine and print it. Errors name the nearest key, and what is wanted.
func ExampleMachine_Set() {
	m, err := pimflow.LoadMachine("newton")
	if err != nil {
		log.Fatal(err)
	}
	_, err = m.Set("memory.pim_chanels=8")
	fmt.Println(err)
	_, err = m.Set("memory.pim_channels=eight")
	fmt.Println(err)
	own, err := m.Set("name=mine", "memory.pim_channels=8", "launch.gpu=graph")
	if err != nil {
		log.Fatal(err)
	}
	s, err := pimflow.Open(context.Background(), "toy", pimflow.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	on, err := s.On(own)
	if err != nil {
		log.Fatal(err)
	}
	plan, err := on.Plan(context.Background(), pimflow.Search{Policy: "pimflow"})
	if err != nil {
		log.Fatal(err)
	}
	r, err := on.Time(plan)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, %d PIM channels: %.1f ns\n", r.Machine, r.PIMChannels, r.Total)
	// Output:
	// machine newton: memory.pim_chanels: unknown key (did you mean "memory.pim_channels"?)
	// machine newton: memory.pim_channels: eight: a whole number wanted
	// mine, 8 PIM channels: 36746.3 ns
}

// Execute an ONNX model of one's own on values of one's own, and hold the plan's outputs
// against the model's.
func ExampleSession_Run() {
	s, err := pimflow.Open(context.Background(), "testdata/pointwise.onnx", pimflow.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	plan, err := s.Plan(ctx, pimflow.Search{Policy: "by-operator"})
	if err != nil {
		log.Fatal(err)
	}
	x := pimflow.Tensor{Name: "x", Shape: []int{1, 2, 2, 2}, Floats: []float32{1, 2, 3, 4, 5, 6, 7, 8}}
	out, err := s.Run(ctx, plan, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Name, out[0].Shape, out[0].Floats)
	check, err := s.Check(ctx, plan, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(check.OK, check.MaxAbs, check.Replay.Commands > 0)
	// Output:
	// y [1 3 2 2] [1 2 3 4 5 6 7 8 -4 -4 -4 -4]
	// true 0 true
}

// How many of the memory channels should compute?
func ExampleSession_On() {
	s, err := pimflow.Open(context.Background(), "toy", pimflow.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	for _, n := range []int{4, 8, 16, 24} {
		m, err := s.Machine().Set(fmt.Sprintf("memory.pim_channels=%d", n))
		if err != nil {
			log.Fatal(err)
		}
		on, err := s.On(m)
		if err != nil {
			log.Fatal(err)
		}
		plan, err := on.Plan(context.Background(), pimflow.Search{Policy: "pimflow"})
		if err != nil {
			log.Fatal(err)
		}
		r, err := on.Time(plan)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d: %.1f ns\n", n, r.Total)
	}
	// Output:
	// 4: 49278.8 ns
	// 8: 48747.4 ns
	// 16: 48474.8 ns
	// 24: 48457.1 ns
}

// Read the command stream of a step on the PIM.
func ExampleSession_Steps() {
	s, err := pimflow.Open(context.Background(), "toy", pimflow.Options{Machine: "toy"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	plan, err := s.Plan(context.Background(), pimflow.Search{Policy: "by-operator"})
	if err != nil {
		log.Fatal(err)
	}
	steps, err := s.Steps(plan)
	if err != nil {
		log.Fatal(err)
	}
	for _, st := range steps {
		if st.Layer == "fc" {
			fmt.Println(st.Layer, "on the", st.Device, st.Commands)
			if err := st.Print(os.Stdout); err != nil {
				log.Fatal(err)
			}
		}
	}
	// Output:
	// fc on the pim map[COMP:2 GWRITE:2 G_ACT0:2 G_ACT1:2 G_ACT2:2 READRES:2]
	// Gemm "fc" [0:1 0:10]
	// GEMM: 1 pixels x 32 products x 10 outputs
	// part: products 0:32 in 2 chunks, 1 pixels a buffer, 1 buffers, 1 output groups, rows 0:2
	// mapping spread, even: 52 cycles, 12 commands (chosen)
	// cost: 52 cycles, 1052.000 ns, bound by launch
	// link: launch 1000.000 ns, 0.000 ns each way, 128 bytes, 20 operations in the channels' controllers; 84 bytes of the GPU's channels
	// channels 0-1: 52 cycles, rows 0:1 of the layer
	//   GWRITE data=0 fill=1x16 pitch=32
	//   G_ACT0 row=0
	//   G_ACT1 row=0
	//   G_ACT2 row=0
	//   COMP row=0 col=0
	//   READRES data=0
}

// What one layer costs on either device, without a model.
func ExampleMachine_Cost() {
	m, err := pimflow.LoadMachine("newton")
	if err != nil {
		log.Fatal(err)
	}
	gpu, pim, err := m.Cost(pimflow.Convolution{Channels: 32, Height: 112, Width: 112, Out: 16, KernelH: 1, KernelW: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("GPU %.1f ns, bound by %s\nPIM %.1f ns, bound by %s\n", gpu.NS, gpu.Bound, pim.NS, pim.Bound)
	// Output:
	// GPU 8229.5 ns, bound by l2
	// PIM 9069.7 ns, bound by mac
}
