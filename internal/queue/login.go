package queue

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"

	"pimflow/internal/fault"
	"pimflow/internal/files"
	"pimflow/internal/jsontext"
)

// Login says where a server is and who asks, as NATS's own clients are told.
type Login struct {
	URL            string // as nats://host:4222 or tls://host:4222; several with commas
	Context        string // a context of the nats command, or its file: what else is empty is read from it
	Creds, NKey    string // files
	User, Password string
	Token          string
	CA, Cert, Key  string // TLS, files
}

// variables are the environment variables of the nats command, and what each sets.
func (l *Login) variables() map[string]*string {
	return map[string]*string{
		"NATS_URL": &l.URL, "NATS_CONTEXT": &l.Context, "NATS_CREDS": &l.Creds, "NATS_NKEY": &l.NKey, "NATS_USER": &l.User,
		"NATS_PASSWORD": &l.Password, "NATS_TOKEN": &l.Token, "NATS_CA": &l.CA, "NATS_CERT": &l.Cert, "NATS_KEY": &l.Key,
	}
}

// Environment fills what is empty from the environment variables of the nats command but for NATS_URL: a server is only
// used if the command line names it, or a context.
func (l *Login) Environment() {
	for name, field := range l.variables() {
		if name != "NATS_URL" && name != "NATS_CONTEXT" && *field == "" {
			*field = os.Getenv(name)
		}
	}
}

// contextFile is the file of a context of the nats command. What is not used must be empty.
type contextFile struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Creds    string `json:"creds"`
	NKey     string `json:"nkey"`
	CA       string `json:"ca"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
}

// described are the keys of a context's file that a connection does not depend on.
var described = []string{"description", "color_scheme"}

// resolve reads the context.
func (l Login) resolve() (Login, error) {
	if l.Context == "" {
		return l, nil
	}
	path := l.Context
	if !strings.ContainsAny(path, `/\`) && !strings.HasSuffix(path, ".json") {
		home, err := os.UserHomeDir()
		if err != nil {
			return l, fmt.Errorf("NATS context %.80q: %w", l.Context, err)
		}
		path = filepath.Join(cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(home, ".config")), "nats", "context", path+".json")
	}
	data, err := files.Read(path, 1<<20)
	if err != nil {
		return l, fmt.Errorf("NATS context: %w", err)
	}
	var all map[string]any
	if err := jsontext.Decode(data, &all); err != nil {
		return l, fmt.Errorf("%s: a NATS context as JSON wanted: %w", path, err)
	}
	for key, value := range all { // the nats command writes keys that it leaves empty
		if value == "" || value == false || value == nil {
			delete(all, key)
		}
	}
	for _, key := range described {
		delete(all, key)
	}
	data, err = json.Marshal(all)
	if err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	var c contextFile
	if err := jsontext.Strict(data, &c); err != nil {
		return l, fmt.Errorf("%s: %w: only url, user, password, token, creds, nkey, ca, cert and key are supported", path, err)
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&l.URL, c.URL}, {&l.User, c.User}, {&l.Password, c.Password}, {&l.Token, c.Token}, {&l.Creds, c.Creds},
		{&l.NKey, c.NKey}, {&l.CA, c.CA}, {&l.Cert, c.Cert}, {&l.Key, c.Key},
	} {
		*f.to = cmp.Or(*f.to, f.from)
	}
	return l, nil
}

// options are those of a connection.
func (l Login) options() ([]nats.Option, error) {
	var list []nats.Option
	if (l.Cert == "") != (l.Key == "") {
		return nil, fault.Usagef("a TLS certificate and its key wanted, not only one of them")
	}
	if l.User == "" && l.Password != "" {
		return nil, fault.Usagef("a NATS password without a user")
	}
	if l.User != "" {
		list = append(list, nats.UserInfo(l.User, l.Password))
	}
	if l.Token != "" {
		list = append(list, nats.Token(l.Token))
	}
	if l.Creds != "" {
		if _, err := files.Read(l.Creds, 1<<20); err != nil {
			return nil, fmt.Errorf("NATS credentials: %w", err)
		}
		list = append(list, nats.UserCredentials(l.Creds))
	}
	if l.NKey != "" {
		o, err := nats.NkeyOptionFromSeed(l.NKey)
		if err != nil {
			return nil, fmt.Errorf("%s: a NATS nkey seed wanted: %w", l.NKey, err)
		}
		list = append(list, o)
	}
	if l.CA != "" {
		list = append(list, nats.RootCAs(l.CA))
	}
	if l.Cert != "" {
		list = append(list, nats.ClientCert(l.Cert, l.Key))
	}
	return list, nil
}
