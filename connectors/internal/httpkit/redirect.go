package httpkit

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// origin is scheme, host and port of a URL.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Scheme + "://" + u.Hostname() + ":" + port)
}

func sameOrigin(a, b *url.URL) bool { return origin(a) == origin(b) }

// location returns where a response sends us, if it does.
func location(res *Response) (string, bool) {
	switch res.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		to := res.Header.Get("Location")
		return to, to != ""
	}
	return "", false
}

// redirect makes the request that a redirect asks for. Only what stays at home keeps headers and credentials, and a body never leaves.
func redirect(r Request, res *Response, to string) (Request, error) {
	u, err := res.URL.Parse(to)
	if err != nil {
		return r, errors.New("the redirect's Location is no URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return r, fmt.Errorf("redirect to the scheme %q, want http or https", u.Scheme)
	}
	if res.URL.Scheme == "https" && u.Scheme == "http" {
		return r, fmt.Errorf("redirect from https to http, to %s", PublicURL(u))
	}
	keeps := res.Status == http.StatusTemporaryRedirect || res.Status == http.StatusPermanentRedirect
	if !keeps && r.Method != http.MethodGet && r.Method != http.MethodHead {
		r.Method, r.Body = http.MethodGet, nil
		r.Header = r.Header.Clone()
		r.Header.Del("Content-Type")
	}
	if len(r.Body) > 0 && !sameOrigin(r.Home, u) {
		return r, fmt.Errorf("redirect of a request with a body to another host, %s", PublicURL(u))
	}
	r.URL = u
	return r, nil
}

func parseProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is no URL") // the error of url.Parse quotes it, password and all
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("has the scheme %q, want http, https or socks5", u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("has no host")
	}
	return u, nil
}

// proxy returns the choice of a proxy for a Transport; nil for none.
func (c *Config) proxy() (func(*http.Request) (*url.URL, error), error) {
	if c.Proxy.Reveal() == "" {
		return nil, nil
	}
	u, err := parseProxy(c.Proxy.Reveal())
	if err != nil {
		return nil, fmt.Errorf("http.proxy.url %w", err)
	}
	if c.ProxyUser != "" {
		u.User = url.UserPassword(c.ProxyUser, c.ProxyPassword.Reveal())
	}
	// httpproxy knows the rules of NO_PROXY; of the proxies themselves it would refuse some.
	excluded := (&httpproxy.Config{HTTPProxy: "http://p", HTTPSProxy: "http://p", NoProxy: strings.Join(c.NoProxy, ",")}).ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		if near(r.URL.Hostname()) { // of which httpproxy excludes all
			if c.excludesNear(r.URL) {
				return nil, nil
			}
			return u, nil
		}
		if by, err := excluded(r.URL); err != nil || by == nil {
			return nil, err
		}
		return u, nil
	}, nil
}

// near tells the names and addresses of this machine.
func near(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// excludesNear tells whether a URL of this machine is to be reached without the proxy.
func (c *Config) excludesNear(u *url.URL) bool {
	for _, entry := range c.NoProxy {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if _, network, err := net.ParseCIDR(entry); err == nil && network.Contains(net.ParseIP(u.Hostname())) {
			return true
		}
		if entry == "*" || entry == u.Hostname() || entry == u.Host {
			return true
		}
	}
	return false
}
