package queue

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// pair writes a key and a certificate that it signs itself for 127.0.0.1.
func pair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, filepath.Join(dir, name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		put(t, filepath.Join(dir, name+".key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})))
}

// identity is a key pair of NATS, its seed in a file.
func identity(t *testing.T, dir string, create func() (nkeys.KeyPair, error)) (kp nkeys.KeyPair, public, file string) {
	t.Helper()
	kp, err := create()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = kp.PublicKey(); err != nil {
		t.Fatal(err)
	}
	seed, err := kp.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return kp, public, put(t, filepath.Join(dir, public), string(seed))
}

// listening starts a server of other options than Serve's.
func listening(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", -1, true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

// TestLogins: each way of NATS's clients to say who they are is taken by a server that wants it, and nothing else is.
func TestLogins(t *testing.T) {
	dir := t.TempDir()
	_, user, seed := identity(t, dir, nkeys.CreateUser)
	operator, _, _ := identity(t, dir, nkeys.CreateOperator)
	account, accountKey, _ := identity(t, dir, nkeys.CreateAccount)
	_, memberKey, memberSeed := identity(t, dir, nkeys.CreateUser)
	operatorKey, _ := operator.PublicKey()
	claims := jwt.NewOperatorClaims(operatorKey)
	token, err := jwt.NewAccountClaims(accountKey).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	if err := resolver.Store(accountKey, token); err != nil {
		t.Fatal(err)
	}
	userToken, err := jwt.NewUserClaims(memberKey).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(memberSeed)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(userToken, text)
	if err != nil {
		t.Fatal(err)
	}
	own, ownKey := pair(t, dir, "server")
	client, clientKey := pair(t, dir, "client")
	config, err := server.GenTLSConfig(&server.TLSConfigOpts{CertFile: own, KeyFile: ownKey, CaFile: client, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		server  *server.Options
		login   Login
		context string // the same as a file of the nats command
	}{
		{"user and password", &server.Options{Username: "u", Password: "p"}, Login{User: "u", Password: "p"}, `"user": "u", "password": "p"`},
		{"token", &server.Options{Authorization: "secret"}, Login{Token: "secret"}, `"token": "secret"`},
		{"nkey", &server.Options{Nkeys: []*server.NkeyUser{{Nkey: user}}}, Login{NKey: seed}, fmt.Sprintf(`"nkey": %q`, seed)},
		{"credentials", &server.Options{TrustedOperators: []*jwt.OperatorClaims{claims}, AccountResolver: resolver},
			Login{Creds: put(t, filepath.Join(dir, "user.creds"), string(creds))}, fmt.Sprintf(`"creds": %q`, filepath.Join(dir, "user.creds"))},
		{"TLS", &server.Options{TLSConfig: config, TLSTimeout: 5}, Login{CA: own, Cert: client, Key: clientKey},
			fmt.Sprintf(`"ca": %q, "cert": %q, "key": %q`, own, client, clientKey)},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := listening(t, c.server)
			c.login.URL = url
			file := put(t, filepath.Join(dir, "context.json"), fmt.Sprintf(`{"description": "x", "url": %q, %s, "nsc": "", "tls_first": false}`, url, c.context))
			for _, l := range []Login{c.login, {Context: file}} {
				nc, err := Dial(t.Context(), l, time.Second, func(string) {})
				if err != nil {
					t.Fatal(err)
				}
				nc.Close()
			}
			if nc, err := Dial(t.Context(), Login{URL: url}, time.Second, func(string) {}); err == nil {
				nc.Close()
				t.Error("the server takes anybody")
			}
		})
	}
}

// TestListen: a server of this process that others reach wants a user and a password, and has TLS.
func TestListen(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "server")
	s, err := Serve(t.TempDir(), &Listen{Host: "127.0.0.1", Port: -1, User: "u", Password: "p", Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nc, err := Dial(t.Context(), Login{URL: s.URL(), User: "u", Password: "p", CA: cert}, time.Second, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if _, err := Dial(t.Context(), Login{URL: s.URL(), User: "u", Password: "q", CA: cert}, time.Second, func(string) {}); err == nil || !strings.Contains(err.Error(), "Authorization") {
		t.Error(err)
	}
	if _, err := Serve(t.TempDir(), &Listen{Host: "127.0.0.1", Port: -1}); err == nil || !strings.Contains(err.Error(), "a user and a password wanted") {
		t.Error(err)
	}
}

// TestBadLogins: what is wrong with a login is said.
func TestBadLogins(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string { return put(t, filepath.Join(dir, fmt.Sprint(len(text), ".json")), text) }
	for _, c := range []struct {
		login Login
		want  string
	}{
		{Login{Cert: "x"}, "a TLS certificate and its key wanted"},
		{Login{Password: "x"}, "a NATS password without a user"},
		{Login{Creds: filepath.Join(dir, "none")}, "NATS credentials: open "},
		{Login{NKey: filepath.Join(dir, "none")}, "a NATS nkey seed wanted"},
		{Login{Context: filepath.Join(dir, "none.json")}, "NATS context: open "},
		{Login{Context: file("{")}, "a NATS context as JSON wanted"},
		{Login{Context: file(`{"url": "nats://127.0.0.1:1", "jetstream_domain": "hub"}`)}, `key jetstream_domain is not known`},
		{Login{URL: fmt.Sprintf("nats://127.0.0.1:%d", free(t))}, "no servers available"},
	} {
		if _, err := Dial(t.Context(), c.login, 0, func(string) {}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v: %q wanted", c.login, err, c.want)
		}
	}
}

// TestEnvironment: the nats command's variables fill what is not given; they do not name a server.
func TestEnvironment(t *testing.T) {
	for name := range (&Login{}).variables() {
		t.Setenv(name, "of "+name)
	}
	l := Login{User: "mine"}
	l.Environment()
	if want := (Login{"", "", "of NATS_CREDS", "of NATS_NKEY", "mine", "of NATS_PASSWORD", "of NATS_TOKEN", "of NATS_CA", "of NATS_CERT", "of NATS_KEY"}); l != want {
		t.Errorf("%+v: %+v wanted", l, want)
	}
}
