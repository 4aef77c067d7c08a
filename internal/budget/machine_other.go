//go:build !linux

package budget

// machine is the memory that the process may have, in bytes.
func machine() int64 { return unknown }
