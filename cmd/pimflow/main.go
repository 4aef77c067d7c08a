// Command pimflow divides the work of a CNN between a GPU and the DRAM channels
// beside it that can compute, simulates the result to the cycle, and executes it.
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

// errFailed ends the command with exit code 1 after it has said why itself.
var errFailed = errors.New("failed")

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
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	for _, c := range commands {
		root.AddCommand(c())
	}
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "pimflow: interrupted")
		return 130
	case !errors.Is(err, errFailed):
		fmt.Fprintln(stderr, "pimflow:", err)
	}
	return 1
}

// commands are the subcommands, in the order of a newcomer's path.
var commands = []func() *cobra.Command{
	runCommand, compareCommand, reproduceCommand, zooCommand, machineCommand, policyCommand, graphCommand, codeCommand, layerCommand, simCommand,
}
