package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// revision is a commit, or the working tree, with its binary.
type revision struct {
	commit string // "": the working tree
	folder string // of the binary and, for a commit, its outputs
	layers string // the table that layer --csv reads
}

func (r *revision) String() string {
	if r.commit == "" {
		return "the working tree"
	}
	return r.commit[:12]
}

// open builds a revision; "" is the working tree. Temporary files go to a folder.
func open(ctx context.Context, name, temporary string) (*revision, error) {
	if name == "" {
		r := &revision{folder: filepath.Join(temporary, "tree")}
		if err := os.Mkdir(r.folder, 0o777); err != nil {
			return nil, err
		}
		return r, r.build(ctx, ".")
	}
	commit, err := git(ctx, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("%s is no commit of this repository", name)
	}
	common, err := git(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return nil, err
	}
	r := &revision{commit: commit, folder: filepath.Join(common, "replay", commit)}
	if _, err := os.Stat(r.binary()); err == nil {
		return r, nil
	}
	tree := filepath.Join(temporary, commit)
	if err := errors.Join(os.MkdirAll(r.folder, 0o777), os.MkdirAll(tree, 0o777)); err != nil {
		return nil, err
	}
	archive, err := git(ctx, "archive", "--output", tree+".tar", commit)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, archive)
	}
	if text, err := exec.CommandContext(ctx, "tar", "-x", "-f", tree+".tar", "-C", tree).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("tar: %w: %s", err, text)
	}
	return r, r.build(ctx, tree)
}

func (r *revision) binary() string { return filepath.Join(r.folder, "pimflow") }

// build makes the binary of a source tree, as a whole or not at all.
func (r *revision) build(ctx context.Context, tree string) error {
	file := fmt.Sprintf("%s.%d", r.binary(), os.Getpid())
	c := exec.CommandContext(ctx, "go", "build", "-C", tree, "-buildvcs=false", "-o", file, "./cmd/pimflow")
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not build: %w\n%s", r, err, text)
	}
	return os.Rename(file, r.binary())
}

// output is what a command prints and its exit code. That of a commit is made once.
func (r *revision) output(ctx context.Context, line string) ([]byte, error) {
	file := filepath.Join(r.folder, fmt.Sprintf("%x", sha256.Sum256([]byte(line))))
	if text, err := os.ReadFile(file); err == nil {
		return text, nil
	}
	args := strings.Fields(line)
	for i := range args {
		if args[i] == layersFile {
			args[i] = r.layers
		}
	}
	var text bytes.Buffer
	c := exec.CommandContext(ctx, r.binary(), args...)
	c.Stdout, c.Stderr = &text, &text
	var exit *exec.ExitError
	if err := c.Run(); errors.As(err, &exit) && ctx.Err() == nil {
		fmt.Fprintf(&text, "exit code %d\n", exit.ExitCode())
	} else if err != nil {
		return nil, err
	}
	plain := untimed.ReplaceAll(text.Bytes(), nil)
	return plain, place(file, plain)
}

// place writes a file as a whole or not at all, whoever else writes it.
func place(file string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), "new")
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	return errors.Join(err, temporary.Close(), os.Rename(temporary.Name(), file))
}

// git runs git in the repository and returns what it prints, without the last line end.
func git(ctx context.Context, args ...string) (string, error) {
	text, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSuffix(string(text), "\n"), err
}
