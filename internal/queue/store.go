package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pimflow/internal/job"
)

// The names in JetStream.
const (
	jobStream  = "PIMFLOW_JOBS"
	jobSubject = "pimflow.job" // .VERSION.BLOCK.PART
	results    = "pimflow-results"
	objects    = "pimflow-files"

	resultStream = "KV_" + results // as JetStream names it
)

// Store is the work queue, the results and the files of a server, as a program of a version sees them.
type Store struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	jobs    jetstream.Stream
	results jetstream.KeyValue
	objects jetstream.ObjectStore
	folder  string // of a server of this process; "": another's
	version string
	away    time.Duration
	warn    func(string)
	damaged sync.Map // keys of entries that cannot be read, which a warning has named
}

// reply bounds the wait for an answer of the server, and silence is when a warning follows. Estimated.
const (
	reply   = 5 * time.Second
	silence = 15 * time.Second
)

// OpenStore finds the queue, the results and the files, or makes them. A server that does not answer is asked again for so long
// as patience says, and later, whatever is done with the store, as away says. warn takes what a person should know.
func OpenStore(ctx context.Context, nc *nats.Conn, version string, patience, away time.Duration, warn func(string)) (*Store, error) {
	s, err := openStore(ctx, nc, &Store{version: version, away: patience, warn: warn})
	if err != nil {
		return nil, err
	}
	s.away = away
	return s, nil
}

func openStore(ctx context.Context, nc *nats.Conn, s *Store) (_ *Store, err error) {
	if s.js, err = jetstream.New(nc); err != nil {
		return nil, err
	}
	s.nc = nc
	for _, make := range []func(context.Context) error{s.openJobs, s.openResults, s.openObjects} {
		err := s.try(ctx, "the store is opened", make)
		if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			return nil, fmt.Errorf("NATS server: it has no JetStream for this account: one as nats-server -js wanted: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("NATS server: %w", err)
		}
	}
	return s, nil
}

// clear empties the queue.
func (s *Store) clear(ctx context.Context) error {
	return s.try(ctx, "queue", func(ctx context.Context) error {
		if err := s.js.DeleteStream(ctx, jobStream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		return s.openJobs(ctx)
	})
}

// openJobs: one message a subject, until it is acknowledged; another of the same subject is refused.
func (s *Store) openJobs(ctx context.Context) (err error) {
	s.jobs, err = s.js.Stream(ctx, jobStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s.jobs, err = s.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: jobStream, Subjects: []string{jobSubject + ".>"}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
			Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1, MaxMsgSize: job.MaxBytes,
		})
	}
	if err != nil {
		return err
	}
	if c := s.jobs.CachedInfo().Config; c.Retention != jetstream.WorkQueuePolicy || !c.DiscardNewPerSubject || c.MaxMsgsPerSubject != 1 || c.Storage != jetstream.FileStorage {
		return fmt.Errorf("stream %s: a work queue in files, of one message a subject, that refuses new ones, wanted", jobStream)
	}
	return nil
}

func (s *Store) openResults(ctx context.Context) (err error) {
	s.results, err = s.js.KeyValue(ctx, results)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		s.results, err = s.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: results, Storage: jetstream.FileStorage, MaxValueSize: maxPayload})
	}
	return err
}

func (s *Store) openObjects(ctx context.Context) (err error) {
	s.objects, err = s.js.ObjectStore(ctx, objects)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		s.objects, err = s.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: objects, Storage: jetstream.FileStorage})
	}
	return err
}

// lasting are errors that another attempt does not change.
var lasting = []error{
	jetstream.ErrKeyNotFound, jetstream.ErrKeyExists, jetstream.ErrObjectNotFound, jetstream.ErrStreamNotFound, jetstream.ErrBucketNotFound,
	jetstream.ErrJetStreamNotEnabledForAccount, nats.ErrConnectionClosed, nats.ErrMaxPayload, nats.ErrPermissionViolation, nats.ErrAuthorization,
}

// passing reports whether an error may pass: the server is away, starts, or is busy.
func passing(err error) bool {
	for _, l := range lasting {
		if errors.Is(err, l) {
			return false
		}
	}
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionReconnecting) ||
		errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// try calls f until it succeeds or its error is no passing one, or the context ends.
func (s *Store) try(ctx context.Context, what string, f func(context.Context) error) error {
	return s.tryFor(ctx, reply, what, f)
}

// tryFor is try of what takes a while.
func (s *Store) tryFor(ctx context.Context, limit time.Duration, what string, f func(context.Context) error) error {
	begin, told, wait := time.Now(), time.Now(), 20*time.Millisecond
	for {
		once, cancel := context.WithTimeout(ctx, limit)
		err := f(once)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing(err):
			return fmt.Errorf("%s: %w", what, err)
		case time.Since(begin) > s.away:
			return s.gone(what, err)
		}
		if time.Since(told) > silence {
			told = time.Now()
			s.warn(fmt.Sprintf("%s: no answer of the server: %v: it is tried again", what, err))
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		wait = min(2*wait, time.Second)
	}
}

