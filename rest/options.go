package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/config/framework"
)

// Limits of Java's worker (ConnectResource, RestServer), and ours for bodies.
const (
	defaultRequestTimeout = 90 * time.Second
	defaultHealthTimeout  = 10 * time.Second
	defaultMaxBody        = 16 << 20
)

// Options configure a Handler. The zero value is useful; NewOptions makes them
// of a worker's configuration.
type Options struct {
	// Logger hears of each request: failures of the worker (status 500 and
	// above) as warnings, everything else at debug level. Nil: silence.
	Logger *slog.Logger
	// BaseURL is what Location headers begin with: the URL under which clients
	// reach the handler, such as https://example.com/connect. Empty: it is told
	// from each request, which works below http.StripPrefix and muxes but not
	// behind a proxy that rewrites paths.
	BaseURL string

	// Version and Commit are shown at /. Empty: those of the program's build of
	// this module, or "unknown".
	Version, Commit string
	// ClusterID of the Kafka cluster is shown at /. Empty: null.
	ClusterID string

	// RequestTimeout limits requests that need the worker; zero: 90 s.
	RequestTimeout time.Duration
	// HealthTimeout limits /health; zero: 10 s.
	HealthTimeout time.Duration
	// MaxBody limits bodies, in bytes; zero: 16 MiB.
	MaxBody int64

	// AllowOrigins may call from browsers (access.control.allow.origin): origins
	// such as https://example.com, in which * stands for any text. Empty: no
	// CORS headers at all.
	AllowOrigins []string
	// AllowMethods are what such calls may use (access.control.allow.methods).
	// Empty: GET, POST and HEAD.
	AllowMethods []string
	// HeaderRules set headers of all answers (response.http.headers.config).
	// Values of setDate and addDate are milliseconds from now. A rule whose value
	// is no number there is left out, with an error in the log; NewOptions
	// refuses it.
	HeaderRules []framework.HeaderRule

	// NoAdmin leaves out /admin (an empty admin.listeners, or one of its own:
	// see AdminHandler).
	NoAdmin bool
	// Loggers are what /admin/loggers shows and changes. Nil: the host has its
	// levels to itself.
	Loggers *Loggers
	// SetClusterLevel hands a level to every worker of the cluster (KIP-976),
	// this one included. Nil: the worker is a cluster of its own.
	SetClusterLevel func(ctx context.Context, namespace, level string) error

	// Client sends requests to the leader. It needs TLS settings if the leader's
	// URL is https. Nil: a client with Go's default transport. Redirects are not
	// followed in either case.
	Client *http.Client
	// Internal serves what workers of a cluster ask of each other. Nil: the
	// worker has no such peers, and the endpoints answer as a standalone worker.
	Internal Internal
}

// NewOptions returns the options that a worker's REST keys ask for. Listeners
// and their TLS settings are the host's business.
func NewOptions(c *framework.RESTConfig) (*Options, error) {
	rules, err := framework.ParseHeaderRules(c.ResponseHeaders)
	if err != nil {
		return nil, fmt.Errorf("rest: response.http.headers.config: %w", err)
	}
	for _, r := range rules {
		if _, err := newHeaderRule(r); err != nil {
			return nil, fmt.Errorf("rest: response.http.headers.config: %w", err)
		}
	}
	return &Options{
		AllowOrigins: splitList(c.AllowOrigin), AllowMethods: splitList(c.AllowMethods),
		HeaderRules: rules, NoAdmin: c.AdminListenersGiven,
	}, nil
}

func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// withDefaults returns a copy in which everything is set that has a default.
func (o *Options) withDefaults() Options {
	if o == nil {
		o = &Options{}
	}
	d := *o
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.RequestTimeout == 0 {
		d.RequestTimeout = defaultRequestTimeout
	}
	if d.HealthTimeout == 0 {
		d.HealthTimeout = defaultHealthTimeout
	}
	if d.MaxBody == 0 {
		d.MaxBody = defaultMaxBody
	}
	if len(d.AllowMethods) == 0 {
		d.AllowMethods = []string{http.MethodGet, http.MethodPost, http.MethodHead}
	}
	d.Client = withoutRedirects(d.Client)
	version, commit := buildVersion()
	if d.Version == "" {
		d.Version = version
	}
	if d.Commit == "" {
		d.Commit = commit
	}
	return d
}

func withoutRedirects(c *http.Client) *http.Client {
	var own http.Client
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

const modulePath = "github.com/streamlane/connect"

// buildVersion returns what the program knows of its build of this module.
func buildVersion() (version, commit string) {
	version, commit = "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath && m.Version != "" && m.Version != "(devel)" {
			version = m.Version
		}
	}
	if info.Main.Path == modulePath {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value[:min(16, len(s.Value))]
			}
		}
	}
	return version, commit
}

// A headerRule is a framework.HeaderRule, understood.
type headerRule struct {
	name, value string
	add, date   bool
	fromNow     time.Duration // of a date
}

func newHeaderRule(r framework.HeaderRule) (headerRule, error) {
	rule := headerRule{name: r.Name, value: r.Value}
	switch r.Action {
	case "set":
	case "add":
		rule.add = true
	case "setDate", "addDate":
		ms, err := strconv.ParseInt(r.Value, 10, 64)
		if err != nil {
			return rule, fmt.Errorf("header %q: %q is no number of milliseconds", r.Name, r.Value)
		}
		rule.add, rule.date, rule.fromNow = r.Action == "addDate", true, time.Duration(ms)*time.Millisecond
	default:
		return rule, fmt.Errorf("header %q: the action %q is none of set, add, setDate, addDate", r.Name, r.Action)
	}
	return rule, nil
}

// apply changes the headers of an answer.
func (r headerRule) apply(h http.Header) {
	value := r.value
	if r.date {
		value = time.Now().Add(r.fromNow).UTC().Format(http.TimeFormat)
	}
	if r.add {
		h.Add(r.name, value)
		return
	}
	h.Set(r.name, value)
}
