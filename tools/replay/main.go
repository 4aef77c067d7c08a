// Command replay compares, byte by byte, what two revisions of pimflow print.
//
// In go two revisions of the repository in the working directory; out comes the first
// command whose output differs. It does not know what the outputs mean.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

const usage = `usage: .ci/replay [-s N] [-a] [-j N] BASE [HEAD]

Builds revision BASE and revision HEAD (without HEAD: the working tree), runs the same
commands with both, and compares standard output, standard error and exit code byte by
byte. Prints the first command whose output differs, with the difference, and exits 1.

The commands are run --json, code, map, explain, compare, sensitivity, launches, layer --csv --all, graph,
reproduce and the lists, over all machines, networks of the zoo and policies that both revisions have.
The lines "search_s" of run --json, a measured time, and "version" of all JSON are left out.

Lines of the commit messages in BASE..HEAD announce differences:
  Changes: run, explain --machine aim   the output of these commands may differ: the
                                        subcommand, and words of the command line
  Words: old => new                     old in the output of BASE, as whole words, is read as
                                        new, and runs of spaces or dashes count as one on
                                        both sides

Outputs of commits are kept in the git folder (replay/), by commit and command.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	same, err := replay(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == flag.ErrHelp:
	case err != nil:
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(2)
	case !same:
		os.Exit(1)
	}
}

// replay reports whether the revisions that args name print the same.
func replay(ctx context.Context, args []string, out io.Writer) (same bool, err error) {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	sample := flags.Int("s", 1, "sample: all commands on the network toy, and about one of `N` on the others")
	all := flags.Bool("a", false, "print all differences and count them by subcommand")
	jobs := flags.Int("j", runtime.NumCPU(), "`N` commands at once")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if n := flags.NArg(); n < 1 || n > 2 || *sample < 1 || *jobs < 1 {
		return false, fmt.Errorf("%d revisions, -s %d, -j %d: one or two revisions and numbers above 0 wanted", n, *sample, *jobs)
	}
	folder, err := os.MkdirTemp("", "replay")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	base, err := open(ctx, flags.Arg(0), folder)
	if err != nil {
		return false, err
	}
	head, err := open(ctx, flags.Arg(1), folder)
	if err != nil {
		return false, err
	}
	said, err := announced(ctx, base, head)
	if err != nil {
		return false, err
	}
	lines, err := commands(ctx, base, head, *sample, out)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "%d commands, %s against %s\n", len(lines), base, head)
	said.print(out)
	return compare(ctx, base, head, said, lines, *jobs, *all, out)
}
