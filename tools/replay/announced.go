package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// announcement is what the commit messages between two revisions say of their outputs.
type announcement struct {
	changes []string    // command lines that may differ: a subcommand and, after it, words
	words   [][2]string // old and new, the oldest commit's first
}

// announced reads the messages of the commits after base, up to head.
func announced(ctx context.Context, base, head *revision) (announcement, error) {
	upto := head.commit
	if upto == "" {
		upto = "HEAD"
	}
	text, err := git(ctx, "log", "--reverse", "--format=%B", base.commit+".."+upto)
	if err != nil {
		return announcement{}, fmt.Errorf("%w: %s", err, text)
	}
	return parse(text)
}

// parse reads the lines Changes and Words of commit messages.
func parse(text string) (a announcement, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if list, ok := strings.CutPrefix(line, "Changes:"); ok {
			for item := range strings.SplitSeq(list, ",") {
				if item = strings.TrimSpace(item); item != "" {
					a.changes = append(a.changes, item)
				}
			}
		}
		if pair, ok := strings.CutPrefix(line, "Words:"); ok {
			before, after, ok := strings.Cut(pair, "=>")
			before, after = strings.TrimSpace(before), strings.TrimSpace(after)
			if !ok || before == "" {
				return a, fmt.Errorf("%q in a commit message: \"Words: old => new\" wanted", line)
			}
			a.words = append(a.words, [2]string{before, after})
		}
	}
	return a, nil
}

func (a *announcement) print(out io.Writer) {
	for _, c := range a.changes {
		fmt.Fprintf(out, "may differ: %s\n", c)
	}
	for _, w := range a.words {
		fmt.Fprintf(out, "is read as %q: %q\n", w[1], w[0])
	}
}

// covers reports which change announces that a command's output differs.
func (a *announcement) covers(line string) (change string, ok bool) {
	command, rest, _ := strings.Cut(line, " ")
	for _, c := range a.changes {
		name, words, _ := strings.Cut(c, " ")
		if name == command && (words == "" || strings.Contains(" "+rest+" ", " "+words+" ")) {
			return c, true
		}
	}
	return "", false
}

var (
	runs     = regexp.MustCompile(`(  +|--+)`)
	trailing = regexp.MustCompile(`(?m) +$`)
	letter   = regexp.MustCompile(`\w`)
)

// whole matches words that are not part of a longer one: "joint", but not "pim_launch_joint".
func whole(words string) *regexp.Regexp {
	text := regexp.QuoteMeta(words)
	if letter.MatchString(words[:1]) {
		text = `\b` + text
	}
	if letter.MatchString(words[len(words)-1:]) {
		text += `\b`
	}
	return regexp.MustCompile(text)
}

// equal reports whether outputs are equal, and returns them as they were compared.
func (a *announcement) equal(was, now []byte) (_, _ []byte, same bool) {
	if bytes.Equal(was, now) || len(a.words) == 0 {
		return was, now, bytes.Equal(was, now)
	}
	for _, w := range a.words {
		was = whole(w[0]).ReplaceAllLiteral(was, []byte(w[1]))
	}
	squeeze := func(text []byte) []byte {
		text = runs.ReplaceAllFunc(text, func(run []byte) []byte { return run[:1] })
		return trailing.ReplaceAll(text, nil)
	}
	was, now = squeeze(was), squeeze(now)
	return was, now, bytes.Equal(was, now)
}
