// Command pimflow partitions a CNN between a GPU and DRAM channels that can compute, simulates the
// plan to the cycle, and executes it. Its files hold flags and printing; the work is done by
// package pimflow.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/nearest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errFailed ends the command with exit code 1; the reason is already printed.
var errFailed = errors.New("failed")

// errStopped ends the command after an interrupt with the best plan so far.
var errStopped = errors.New("the search was stopped: the plan is the best one so far, and nothing was executed")

// command executes one command line and returns the exit code: 0, 1 for an error, 130
// for an interrupt.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "pimflow",
		Short:         "A compiler and runtime for CNNs on a GPU whose memory can compute",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var names []string
			for _, sub := range c.Commands() {
				names = append(names, sub.Name())
			}
			return fmt.Errorf("command %q is not known%s: one of %s wanted", args[0], nearest.Hint(args[0], names), strings.Join(names, ", "))
		},
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return checkFlags(c) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(&output{ctx, stdout})
	root.SetErr(stderr)
	for _, c := range commands {
		root.AddCommand(c())
	}
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errStopped):
		fmt.Fprintln(stderr, "pimflow:", err)
		return 130
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "pimflow: interrupted")
		return 130
	case !errors.Is(err, errFailed):
		fmt.Fprintln(stderr, "pimflow:", err)
	}
	return 1
}

// output is the standard output; after an interrupt it refuses to write.
type output struct {
	ctx context.Context
	w   io.Writer
}

func (o *output) Write(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.w.Write(p)
}

// checkFlags refuses empty texts, as unset variables of a shell give, and a batch below 1.
func checkFlags(c *cobra.Command) error {
	for _, name := range textFlags {
		if f := c.Flags().Lookup(name); f != nil && f.Changed && strings.Trim(f.Value.String(), "[]") == "" {
			return fmt.Errorf("--%s is empty: %s", name, f.Usage)
		}
	}
	if !c.Flags().Changed("batch") {
		return nil
	}
	list, _ := c.Flags().GetIntSlice("batch") // of a command that takes several
	if n, err := c.Flags().GetInt("batch"); err == nil {
		list = []int{n}
	}
	for _, n := range list {
		if n < 1 {
			return fmt.Errorf("--batch %d: at least 1 wanted", n)
		}
	}
	return nil
}

// textFlags lists the flags that take a text.
var textFlags = []string{
	"artifact-trace", "box", "csv", "data", "device", "eval", "gpu", "gpu-profile", "in", "input", "kernel", "labels", "library", "machine", "model", "name", "objective", "only", "out", "output", "pad", "pim-channels",
	"plan", "policy", "runner", "set", "trace", "view", "with",
}

// wantArgs refuses another number of arguments than least to most.
func wantArgs(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if n := len(args); n < least || n > most {
			return fmt.Errorf("%s: %d arguments given: %s wanted", c.Name(), n, c.UseLine())
		}
		return nil
	}
}

// commands lists the subcommands, in the order a newcomer needs them.
var commands = []func() *cobra.Command{
	runCommand, compareCommand, diffCommand, sensitivityCommand, launchesCommand, reproduceCommand, zooCommand, machineCommand, gpuCommand, calibrateCommand, validateCommand, profileCommand, policyCommand,
	graphCommand, codeCommand, explainCommand, mapCommand, layerCommand, simCommand,
}
