package queue

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"pimflow/internal/job"
	"pimflow/internal/result"
)

// entrySchema names the form of what is kept under a key.
const entrySchema = "pimflow.result/1"

// maxPayload bounds a message, in bytes, as NATS servers do by default; maxEntry bounds an entry before it is packed
// (estimated: a plan of 1,000 layers has 200,000).
const (
	maxPayload = 1 << 20
	maxEntry   = 16 << 20
)

// entry is what is kept under the key of a job.
type entry struct {
	Schema string     `json:"schema"`
	Key    job.Key    `json:"key"`
	Row    result.Row `json:"row"`
	Plan   string     `json:"plan,omitempty"` // as text; "": there is none
	// Passing marks a row of a failure that the job alone does not decide, as that it took too long: the next sweep
	// evaluates it again.
	Passing bool `json:"passing,omitempty"`
}

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// unpacker is the memory that an entry is unpacked in.
type unpacker struct {
	z    gzip.Reader
	text bytes.Buffer
}

var unpackers = sync.Pool{New: func() any { return new(unpacker) }}

// pack returns the bytes of an entry.
func (e *entry) pack() ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(data) > maxEntry {
		return nil, fmt.Errorf("a result of %d bytes: at most %d wanted", len(data), maxEntry)
	}
	var b bytes.Buffer
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	z.Write(data)
	z.Close() // a buffer takes all
	if b.Len() > maxPayload*3/4 {
		return nil, fmt.Errorf("a result of %d bytes, packed: at most %d wanted", b.Len(), maxPayload*3/4)
	}
	return b.Bytes(), nil
}

// unpack reads the entry of a key.
func unpack(data []byte, key job.Key) (*entry, error) {
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	u.text.Reset()
	if err := u.z.Reset(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	if n, err := u.text.ReadFrom(io.LimitReader(&u.z, maxEntry+1)); err != nil {
		return nil, err
	} else if n > maxEntry {
		return nil, fmt.Errorf("more than %d bytes", maxEntry)
	}
	e := &entry{}
	d := json.NewDecoder(&u.text)
	d.DisallowUnknownFields()
	if err := d.Decode(e); err != nil {
		return nil, err
	}
	if e.Schema != entrySchema || e.Key != key {
		return nil, errors.New("an entry of another schema or key")
	}
	return e, nil
}

// failed is the row of a job without a result.
func failed(j *job.Job, why string) result.Row {
	r := result.Of(j)
	r.Error = why
	return r
}
