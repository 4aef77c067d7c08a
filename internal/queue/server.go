package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"pimflow/internal/fault"
)

// Listen says where a server of this process accepts other machines.
type Listen struct {
	Host           string
	Port           int // -1: any that is free
	User, Password string
	Cert, Key      string // TLS; "": none
}

// Check reports why nobody can listen there: a fault of usage where the host is none of this machine.
func (l *Listen) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reply)
	defer cancel()
	at := net.JoinHostPort(l.Host, strconv.Itoa(max(l.Port, 0)))
	probe, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
	if err == nil {
		return probe.Close()
	}
	var lookup *net.DNSError
	var system *os.SyscallError
	switch {
	case errors.As(err, &lookup), errors.Is(err, syscall.EADDRNOTAVAIL):
		return fault.Usagef("--listen %.80s: no address of this machine: one as 0.0.0.0:4222 wanted", at)
	case errors.As(err, &system):
		err = system.Err
	}
	return fmt.Errorf("--listen %.80s: %w", at, err)
}

// Server is a NATS server in this process, whose files are in a folder. One process at a time has the folder.
type Server struct {
	s              *server.Server
	folder         string
	lock           *os.File
	user, password string
}

// ready bounds the start of a server, which reads what is in its folder. Estimated.
const ready = 5 * time.Minute

// Serve starts a server. Without listen only this process reaches it, and no port is opened.
func Serve(folder string, listen *Listen) (*Server, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	o := &server.Options{
		ServerName: "pimflow", DontListen: listen == nil, NoSigs: true, NoLog: true, MaxPayload: maxPayload,
		JetStream: true, StoreDir: folder, JetStreamMaxMemory: 1 << 26, JetStreamMaxStore: 1 << 60, // the disk bounds it
	}
	if listen != nil {
		if listen.User == "" || listen.Password == "" {
			lock.Close()
			return nil, fault.Usagef("a server that other machines reach: a user and a password wanted")
		}
		o.Host, o.Port, o.Username, o.Password = listen.Host, listen.Port, listen.User, listen.Password
		if listen.Cert != "" {
			o.TLSConfig, err = server.GenTLSConfig(&server.TLSConfigOpts{CertFile: listen.Cert, KeyFile: listen.Key})
			o.TLS, o.TLSTimeout = true, 5
		}
	}
	if err == nil {
		err = recheck(folder)
	}
	var s *server.Server
	if err == nil {
		s, err = server.NewServer(o)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("server in %s: %w", folder, err)
	}
	up := &Server{s, folder, lock, o.Username, o.Password}
	s.Start()
	if !s.ReadyForConnections(ready) || !s.JetStreamEnabled() {
		up.Close()
		return nil, fmt.Errorf("%s: a folder of results that can be written wanted: the server does not start with it", folder)
	}
	return up, nil
}

// recheck removes what a server noted of its blocks of messages: a server that starts without the notes reads all messages and
// their sums, and drops what is damaged. With the notes it would find the damage later, and neither return nor replace a message.
func recheck(folder string) error {
	notes, err := fs.Glob(os.DirFS(folder), "jetstream/*/streams/*/msgs/index.db")
	for _, n := range notes {
		err = errors.Join(err, os.Remove(filepath.Join(folder, n)))
	}
	return err
}

// Close ends the server.
func (s *Server) Close() {
	s.s.Shutdown()
	s.s.WaitForShutdown()
	s.lock.Close()
}

// URL is where other machines reach the server.
func (s *Server) URL() string { return s.s.ClientURL() }

// Port is the port of Listen.
func (s *Server) Port() int { return s.s.Addr().(*net.TCPAddr).Port }

// Connect connects this process with the server, past the network.
func (s *Server) Connect() (*nats.Conn, error) {
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}) // they come when the server ends
	return nats.Connect("", nats.InProcessServer(s.s), nats.UserInfo(s.user, s.password), nats.MaxReconnects(-1), quiet)
}

// full is how long a server of this process may fail to store or to read. Estimated: a busy disk takes less.
const full = 15 * time.Second

// Store is the store of a server whose process has the only sweep: the blocks that an interrupted one left are removed, and its
// results stay. done ends the connection.
func (s *Server) Store(ctx context.Context, version string, warn func(string)) (of *Store, done func(), err error) {
	nc, err := s.Connect()
	if err != nil {
		return nil, nil, err
	}
	of, err = openStore(ctx, nc, &Store{folder: s.folder, version: version, away: full, warn: warn})
	if err == nil {
		err = of.clear(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return of, nc.Close, nil
}

// attempt is the time between attempts to connect. Estimated.
const attempt = 500 * time.Millisecond

// Dial connects with a server. It tries for as long as patience says where none answers: workers may be up before their
// server. Once there, the connection survives restarts of the server.
func Dial(ctx context.Context, l Login, patience time.Duration, warn func(string)) (*nats.Conn, error) {
	l, err := l.resolve()
	if err != nil {
		return nil, err
	}
	options, err := l.options()
	if err != nil {
		return nil, err
	}
	options = append(options, nats.Name("pimflow"), nats.MaxReconnects(-1), nats.ReconnectWait(attempt), nats.Timeout(5*time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				warn(fmt.Sprintf("no connection with the server: %v: it is tried again", err))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { warn(fmt.Sprint("connection: ", err)) }),
		nats.ReconnectHandler(func(*nats.Conn) { warn("connected again") }))
	for begin := time.Now(); ; {
		nc, err := nats.Connect(l.URL, options...)
		if err == nil {
			return nc, nil
		}
		if !away(err) || time.Since(begin) > patience {
			return nil, fmt.Errorf("NATS server %.80q: %w", l.URL, err)
		}
		if !sleep(ctx, attempt) {
			return nil, ctx.Err()
		}
	}
}

// away reports whether nobody answers, or somebody who starts or ends.
func away(err error) bool {
	var network net.Error
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, io.EOF) || errors.As(err, &network)
}

// sleep reports whether the context has not ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
