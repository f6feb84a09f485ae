package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/streamlane/connect/config"
)

// Clients is a set of Java's clients.
type Clients uint8

// The clients whose keys this package knows.
const (
	ProducerClient Clients = 1 << iota
	ConsumerClient
	AdminClient

	// AllClients is the set of all three.
	AllClients = ProducerClient | ConsumerClient | AdminClient
)

// String lists the clients of the set.
func (c Clients) String() string {
	if c == AllClients {
		return "all"
	}
	var names []string
	for i, name := range []string{"producer", "consumer", "admin"} {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Handling says what becomes of a key of Java's clients.
type Handling uint8

const (
	// Mapped keys do what they do in Java, or what their note says.
	Mapped Handling = iota
	// Meaningless keys are about something that does not exist here. They are
	// accepted, and logged once per Broker.
	Meaningless
	// Refused keys ask for something that would be missed: a client with one
	// does not open.
	Refused
)

// String returns the word that the documentation uses.
func (h Handling) String() string {
	return [...]string{"mapped", "no meaning", "refused"}[h]
}

// A Key is a configuration key of Java's producer, consumer or admin client
// (Kafka 4.3), and what becomes of it here.
type Key struct {
	// Name of the key, without the producer., consumer. or admin. of workers.
	Name     string
	Clients  Clients
	Handling Handling
	// Note says how the key is mapped, or why it is not.
	Note string
	// Unless lists values, in lower case, with which a refused key is accepted:
	// those that ask for nothing.
	Unless []string

	quiet bool // set by Connect itself, not worth a line in the log
}

// Keys returns the table of all keys of Java's clients, in the order of the
// documentation.
func Keys() []Key { return slices.Clone(clientKeys) }

// vetter looks through the keys of clients: it refuses what must be refused and
// logs the rest, each key once. It is safe for concurrent use.
type vetter struct {
	log   *slog.Logger
	mu    sync.Mutex
	known map[string]bool // keys that were logged
}

func newVetter(log *slog.Logger) *vetter { return &vetter{log: log, known: map[string]bool{}} }

// vet checks props for one kind of client. Keys of other clients, and unknown
// ones, get a warning: Java accepts them too.
func (v *vetter) vet(kind Clients, props config.Props) error {
	for _, name := range props.Keys() {
		value, ok := props.Get(name)
		if !ok {
			continue
		}
		if err := v.vetKey(kind, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (v *vetter) vetKey(kind Clients, name, value string) error {
	key, known := lookupKey(name, kind)
	switch {
	case !known && !strings.HasPrefix(name, "metrics.context."):
		v.once(slog.LevelWarn, kind, name, "unknown key of a Kafka client")
	case key.Handling == Refused && !slices.Contains(key.Unless, strings.ToLower(strings.TrimSpace(value))):
		return &config.KeyError{Key: name, Value: config.Props{name: value}.Masked()[name], Err: refusal(key)}
	case key.Handling == Meaningless && !key.quiet:
		v.once(slog.LevelInfo, kind, name, "key of a Kafka client without meaning here: "+key.Note)
	}
	return nil
}

func refusal(k Key) error {
	if len(k.Unless) == 0 {
		return fmt.Errorf("not supported: %s", k.Note)
	}
	allowed := make([]string, len(k.Unless))
	for i, u := range k.Unless {
		allowed[i] = fmt.Sprintf("%q", u)
	}
	return fmt.Errorf("not supported: %s (allowed: %s)", k.Note, strings.Join(allowed, ", "))
}

func (v *vetter) once(level slog.Level, kind Clients, name, message string) {
	v.mu.Lock()
	seen := v.known[name]
	v.known[name] = true
	v.mu.Unlock()
	if !seen {
		v.log.Log(context.Background(), level, message, "key", name, "client", kind.String())
	}
}

// lookupKey finds a key; an entry for the given client wins over one for others.
func lookupKey(name string, kind Clients) (Key, bool) {
	for _, k := range clientKeys {
		if k.Name == name && k.Clients&kind != 0 {
			return k, true
		}
	}
	return Key{}, false
}
