// Command release builds what is given to others: for each system and processor a static binary in an archive with
// the licences, beside a list of its modules (an SBOM), and the hashes of all.
//
// In goes the repository that tools is a folder of, without a change that is not committed; out comes a new folder:
//
//	go run -C tools ./release -o DIR
//
// The same commit and the same Go give the same bytes, on any machine and in any folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, progress io.Writer) error {
	fl := flag.NewFlagSet("release", flag.ContinueOnError)
	out := fl.String("o", "", "the folder that is made; a relative one is below the repository")
	only := fl.String("only", "", "systems and processors with commas between them, as linux/amd64 (default all)")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if *out == "" || fl.NArg() > 0 {
		return errors.New("-o DIR and no arguments wanted")
	}
	list, err := chosen(*only)
	if err != nil {
		return err
	}
	repository, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	folder := *out
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(repository, folder)
	}
	return release(ctx, repository, folder, list, progress)
}

// target is a system and a processor, in Go's words.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// targets lists what binaries are built for.
var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// chosen parses a list of targets; "" means all.
func chosen(text string) (list []target, err error) {
	if text == "" {
		return targets, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		found := false
		for _, t := range targets {
			if t.String() == name {
				list, found = append(list, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-only %s: one of %v wanted", name, targets)
		}
	}
	return list, nil
}