// gone is the error of a server that is away for too long. One of this process is not away: its folder is not as it should be.
func (s *Store) gone(what string, err error) error {
	if s.folder == "" {
		return fmt.Errorf("%s: no answer of the server in %v: %w", what, s.away, err)
	}
	if probe := writable(s.folder); probe != nil {
		err = probe
	}
	return fmt.Errorf("%s: %s: a folder wanted whose disk has room and is not damaged: %w", s.folder, what, err)
}

// writable reports why nothing can be written in a folder.
func writable(folder string) error {
	f, err := os.CreateTemp(folder, "probe-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, maxPayload))
	return errors.Join(err, f.Close())
}

// get reads the entry of a key; nil where there is none. An entry that cannot be read is none: it is written again.
func (s *Store) get(ctx context.Context, key job.Key) (*entry, error) {
	var e *entry
	err := s.try(ctx, "result "+string(key), func(ctx context.Context) error {
		value, err := s.results.Get(ctx, string(key))
		if errors.Is(err, jetstream.ErrKeyNotFound) { // or deleted
			return nil
		}
		if err != nil {
			return err
		}
		if e, err = unpack(value.Value(), key); err != nil {
			if _, told := s.damaged.LoadOrStore(key, true); !told {
				s.warn(fmt.Sprintf("result %s: %v: it is evaluated again", key, err))
			}
			e = nil
		}
		return nil
	})
	return e, err
}

// put stores the entry of a job. Rows of failures do not replace others.
func (s *Store) put(ctx context.Context, j *job.Job, e *entry) error {
	e.Schema, e.Key, e.Row.Point, e.Row.Version = entrySchema, j.Key(), 0, j.Version
	data, err := e.pack()
	if err != nil {
		e.Row, e.Plan = failed(j, err.Error()), ""
		if data, err = e.pack(); err != nil {
			return err
		}
	}
	if e.Row.Error != "" {
		if there, err := s.get(ctx, e.Key); there != nil || err != nil {
			return err
		}
	}
	return s.try(ctx, "result "+string(e.Key), func(ctx context.Context) error {
		_, err := s.results.Put(ctx, string(e.Key), data)
		return err
	})
}

// forget removes the entry of a key.
func (s *Store) forget(ctx context.Context, key job.Key) error {
	return s.try(ctx, "result "+string(key), func(ctx context.Context) error { return s.results.Delete(ctx, string(key)) })
}

// tag is a version as a part of a subject.
func tag(version string) string {
	h := sha256.Sum256([]byte(version))
	return hex.EncodeToString(h[:8])
}

// subject is that of a block: its jobs' keys, and within them which of the jobs it has.
func (s *Store) subject(keys []job.Key, part string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(string(k))
	}
	h := sha256.Sum256([]byte(b.String()))
	return jobSubject + "." + tag(s.version) + "." + hex.EncodeToString(h[:]) + "." + part
}

// whole is the part of a subject that has all jobs of its block.
const whole = "all"

// queued reports whether some part of a block is in the queue, or with a worker.
func (s *Store) queued(ctx context.Context, subject string) (in bool, err error) {
	every := strings.TrimSuffix(subject, whole) + ">"
	err = s.try(ctx, "queue", func(ctx context.Context) error {
		info, err := s.jobs.Info(ctx, jetstream.WithSubjectFilter(every))
		if err == nil {
			in = len(info.State.Subjects) > 0
		}
		return err
	})
	return in, err
}

// publish puts a block into the queue, unless it is there.
func (s *Store) publish(ctx context.Context, subject string, b *job.Block) error {
	b.Schema = job.BlockSchema
	data := b.Encode()
	return s.try(ctx, "queue", func(ctx context.Context) error {
		_, err := s.js.Publish(ctx, subject, data)
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == storeFailed && strings.Contains(api.Description, "per subject") {
			return nil // it is there
		}
		return err
	})
}

// storeFailed is the server's code of messages that the stream refuses.
const storeFailed = 10077

// makeConsumer makes the consumer by which all workers of the version share the queue.
func (s *Store) makeConsumer(ctx context.Context, wait time.Duration) (c jetstream.Consumer, err error) {
	err = s.try(ctx, "queue", func(ctx context.Context) error {
		c, err = s.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
			Durable: s.workers(), FilterSubject: jobSubject + "." + tag(s.version) + ".>", AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: wait, MaxDeliver: -1, MaxAckPending: -1, MaxWaiting: maxWaiting,
		})
		return err
	})
	return c, err
}

// workers is the consumer's name.
func (s *Store) workers() string { return "workers-" + tag(s.version) }

// maxWaiting bounds the requests for work that wait at the server: one for each evaluation at once on any machine. Estimated.
const maxWaiting = 1 << 16
