package space

// Point is a design point: all that the time and the energy of a plan depend on, by name. Models, machines and GPUs
// are names that are built in, or files.
type Point struct {
	Index     int // in the order of the space, from 0
	Model     string
	Batch     int // images at once; 0: what the model's file says, or 1
	Machine   string
	GPU       string   // replaces the machine's; "": its own
	Set       []string // keys of the machine to change, as "memory.pim_channels=8": one for each axis, in the order of the axes
	Policy    string
	Objective string
	Effort    string
}
