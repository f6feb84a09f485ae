package mqtt

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// settings are a configuration in the form that all classes share.
type settings struct {
	uris, filters []string
	qos           byte
	protocol      Protocol
	clientID      string
	clean         bool
	expiry        uint32
	sessions      int
	sharedGroup   string
	retained      Retained
	conn          Connection
	maxPoll       int
	maxInFlight   int
	maxBytes      int64
	maxMessage    int64
	pem           pemFiles
	mapping       mapping
	notes         []string // what a configuration has that has no effect, and no key of its own
}

// pemFiles are an alternative to key stores; empty names are none.
type pemFiles struct{ ca, cert, key string }

// keyNames are what a class calls the keys that errors speak of. trust is where authorities are, identity where the client's certificate is.
type keyNames struct{ uris, topics, username, password, client, protocol, trust, identity string }

// check refuses what no single key can say.
func (s *settings) check(k keyNames) error {
	var errs []error
	if a, b, found := overlapping(s.filters); found {
		errs = append(errs, config.Errorf(k.topics, "found %q and %q, which overlap: messages would come twice; leave one out", a, b))
	}
	for _, f := range s.filters {
		if group, _ := sharedGroup(f); group != "" && s.sharedGroup != "" {
			errs = append(errs, config.Errorf(k.topics, "found %q beside shared.group=%s; want plain filters", f, s.sharedGroup))
		}
	}
	if !s.conn.Password.IsZero() && s.conn.Username == "" && s.protocol != Protocol5 {
		errs = append(errs, config.Errorf(k.password, "found a password without a user name, which MQTT 3.1.1 does not allow"))
	}
	if slices.ContainsFunc(s.uris, encrypted) {
		if err := s.conn.TLS.Consistent(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// overlapping finds two filters that bring the same message twice: shared ones of different groups are meant to. Filters without wildcards are compared
// with those that have some only, for there may be thousands.
func overlapping(filters []string) (a, b string, found bool) {
	type split struct {
		group, text string
		levels      []string
	}
	var all, wild []split
	seen := map[string]bool{}
	for _, text := range filters {
		if seen[text] {
			return text, text, true
		}
		seen[text] = true
		group, plain := sharedGroup(text)
		x := split{group, text, strings.Split(plain, "/")}
		others := wild
		if strings.ContainsAny(plain, "+#") {
			others, wild = all, append(wild, x)
		}
		all = append(all, x)
		for _, o := range others {
			if o.group == group && overlap(o.levels, x.levels) {
				return o.text, text, true
			}
		}
	}
	return "", "", false
}

// clientOf is the client id of a session.
func clientOf(base string, session int) string {
	if session == 0 {
		return base
	}
	return fmt.Sprintf("%s-%d", base, session)
}

// divide returns the filters of each session, for at most max of them.
func (s *settings) divide(max int) ([][]string, error) {
	n := s.sessions
	if n > max {
		return nil, config.Errorf("sessions", "found %d with tasks.max=%d; want a tasks.max of at least as many, for each session has a task", n, max)
	}
	if n == 0 {
		n = max
	}
	shared, plain := s.sharedFilters()
	if len(shared) == 0 && s.sessions == 0 {
		n = min(n, len(plain))
	}
	parts := make([][]string, n)
	for _, f := range plain {
		i := home(f, n)
		parts[i] = append(parts[i], f)
	}
	for i := range parts {
		parts[i] = append(parts[i], shared...)
	}
	return parts, nil
}

// sharedFilters tells apart what all sessions subscribe to and what one does.
func (s *settings) sharedFilters() (shared, plain []string) {
	for _, f := range s.filters {
		group, _ := sharedGroup(f)
		switch {
		case s.sharedGroup != "":
			shared = append(shared, "$share/"+s.sharedGroup+"/"+f)
		case group != "":
			shared = append(shared, f)
		default:
			plain = append(plain, f)
		}
	}
	return shared, plain
}

// home is the session of a filter: of n, the one with the highest hash of both, so that few filters move when n changes.
func home(filter string, n int) int {
	best, at := uint64(0), 0
	for i := range n {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s\x00%d", filter, i)
		sum := h.Sum64() * 0x9e3779b97f4a7c15
		if sum ^= sum >> 29; sum > best || i == 0 {
			best, at = sum, i
		}
	}
	return at
}

// sharedGroup returns the group of a shared subscription, or "", and the filter proper.
func sharedGroup(filter string) (group, plain string) {
	rest, ok := strings.CutPrefix(filter, "$share/")
	if !ok {
		return "", filter
	}
	group, plain, _ = strings.Cut(rest, "/")
	return group, plain
}

// checkFilter says what is wrong with a topic filter, by section 4.7 of the standard.
func checkFilter(filter string) error {
	group, plain := sharedGroup(filter)
	switch {
	case strings.HasPrefix(filter, "$share/") && (group == "" || strings.ContainsAny(group, "+#")):
		return errors.New("want $share/<group>/<filter>, a group without wildcards")
	case plain == "":
		return errors.New("want a topic filter, found nothing")
	case len(filter) > 65535:
		return errors.New("want at most 65535 bytes")
	case strings.ContainsRune(filter, 0):
		return errors.New("want no NUL character")
	}
	levels := strings.Split(plain, "/")
	for i, level := range levels {
		if strings.Contains(level, "#") && (level != "#" || i != len(levels)-1) {
			return errors.New("want # alone in the last level")
		}
		if strings.Contains(level, "+") && level != "+" {
			return errors.New("want + alone in a level")
		}
	}
	return nil
}

// matches tells whether a topic matches a plain filter.
func matches(filter, topic string) bool {
	return match(strings.Split(filter, "/"), strings.Split(topic, "/"))
}

// match is matches, by levels.
func match(filter, topic []string) bool {
	if strings.HasPrefix(topic[0], "$") && (filter[0] == "+" || filter[0] == "#") {
		return false
	}
	for i, f := range filter {
		if f == "#" {
			return true
		}
		if i >= len(topic) || f != "+" && f != topic[i] {
			return false
		}
		if i+2 == len(filter) && filter[i+1] == "#" && len(topic) == i+1 {
			return true // sport/# is sport, too
		}
	}
	return len(filter) == len(topic)
}

// overlap tells whether there can be a topic that matches both filters.
func overlap(x, y []string) bool {
	if x[0] != y[0] && (strings.HasPrefix(x[0], "$") || strings.HasPrefix(y[0], "$")) {
		return false
	}
	for i := 0; ; i++ {
		switch {
		case i < len(x) && x[i] == "#" || i < len(y) && y[i] == "#":
			return true
		case i == len(x) || i == len(y):
			// a/# matches a, too.
			return len(x) == len(y) || i == len(x) && i+1 == len(y) && y[i] == "#" || i == len(y) && i+1 == len(x) && x[i] == "#"
		case x[i] != y[i] && x[i] != "+" && y[i] != "+":
			return false
		}
	}
}

// checkURI says what is wrong with the URI of a server.
func checkURI(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("want a URI such as mqtt://host:1883")
	}
	if _, ok := ports[u.Scheme]; !ok {
		return errors.New("want the scheme mqtt, tcp, mqtts, ssl, tls, ws or wss")
	}
	switch {
	case u.Hostname() == "":
		return errors.New("want a host")
	case u.User != nil:
		return errors.New("want no user in a URI; there are keys for user name and password")
	case u.Path != "" && u.Path != "/" && !webSocket(u):
		return errors.New("want no path, which only ws and wss have")
	}
	return nil
}

// ports are the usual ones of the schemes.
var ports = map[string]string{
	"mqtt": "1883", "tcp": "1883", "mqtts": "8883", "ssl": "8883", "tls": "8883", "ws": "80", "wss": "443",
}

func webSocket(u *url.URL) bool { return u.Scheme == "ws" || u.Scheme == "wss" }

func encrypted(uri string) bool {
	scheme, _, _ := strings.Cut(uri, ":")
	return scheme == "mqtts" || scheme == "ssl" || scheme == "tls" || scheme == "wss"
}

func uriCheck() config.Check[string] {
	return config.CheckFunc("URIs of servers", checkURI)
}

func filterCheck() config.Check[string] {
	return config.CheckFunc("topic filters", checkFilter)
}

// textCheck is for texts of the protocol, by section 1.5.4 of the standard.
func textCheck() config.Check[string] {
	return config.CheckFunc("at most 65519 bytes without NUL", func(v string) error {
		if len(v) > math.MaxUint16-16 || // room for -1, -2 and so on
			strings.ContainsRune(v, 0) {
			return errors.New("want at most 65519 bytes, and no NUL")
		}
		return nil
	})
}

func groupCheck() config.Check[string] {
	return config.CheckFunc("a name without /, + and #", func(v string) error {
		if strings.ContainsAny(v, "/+#\x00") {
			return errors.New("want a name without /, + and #")
		}
		return nil
	})
}

// subscriptions are the filters of all sessions, as they are subscribed to.
func (s *settings) subscriptions() []string {
	shared, plain := s.sharedFilters()
	return append(shared, plain...)
}
