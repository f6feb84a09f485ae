package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// MosquittoOptions say what a broker is to be like.
type MosquittoOptions struct {
	// Users are the passwords of those who are let in, by user name. None: everybody is.
	Users map[string]string
	// Durable has the broker write sessions and messages to disk each time that something has changed, as often as it can be told to, so that it may
	// be killed. That is slow. Otherwise it writes when it is stopped.
	Durable bool
	// MaxInFlight is how many messages without acknowledgement a client may have; 0: 1000. A client's own receive maximum counts if it is lower.
	MaxInFlight int
}

// MosquittoServer is a broker that runs.
type MosquittoServer struct {
	// CA, Certificate and Key are files in PEM: who signed the broker's certificate, and what a client shows where it has to.
	CA, Certificate, Key string

	mortal
	ports []*port
}

// The listeners, in the order of their ports.
const (
	mosquittoPlain = iota
	mosquittoTLS
	mosquittoMutual
	mosquittoWeb
	mosquittoWebTLS
	mosquittoListeners
)

// Mosquitto starts an MQTT broker, Eclipse Mosquitto as Debian has it, for one test. It keeps all messages that wait for a client, however many.
//
// Kill loses all that the broker did not write to disk. One that is durable may still lose
// what it took since it last went round its loop: a message that a publisher has just had confirmed, and acknowledgements of subscribers, whose
// messages it then sends again. A publisher that, after the confirmation, waits for the answer to a ping knows that its message is on disk.
func Mosquitto(t testing.TB, o MosquittoOptions) *MosquittoServer {
	t.Helper()
	command, err := mosquittoCommand("mosquitto")
	if err != nil {
		unavailable(t, err)
	}
	m := &MosquittoServer{}
	err = m.prepare(t.Context(), command, o)
	t.Cleanup(func() {
		if err := m.discard(); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		showLog(t, "mosquitto", m.spec.dir, 0)
		m.process, err = start(t.Context(), m.spec)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// mosquittoCommand finds a command that Debian may have where only root looks.
func mosquittoCommand(name string) (string, error) {
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s is needed (Debian: apt install mosquitto)", name)
}

func (m *MosquittoServer) prepare(ctx context.Context, command string, o MosquittoOptions) error {
	dir, err := binary.folder("mosquitto")
	if err != nil {
		return err
	}
	m.spec = spec{name: "mosquitto", dir: dir, argv: []string{command, "-c", filepath.Join(dir, "mosquitto.conf")}}
	for range mosquittoListeners {
		p, err := reserve()
		if err != nil {
			return err
		}
		m.ports = append(m.ports, p)
	}
	m.spec.ready = portOpen(m.ports[mosquittoPlain].addr())
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		return err
	}
	m.CA, m.Certificate, m.Key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
	if err := writeCertificates(dir); err != nil {
		return err
	}
	passwords := ""
	if len(o.Users) > 0 {
		passwords = filepath.Join(dir, "passwords")
		if err := writePasswords(ctx, passwords, o.Users); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "mosquitto.conf"), []byte(m.conf(o, passwords)), 0o600)
}

// writePasswords has mosquitto's own command hash them.
func writePasswords(ctx context.Context, file string, users map[string]string) error {
	command, err := mosquittoCommand("mosquitto_passwd")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	for user, password := range users {
		if out, err := exec.CommandContext(ctx, command, "-b", file, user, password).CombinedOutput(); err != nil {
			return fmt.Errorf("mosquitto_passwd: %w\n%s", err, out)
		}
	}
	return nil
}

func (m *MosquittoServer) conf(o MosquittoOptions, passwords string) string {
	inFlight := o.MaxInFlight
	if inFlight == 0 {
		inFlight = 1000
	}
	lines := []string{
		"persistence true", "persistence_location " + filepath.Join(m.spec.dir, "data") + "/", "autosave_on_changes true",
		"max_queued_messages 0", "max_inflight_messages " + strconv.Itoa(inFlight), "set_tcp_nodelay true", "sys_interval 0", "log_dest stdout", "log_type error", "log_type warning", "log_type notice",
		"allow_anonymous " + strconv.FormatBool(passwords == ""),
	}
	if o.Durable {
		lines = append(lines, "autosave_interval 1")
	} else {
		lines = append(lines, "autosave_interval 0")
	}
	if os.Getuid() == 0 {
		lines = append(lines, "user root") // who owns the folder
	}
	if passwords != "" {
		lines = append(lines, "password_file "+passwords)
	}
	for i, p := range m.ports {
		lines = append(lines, fmt.Sprintf("listener %d 127.0.0.1", p.number))
		if i == mosquittoWeb || i == mosquittoWebTLS {
			lines = append(lines, "protocol websockets")
		}
		if i == mosquittoTLS || i == mosquittoMutual || i == mosquittoWebTLS {
			lines = append(lines, "cafile "+m.CA, "certfile "+filepath.Join(m.spec.dir, "server.pem"), "keyfile "+filepath.Join(m.spec.dir, "server.key"))
		}
		if i == mosquittoMutual {
			lines = append(lines, "require_certificate true")
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func (m *MosquittoServer) discard() error {
	var errs []error
	if m.process != nil {
		errs = append(errs, m.process.kill())
	}
	for _, p := range m.ports {
		errs = append(errs, p.release())
	}
	return errors.Join(errs...)
}

// Addr is host and port of the listener without encryption. It never changes.
func (m *MosquittoServer) Addr() string { return m.ports[mosquittoPlain].addr() }

// URI is that of Addr.
func (m *MosquittoServer) URI() string { return "mqtt://" + m.Addr() }

// TLS is the URI of the listener with encryption, Mutual that of the one that wants a client's certificate, too.
func (m *MosquittoServer) TLS() string { return "mqtts://" + m.ports[mosquittoTLS].addr() }

// Mutual is the URI of the listener that wants a client's certificate.
func (m *MosquittoServer) Mutual() string { return "mqtts://" + m.ports[mosquittoMutual].addr() }

// WebSocket is the URI of the listener for websockets.
func (m *MosquittoServer) WebSocket() string { return "ws://" + m.ports[mosquittoWeb].addr() + "/mqtt" }

// SecureWebSocket is the URI of the listener for encrypted websockets.
func (m *MosquittoServer) SecureWebSocket() string {
	return "wss://" + m.ports[mosquittoWebTLS].addr() + "/mqtt"
}

// Stop ends the broker in order, so that all is on disk.
func (m *MosquittoServer) Stop(t testing.TB) {
	t.Helper()
	if err := m.process.stop(); err != nil {
		t.Fatal(err)
	}
}

// Forget has the broker lose its sessions and messages, between Kill and Restart.
func (m *MosquittoServer) Forget(t testing.TB) {
	t.Helper()
	data := filepath.Join(m.spec.dir, "data")
	if err := errors.Join(os.RemoveAll(data), os.Mkdir(data, 0o700)); err != nil {
		t.Fatal(err)
	}
}
