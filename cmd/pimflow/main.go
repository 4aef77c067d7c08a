//go:debug netdns=go

// Command pimflow partitions a CNN between a GPU and DRAM channels that can compute, simulates the
// plan to the cycle, and executes it. Its files hold flags and printing; the work is done by
// package pimflow.
package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/nearest"
	"pimflow/internal/report"
)

// errFailed ends the command with exit code 1, or with that of the kind it is marked with; the reason is already printed.
var errFailed = fault.As(fault.Infeasible, errors.New("failed"))

// errStopped, errRest, errSweep and errAfter end the command after a signal with the best plan so far, with some of the plans, or
// with the plan.
var (
	errStopped = errors.New("the search was stopped: the plan is the best one so far, and nothing was executed")
	errRest    = errors.New("stopped: the models that were planned before are printed")
	errSweep   = errors.New("stopped: what is known of the points so far is printed, and no file is written")
	errAfter   = errors.New("stopped after the search: the plan is printed, and what else was asked for is left out")
)

// command executes one command line and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{ctx: ctx, w: stdout}
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	defer files.Drop()
	ran, err := root.ExecuteContextC(ctx)
	err = ofFlag(ran, err)
	if err == nil || errors.Is(err, errFailed) { // whose output says what failed
		if unwritten := out.flush(); unwritten != nil {
			err = unwritten
		}
	}
	code, line := exitCode(ctx, err)
	if line != "" {
		say(ctx, stderr, line)
	}
	return code
}

func rootCommand() *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:           "pimflow",
		Short:         "A compiler and runtime for CNNs on a GPU whose memory can compute",
		Long:          "A compiler and runtime for CNNs on a GPU whose memory can compute.\n\n" + exitCodes,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(c, args[0])
		},
		RunE: func(c *cobra.Command, _ []string) error {
			if version {
				return report.NewBuilt().Text(c.OutOrStdout())
			}
			return c.Help()
		},
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := checkFlags(c); err != nil {
				return err
			}
			return keepInput(c, args)
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the commit, the Go version and the hash of each machine")
	(&telling{}).flags(root.PersistentFlags())
	root.RegisterFlagCompletionFunc("progress", func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		kept, how := starting(progressWays, prefix)
		return kept, how | cobra.ShellCompDirectiveNoFileComp
	}) // its error is a flag that is not there
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command", Args: wantArgs(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			of := root
			if len(args) > 0 {
				found, _, err := root.Find(args)
				if err != nil || found == root {
					return unknownCommand(root, args[0])
				}
				of = found
			}
			if of.Name() == termsName {
				return report.NewGlossary().Text(root.OutOrStdout())
			}
			return of.Help()
		},
	})
	addCommands(root)
	root.InitDefaultCompletionCmd("completion") // cobra adds it to the commands before help is printed
	return root
}

// unknownCommand is the error of a name that is no subcommand's.
func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, sub := range root.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	return fault.Usagef("command %.80q is not known%s: one of %s wanted", name, nearest.Hint(name, names), strings.Join(names, ", "))
}

// termsName is the name of the command that explains the words of reports.
const termsName = "terms"

func termsCommand() *cobra.Command {
	var f form
	c := &cobra.Command{
		Use: termsName, Short: "The meaning of the words in reports", Args: wantArgs(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			terms := report.NewGlossary()
			return f.print(c.OutOrStdout(), terms, terms.Text)
		},
	}
	f.flags(c, "word")
	return c
}

// checkFlags refuses empty texts, as unset variables of a shell give, and a batch below 1.
func checkFlags(c *cobra.Command) error {
	for _, name := range slices.Sorted(maps.Keys(textFlags)) {
		if f := c.Flags().Lookup(name); f != nil && f.Changed && strings.Trim(f.Value.String(), "[]") == "" {
			return fault.Usagef("--%s is empty: %s", name, f.Usage)
		}
	}
	if err := checkForm(c); err != nil || !c.Flags().Changed("batch") {
		return err
	}
	list, _ := c.Flags().GetIntSlice("batch") // of a command that takes several
	if n, err := c.Flags().GetInt("batch"); err == nil {
		list = []int{n}
	}
	for _, n := range list {
		if n < 1 {
			return fault.Usagef("--batch %d: at least 1 wanted", n)
		}
	}
	return nil
}

// use is what the text of a flag names.
type use int

const (
	word   use = iota // no file
	reads             // a file to read, or something that is built in
	writes            // a file or a folder to write
)

// textFlags has the flags that take a text.
var textFlags = map[string]use{
	"artifact-trace": writes, "batch": word, "box": word, "by": word, "check": word, "csv": reads, "data": reads, "device": word, "dim": word, "effort": word,
	"eval": reads, "figure": word, "gpu": reads, "html": writes, "gpu-profile": reads, "group": word, "in": word, "input": reads, "kernel": word,
	"labels": reads, "launch": word, "library": reads, "machine": reads, "memory": word, "model": reads, "name": word, "objective": word,
	"format": word, "layer": word,
	"announce": writes, "cache": writes, "emit": word, "emit-image": word, "listen": word, "store": writes,
	"nats": word, "nats-ca": reads, "nats-cert": reads, "nats-context": word, "nats-creds": reads, "nats-key": reads, "nats-nkey": reads,
	"only": word, "out": writes, "output": writes, "pad": word, "pim-channels": word, "pin": word, "plan": reads,
	"policy": word, "runner": reads, "sample": word, "search": word, "set": word, "shape": word, "title": word, "trace": writes, "until": word, "view": word, "where": word, "with": word, "x": word, "y": word, "z": word, "zip": word,
}

// wantArgs refuses another number of arguments than least to most.
func wantArgs(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if n := len(args); n < least || n > most {
			return fault.Usagef("%s: %d arguments given: %s wanted", c.Name(), n, c.UseLine())
		}
		return nil
	}
}
