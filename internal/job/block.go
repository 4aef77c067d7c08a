package job

import (
	"bytes"
	"errors"
	"fmt"

	"pimflow/internal/jsontext"
)

// BlockSchema names the form of a Block's JSON.
const BlockSchema = "pimflow.block/1"

// The largest block. MaxBytes is estimated: half of what a NATS server takes in a message by default; MaxJobs too: the
// largest that the sweep command makes has half of them.
const (
	MaxBytes = 512 << 10
	MaxJobs  = 64
)

// Block is a message: jobs that a worker evaluates one after the other. They are of one model and one batch.
type Block struct {
	Schema string `json:"schema"`
	Jobs   []Job  `json:"jobs"`
}

// Encode returns the only form of a block that ParseBlock reads.
func (b *Block) Encode() []byte { return encode(b) }

// ParseBlock reads a block of a version's jobs that come from anywhere. It accepts what Encode writes and nothing else.
func ParseBlock(data []byte, version string, known *Names) (*Block, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("a block of %d bytes: at most %d wanted", len(data), MaxBytes)
	}
	b := &Block{}
	if err := jsontext.Strict(data, b); err != nil {
		return nil, fmt.Errorf("a block as JSON: %w", err)
	}
	switch {
	case b.Schema != BlockSchema:
		return nil, fmt.Errorf("schema %.80q: %s wanted", b.Schema, BlockSchema)
	case len(b.Jobs) < 1 || len(b.Jobs) > MaxJobs:
		return nil, fmt.Errorf("%d jobs: 1 to %d wanted", len(b.Jobs), MaxJobs)
	case !bytes.Equal(b.Encode(), data):
		return nil, errors.New("a block that is written otherwise than this program writes it")
	}
	for i := range b.Jobs {
		j := &b.Jobs[i]
		err := j.check(version, known)
		if err == nil && (j.Batch != b.Jobs[0].Batch || !bytes.Equal(encode(j.Model), encode(b.Jobs[0].Model))) {
			err = errors.New("another model or batch than that of job 0")
		}
		if err != nil {
			return nil, fmt.Errorf("job %d: %w", i, err)
		}
	}
	return b, nil
}
