// Package unit is the programmable unit of a pair of banks of HBM-PIM (ISCA 2021): its instruction
// words, its registers, and the execution of a program by column commands.
//
//	stream of commands ─▶ Channel: modes, open rows, program memory (CRF), program counter
//	                         │ one column command, one instruction, in all units
//	                         ▼
//	                      Unit: GRF_A, GRF_B, SRF_A, SRF_M; 16 lanes of fp16
//
// A channel is a pseudo-channel: 16 banks, 8 units, each with an even and an odd bank. Modes and
// registers are reached by ordinary commands to six reserved rows. Sources: the instructions are
// published (ISCA 2021; IEEE Micro 2022); bits, registers and rows are those of the open model PIMsim
// (7bvcxz/PIMsim, commit 5abe9cd).
//
// What no public source says, and what is assumed here:
//   - NOP n lets n commands pass.
//   - A loop inside a loop is refused: there is one loop counter.
//   - MAD adds the element of SRF_A with the index of its second factor.
//   - MAC and MAD round once (Fused), or after the product too (Separate).
package unit
