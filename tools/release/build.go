package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// documents lists the files of the repository that an archive has beside the binary.
var documents = []string{"README.md", "LICENSE", "THIRD_PARTY", "CHANGELOG.md", "CITATION.cff"}

// run executes a command in a folder, and returns its output without the last line's end.
func run(ctx context.Context, folder string, env []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	c.Dir, c.Env, c.Stderr = folder, append(os.Environ(), env...), &stderr
	out, err := c.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// source is a commit of a repository, all of whose files are as committed.
type source struct {
	folder, commit string
	made           time.Time // when it was committed
}

// open refuses a repository with files that are not committed.
func open(ctx context.Context, folder string) (*source, error) {
	changed, err := run(ctx, folder, nil, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		first, _, more := strings.Cut(changed, "\n")
		if more {
			first += ", and others"
		}
		return nil, fmt.Errorf("%s is changed: a commit without changes wanted", strings.TrimSpace(first))
	}
	said, err := run(ctx, folder, nil, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return nil, err
	}
	commit, seconds, _ := strings.Cut(said, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("git says %q: a commit and its time wanted", said)
	}
	return &source{folder, commit, time.Unix(n, 0).UTC()}, nil
}

// built is a binary and the version that Go stamped it with.
type built struct {
	target
	file, version string
}

// flags are those of every build. What else the environment says of Go's builds is not heard.
var flags = []string{"CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off", "GOFLAGS="}

// build builds a binary in a folder.
func (s *source) build(ctx context.Context, t target, folder string) (b built, err error) {
	b = built{target: t, file: filepath.Join(folder, "pimflow")}
	if t.os == "windows" {
		b.file += ".exe"
	}
	env := append(slices.Clone(flags), "GOOS="+t.os, "GOARCH="+t.arch)
	if _, err := run(ctx, s.folder, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", b.file, "./cmd/pimflow"); err != nil {
		return b, err
	}
	info, err := buildinfo.ReadFile(b.file)
	if err != nil {
		return b, err
	}
	stamp := map[string]string{}
	for _, x := range info.Settings {
		stamp[x.Key] = x.Value
	}
	if stamp["vcs.revision"] != s.commit || stamp["vcs.modified"] != "false" {
		return b, fmt.Errorf("%v: the binary says commit %q, changed %q: %s, unchanged, wanted", t, stamp["vcs.revision"], stamp["vcs.modified"], s.commit)
	}
	b.version = info.Main.Version
	return b, nil
}

// release builds all targets and writes the new folder, as a whole or not at all.
func release(ctx context.Context, repository, folder string, list []target, progress io.Writer) error {
	s, err := open(ctx, repository)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(folder); err == nil {
		return fmt.Errorf("%s is there already: a new folder wanted", folder)
	}
	texts, err := s.documents()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(folder), "."+filepath.Base(folder)+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	work, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	lister, err := newLister(ctx, work)
	if err != nil {
		return err
	}
	for i, t := range list {
		fmt.Fprintf(progress, "%d of %d: %v\n", i+1, len(list), t)
		b, err := s.build(ctx, t, work)
		if err != nil {
			return err
		}
		name := strings.Join([]string{"pimflow", b.version, t.os, t.arch}, "-")
		if err := b.archive(filepath.Join(dir, name), name, texts, s.made); err != nil {
			return err
		}
		if err := lister.list(ctx, b, filepath.Join(dir, name+".cdx.json")); err != nil {
			return err
		}
	}
	if err := sums(dir); err != nil {
		return err
	}
	return errors.Join(os.Chmod(dir, 0o755), os.Rename(dir, folder))
}

// documents reads the texts of an archive, as they are committed.
func (s *source) documents() (list []entry, err error) {
	for _, name := range documents {
		data, err := os.ReadFile(filepath.Join(s.folder, name))
		if err != nil {
			return nil, err
		}
		list = append(list, entry{name, data, 0o644})
	}
	return list, nil
}

// sums writes the hashes of the files of a folder, as sha256sum -c reads them.
func sums(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	var text strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), []byte(text.String()), 0o644)
}
