// Command mutate seeds faults in pimflow, one at a time, and reports those that no test sees.
//
// In goes the source of the repository in the working directory; nothing there is changed: a
// mutated file replaces its original by the overlay of the go command. Out comes a line for
// each fault: which test killed it, or that it survived.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

const usage = `usage: .ci/mutate [-s N] [-match TEXT] [-j N]
       .ci/mutate -random N [-seed S] [-match TEXT] [-j N]

Without -random the faults are the table of this program: text that stands once in a file, what
replaces it, and the tests, or the run of pimflow with --check, that must fail then. A fault
survives if they pass. A row is an error if its text does not stand there once, if the mutated
package does not build, or if the tests do not pass without the fault.

With -random the faults are drawn from all that simple operators make of the packages listed
in random.go: a comparison, an arithmetic or a logical operator exchanged, a constant changed
by one, a condition negated, a statement left out, an arm of min or max dropped. Faults that do
not build do not count. The tests are the short ones of the fault's own package (of search:
those that plan small graphs). Survivors that equivalent.go explains are printed with the reason.

Exits 1 if a fault survives without a reason, 2 if there is an error.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	killed, err := mutate(ctx, os.Args[1:], os.Stdout)
	switch {
	case err == flag.ErrHelp:
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	case !killed:
		os.Exit(1)
	}
}

// mutate reports whether every fault that args ask for is killed or explained.
func mutate(ctx context.Context, args []string, out io.Writer) (killed bool, err error) {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	sample := flags.Int("s", 0, "sample: only `N` faults of the table, drawn by -seed; 0: all")
	random := flags.Int("random", 0, "`N` random faults")
	seed := flags.Uint64("seed", 1, "`S`eed of what is drawn")
	match := flags.String("match", "", "only faults whose file or description contains `TEXT`")
	jobs := flags.Int("j", runtime.NumCPU(), "`N` faults at once")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if flags.NArg() > 0 || *sample < 0 || *random < 0 || *jobs < 1 {
		return false, fmt.Errorf("%q, -s %d, -random %d, -j %d: flags and numbers above 0 wanted", flags.Args(), *sample, *random, *jobs)
	}
	rng := rand.New(rand.NewPCG(*seed, 0))
	list := table()
	if *random > 0 {
		if list, err = drawn(rng); err != nil {
			return false, err
		}
	}
	chosen := list[:0:0]
	for _, f := range list {
		if strings.Contains(f.file+" "+f.what, *match) {
			chosen = append(chosen, f)
		}
	}
	want := len(chosen)
	switch {
	case len(chosen) == 0:
		return false, fmt.Errorf("no fault matches %q", *match)
	case *random > 0:
		want = *random
	case *sample > 0:
		rng.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		want = min(*sample, want)
		chosen = chosen[:want]
	}
	r, err := newRunner(*random > 0)
	if err != nil {
		return false, err
	}
	defer r.close()
	return r.all(ctx, chosen, want, *jobs, out)
}
