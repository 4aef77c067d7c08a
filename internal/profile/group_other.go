//go:build !unix

package profile

import (
	"os/exec"
	"strconv"
)

// group does nothing: Windows knows the children of a process.
func group(*exec.Cmd) {}

// killGroup kills a command and its children, or where there is no taskkill the command alone.
func killGroup(c *exec.Cmd) error {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run() == nil {
		return nil
	}
	return c.Process.Kill()
}
