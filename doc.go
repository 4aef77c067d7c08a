// Package pimflow plans, times and executes CNNs on a GPU whose memory can compute (PIM).
//
//	model ──Open──▶ Session ──Plan──▶ Plan ──Time───▶ Report    time, energy, each layer's place
//	                   │               │
//	machine ───────────┘               ├─────Run────▶ Tensor    the outputs that the plan computes
//	LoadMachine, Set                   ├─────Check──▶ Check     how far they are from the model's
//	                                   ├─────Explain▶ Explanation
//	                                   └─────Steps──▶ Step      kernels and PIM command streams
//
// A Channel (Machine.Channel) is the rules of the machine's DRAM, for simulators of one's own.
//
// A model is a network of the built-in zoo, an .onnx file or a graph as text. A machine is a
// GPU and its memory channels, some of which compute; every number of it is a key that Set
// changes. A Session is a model on a machine. A Plan says which device makes which part of
// each layer, and in what order. It is text that can be saved, edited and read again, and any
// session of the same model can time it.
//
// Times are nanoseconds, energies picojoules. All but Report.Search is reproducible to the
// last bit. Results are the JSON that the command pimflow prints. An error names the file, the
// place, the value and what is wanted. No function sets anything of the process; everything
// that takes long ends with its context.
//
// In the literature: scheduling of a task graph on two unrelated machines whose tasks are
// divisible; the plan is a static schedule.
package pimflow
