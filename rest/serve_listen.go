package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
	"github.com/streamlane/connect/internal/javatls"
)

// A listener is one URL of listeners or admin.listeners.
type listener struct {
	key    string // listeners or admin.listeners
	scheme string
	host   string // as configured; "": all addresses
	port   string
	tls    *tls.Config  // nil: in clear
	opened net.Listener // nil: not yet
}

// serverTLS are the keys of a server over TLS.
type serverTLS struct {
	javatls.Settings
	auth javatls.ClientAuth
}

// Describe binds the keys.
func (s *serverTLS) Describe(d *config.Def) {
	s.Settings.Describe(d)
	config.Enum(d, &s.auth, "ssl.client.auth", javatls.ClientAuthNone, javatls.ClientAuthRequested, javatls.ClientAuthRequired).
		Default(javatls.ClientAuthNone).Doc("Whether clients need a certificate.")
}

// newListeners reads the listeners of a key. Keys with the prefix, if there is
// any, replace all ssl.* keys (Java's valuesWithPrefixAllOrNothing).
func newListeners(key string, urls []string, worker config.Props, prefix string) ([]*listener, error) {
	var all []*listener
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil { // checked with the key
			return nil, config.Errorf(key, "%w", err)
		}
		l := &listener{key: key, scheme: u.Scheme, host: u.Hostname(), port: u.Port()}
		all = append(all, l)
		if u.Scheme != "https" {
			continue
		}
		var set serverTLS
		if err := config.Decode(tlsKeys(worker, prefix), &set); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key, text, err)
		}
		if l.tls, err = set.Server(set.auth); err != nil {
			return nil, fmt.Errorf("%s %s: %w", key, text, err)
		}
		l.tls.NextProtos = []string{"http/1.1"}
	}
	return all, nil
}

// tlsKeys are the ssl.* keys below a prefix, or else those of the worker.
func tlsKeys(worker config.Props, prefix string) config.Props {
	if below := worker.Prefix(prefix); len(below) > 0 {
		return below
	}
	return worker
}

// open listens.
func (l *listener) open(ctx context.Context, listen func(ctx context.Context, network, address string) (net.Listener, error)) error {
	opened, err := listen(ctx, "tcp", net.JoinHostPort(l.host, l.port))
	if err != nil {
		return config.Errorf(l.key, "%s://%s: %w", l.scheme, net.JoinHostPort(l.host, l.port), err)
	}
	if l.tls != nil {
		opened = tls.NewListener(opened, l.tls)
	}
	l.opened = opened
	return nil
}

// bound is the port that the listener has.
func (l *listener) bound() string {
	if l.opened == nil {
		return l.port
	}
	_, port, err := net.SplitHostPort(l.opened.Addr().String())
	if err != nil {
		return l.port
	}
	return port
}

// address is the listener's URL, with the port that it has.
func (l *listener) address() string {
	return l.scheme + "://" + net.JoinHostPort(l.host, l.bound())
}

// advertised returns the URL that other workers are told (advertisedUrl of Java's
// RestServer).
func advertised(ctx context.Context, c *framework.RESTConfig, listeners []*listener) (string, error) {
	scheme := strings.ToLower(c.AdvertisedListener)
	if scheme == "" {
		scheme = "http"
		if !slices.ContainsFunc(listeners, func(l *listener) bool { return l.scheme == "http" }) {
			scheme = "https"
		}
	}
	if scheme != "http" && scheme != "https" {
		return "", config.Errorf("rest.advertised.listener", "found %q, want http or https", c.AdvertisedListener)
	}
	from := listeners[0]
	if i := slices.IndexFunc(listeners, func(l *listener) bool { return l.scheme == scheme }); i >= 0 {
		from = listeners[i]
	}
	host, port := c.AdvertisedHost, from.bound()
	if host == "" && !unspecified(from.host) {
		host = from.host
	}
	if host == "" {
		host = ownHost(ctx)
	}
	if c.AdvertisedPort != 0 {
		if c.AdvertisedPort < 1 || c.AdvertisedPort > 65535 {
			return "", config.Errorf("rest.advertised.port", "found %d, want 1 to 65535", c.AdvertisedPort)
		}
		port = strconv.Itoa(c.AdvertisedPort)
	}
	return (&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/"}).String(), nil
}

// unspecified tells whether a host stands for all addresses. Java would tell
// other workers to connect to it.
func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// lookupLimit is how long the search for the machine's own name may take.
const lookupLimit = 5 * time.Second

// ownHost is an address of this machine: the one that its name has, as in Java,
// unless that leads nowhere from outside; then one of its interfaces.
func ownHost(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	var found []netip.Addr
	if name, err := os.Hostname(); err == nil {
		found, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", name) // a name that is not known has no address
	}
	if addrs, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				found = append(found, p.Addr())
			}
		}
	}
	return bestAddress(found)
}

// bestAddress prefers what others can reach, and IPv4, as Java does.
func bestAddress(found []netip.Addr) string {
	for _, fits := range []func(netip.Addr) bool{
		func(a netip.Addr) bool { return a.Unmap().Is4() && a.IsGlobalUnicast() },
		netip.Addr.IsGlobalUnicast,
	} {
		if i := slices.IndexFunc(found, fits); i >= 0 {
			return found[i].Unmap().String()
		}
	}
	return "127.0.0.1"
}

// Limits of the client: a worker that does not answer is found within seconds.
const (
	dialLimit = 10 * time.Second
	idlePeers = 2
)

// newClient makes the client for requests to other workers, with the server's TLS
// keys (Java's RestClient), and what ends it. Keys that are wrong matter only
// where TLS is in use.
func newClient(worker config.Props, secure bool, log *slog.Logger) (*http.Client, func(), error) {
	var set javatls.Settings
	err := config.Decode(tlsKeys(worker, framework.HTTPSPrefix), &set)
	var own *tls.Config
	if err == nil {
		own, err = set.Client()
	}
	if err != nil && secure {
		return nil, nil, fmt.Errorf("client for other workers: %w", err)
	}
	if err != nil {
		log.Warn("other workers can be reached in clear only", "err", err)
	}
	transport := &http.Transport{
		DialContext:     (&net.Dialer{Timeout: dialLimit}).DialContext,
		TLSClientConfig: own, TLSHandshakeTimeout: dialLimit,
		IdleConnTimeout: idleLimit / 2, MaxIdleConnsPerHost: idlePeers,
	}
	return &http.Client{Transport: transport, Timeout: defaultRequestTimeout}, transport.CloseIdleConnections, nil
}
