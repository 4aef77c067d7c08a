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
	probe, err := new(net.ListenConfig).Listen(ctx, "tcp", l.address())
	if err == nil {
		return probe.Close()
	}
	return l.failed(err)
}

// address is host and port.
func (l *Listen) address() string { return net.JoinHostPort(l.Host, strconv.Itoa(max(l.Port, 0))) }

// failed is the error of a host and a port where nobody can listen.
func (l *Listen) failed(err error) error {
	at := l.address()
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
	fatal := make(fatalities, 1)
	s.SetLoggerV2(fatal, false, false, false)
	s.Start()
	if err := up.started(fatal, listen); err != nil {
		up.Close()
		return nil, err
	}
	return up, nil
}

// started waits until a server is ready.
func (s *Server) started(fatal fatalities, listen *Listen) error {
	for begin := time.Now(); time.Since(begin) < ready; {
		if s.s.ReadyForConnections(attempt) {
			if s.s.JetStreamEnabled() {
				return nil
			}
			break
		}
		select {
		case text := <-fatal:
			if listen != nil { // what took the address after Check
				return listen.failed(errors.New(text))
			}
			return fmt.Errorf("server in %s: %s", s.folder, text)
		default:
		}
	}
	return fmt.Errorf("%s: a folder of results that can be written wanted: the server does not start with it", s.folder)
}

// fatalities has the first reason that a server gives why it does not start.
type fatalities chan string

func (f fatalities) Fatalf(format string, a ...any) {
	select {
	case f <- fmt.Sprintf(format, a...):
	default:
	}
}

func (fatalities) Noticef(string, ...any) {}
func (fatalities) Warnf(string, ...any)   {}
func (fatalities) Errorf(string, ...any)  {}
func (fatalities) Debugf(string, ...any)  {}
func (fatalities) Tracef(string, ...any)  {}

// recheck removes what a server noted of its blocks of messages: a server that starts without the notes reads all messages and
// their sums, and drops what is damaged. With the notes it would find the damage later, and neither return nor replace a message.
func recheck(folder string) error {
	notes, err := fs.Glob(os.DirFS(folder), "jetstream/*/streams/*/msgs/index.db")
	for _, n := range notes {
		err = errors.Join(err, os.Remove(filepath.Join(folder, n)))
	}
	return err
}

// noted is the file that says how many results a store had when its server ended.
const noted = "results"

// kept is how many results a server has.
func (s *Server) kept() (n int, err error) {
	info, err := s.s.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return 0, err
	}
	for _, a := range info.AccountDetails {
		for _, st := range a.Streams {
			if st.Name == resultStream {
				n += int(st.State.Msgs)
			}
		}
	}
	return n, nil
}

// lost is how many results the server does not find that it had when it ended: their files are damaged. After a server that was killed it
// knows the number of one before, which is no larger.
func (s *Server) lost() int {
	text, err := os.ReadFile(filepath.Join(s.folder, noted))
	if err != nil {
		return 0
	}
	had, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	n, err := s.kept()
	if err != nil {
		return 0
	}
	return max(0, had-n)
}

// note writes how many results there are.
func (s *Server) note() error {
	n, err := s.kept()
	if err != nil {
		return err
	}
	next := filepath.Join(s.folder, noted+".new")
	return errors.Join(os.WriteFile(next, []byte(strconv.Itoa(n)), 0o666), os.Rename(next, filepath.Join(s.folder, noted)))
}

// Close ends the server.
func (s *Server) Close() {
	if s.s.JetStreamEnabled() {
		s.note() // without it the next server does not know what is lost
	}
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
	if n := s.lost(); err == nil && n > 0 {
		warn(fmt.Sprintf("%s: %d results are damaged: those that are wanted are evaluated again", s.folder, n))
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
