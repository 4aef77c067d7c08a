package dram

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"pimflow/internal/nearest"
)

// TimeTrace times a text trace of the standard artifact, plain or gzip, in constant memory.
// The error is `name:line: …`. A line on which the published simulator would hang, abort or
// silently skip is an error.
func (c *Channel) TimeTrace(name string, trace io.Reader) (Result, error) {
	if c.std != artifact {
		return Result{}, fmt.Errorf("%s: a text trace is of the DRAM standard artifact, not of %s", name, c.std.Name)
	}
	run := c.Run()
	if err := ReadTrace(name, trace, func(op Op) error { run.Issue(op); return nil }); err != nil {
		return Result{}, err
	}
	r := run.Finish()
	if r.Overflow {
		return Result{}, fmt.Errorf("%s: more than %d refreshes wait for a READRES, where the published simulator aborts: one READRES wanted at least every %d cycles",
			name, artifact.Refresh.Queue, Cycle(artifact.Refresh.Queue)*c.interval)
	}
	return r, nil
}

// ReadTrace calls f for each command of a text trace of the standard artifact, as TimeTrace reads it.
func ReadTrace(name string, trace io.Reader, f func(Op) error) error {
	in, err := TraceText(name, trace)
	if err != nil {
		return err
	}
	lines := NewLines(name, in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var op Op
		if lines.Unended {
			err = errors.New("the last line has no line end and the published simulator drops it: a line end wanted")
		} else if op, err = parseLine(line); err == nil {
			err = f(op)
		}
		if err != nil {
			return lines.Wrong(line, err)
		}
	}
}

const traceWanted = "GWRITE, G_ACT0 to G_ACT3, COMP or READRES wanted"

// parseLine reads one line as leniently as the published parser.
func parseLine(line []byte) (Op, error) {
	if bytes.HasPrefix(line, []byte("READRES")) {
		return artREADRES, nil
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return 0, errors.New("an empty line: <hexadecimal address> <command> or READRES wanted")
	}
	address, token, _ := bytes.Cut(line, []byte(" "))
	digits := bytes.TrimPrefix(bytes.TrimPrefix(address, []byte("0x")), []byte("0X"))
	if _, err := strconv.ParseUint(string(digits), 16, 64); err != nil {
		return 0, fmt.Errorf("%.80q is no address: a hexadecimal number of up to 64 bits wanted", address)
	}
	token = bytes.TrimLeft(token, " ")
	switch {
	case bytes.HasPrefix(token, []byte("READRES")):
		return 0, errors.New("READRES has no address, the published simulator takes this for an ordinary read and never ends: READRES at the start of the line wanted")
	case len(token) == 0:
		return 0, errors.New("no command, which the published simulator takes for an ordinary read and never ends: " + traceWanted)
	case token[0] == 'R' || token[0] == 'W':
		return 0, fmt.Errorf("%.80q is an ordinary access, which the published simulator never ends: %s", token, traceWanted)
	case bytes.Contains(line, []byte("GWRITE")):
		return artGWRITE, nil // the number and the operands after it are ignored
	}
	for op := artGACT0; op <= artCOMP; op++ {
		if string(token) == artifact.Ops[op].Name {
			return op, nil
		}
	}
	if string(bytes.TrimSpace(token)) != string(token) {
		return 0, fmt.Errorf("%.80q ends in a blank or a carriage return: %s", token, traceWanted)
	}
	known := []string{"GWRITE", "G_ACT0", "G_ACT1", "G_ACT2", "G_ACT3", "COMP", "READRES"}
	return 0, fmt.Errorf("%.80q is unknown%s: %s", token, nearest.Hint(string(token), known), traceWanted)
}
