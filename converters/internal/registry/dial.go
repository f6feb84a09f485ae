package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Dial makes the client of a configuration. It opens nothing.
func Dial(c *Config) (Client, error) {
	t := &transport{
		headers: http.Header{}, retries: c.Retries, firstWait: c.RetryWait, maxWait: c.RetryMaxWait, limit: c.ReadTimeout,
	}
	for _, text := range c.URLs {
		u, err := baseURL(text)
		if err != nil {
			return nil, config.Errorf("schema.registry.url", "%w", err)
		}
		if c.CredentialsSource != "URL" {
			u.User = nil
		}
		t.urls = append(t.urls, u)
	}
	if c.RandomizeURLs {
		t.preferred.Store(rand.Int32N(int32(len(t.urls))))
	}
	for name, value := range c.RequestHeaders {
		t.headers.Set(name, value)
	}
	web, err := httpTransport(c)
	if err != nil {
		return nil, err
	}
	t.client = &http.Client{Transport: web, CheckRedirect: sameHost}
	t.sign = credentials(c, web)
	return &client{t}, nil
}

// baseURL reads the URL of a registry; a path in front of its API is kept.
func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the text, which may have a password
		}
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("scheme %q is not supported; allowed are http and https", u.Scheme)
	case u.Host == "":
		return nil, errors.New("there is no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("a query or fragment has no meaning here")
	}
	return u, nil
}

// sameHost refuses redirects that would carry credentials elsewhere.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) > 5 || r.URL.Host != via[0].URL.Host {
		return fmt.Errorf("redirected to %s", r.URL.Redacted())
	}
	return nil
}

func httpTransport(c *Config) (*http.Transport, error) {
	dialer := net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: c.ConnectTimeout,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	if c.ProxyHost != "" {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: net.JoinHostPort(c.ProxyHost, strconv.Itoa(c.ProxyPort))})
	}
	var err error
	if t.TLSClientConfig, err = c.TLS.Client(); err != nil {
		return nil, prefixed(err)
	}
	return t, nil
}

// prefixed names the keys of a TLS error as they are here.
func prefixed(err error) error {
	keys, rest := config.KeyErrors(err)
	out := rest
	for _, k := range keys {
		full := *k
		full.Key = "schema.registry." + k.Key
		out = append(out, &full)
	}
	return errors.Join(out...)
}

// untrusted tells whether an error is about a certificate: of theirs that we do
// not trust, or of ours that they do not.
func untrusted(err error) bool {
	_, cert := errors.AsType[*tls.CertificateVerificationError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return cert || alert || authority || host
}

// credentials makes the signature of requests; nil for none beside those in the
// URL.
func credentials(c *Config, web http.RoundTripper) func(context.Context, *http.Request) error {
	if c.CredentialsSource == "USER_INFO" {
		header := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.userInfo()))
		return func(_ context.Context, r *http.Request) error { r.Header.Set("Authorization", header); return nil }
	}
	switch {
	case c.BearerSource == "OAUTHBEARER":
		o := &oauth{c: c, client: &http.Client{Transport: web, Timeout: c.ReadTimeout}, turn: make(chan struct{}, 1)}
		return o.sign
	case !c.BearerToken.IsZero():
		header := "Bearer " + c.BearerToken.Reveal()
		return func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", header)
			c.extensions(r)
			return nil
		}
	}
	return nil
}

// extensions adds the headers by which Confluent's cloud knows whom a token is for.
func (c *Config) extensions(r *http.Request) {
	if c.LogicalCluster != "" {
		r.Header.Set("target-sr-cluster", c.LogicalCluster)
	}
	if c.IdentityPool != "" {
		r.Header.Set("Confluent-Identity-Pool-Id", c.IdentityPool)
	}
}

// oauth gets tokens by client credentials (RFC 6749, 4.4) and keeps each until
// shortly before it expires.
type oauth struct {
	c      *Config
	client *http.Client
	turn   chan struct{} // held while the token is looked at or fetched
	token  string
	until  time.Time
}

func (o *oauth) sign(ctx context.Context, r *http.Request) error {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-o.turn }()
	if o.token == "" || !time.Now().Before(o.until) {
		if err := o.fetch(ctx); err != nil {
			return err
		}
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	o.c.extensions(r)
	return nil
}

func (o *oauth) fetch(ctx context.Context) error {
	form := url.Values{"grant_type": {"client_credentials"}}
	if o.c.Scope != "" {
		form.Set("scope", o.c.Scope)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.c.Issuer, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("bearer.auth.issuer.endpoint.url: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(o.c.ClientID), url.QueryEscape(o.c.ClientSecret.Reveal()))
	resp, err := o.client.Do(r)
	if err != nil {
		return connect.Retriable(fmt.Errorf("token endpoint %s: %w", r.URL.Redacted(), plain(ctx, err)), 0)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return connect.Retriable(fmt.Errorf("token endpoint %s: %w", r.URL.Redacted(), err), 0)
	}
	if resp.StatusCode != http.StatusOK {
		err := fmt.Errorf("token endpoint %s: HTTP %d: %.300s", r.URL.Redacted(), resp.StatusCode, text)
		if temporary(resp.StatusCode) {
			return connect.Retriable(err, retryAfter(resp.Header, time.Now()))
		}
		return err
	}
	var said struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
	}
	if err := json.Unmarshal(text, &said); err != nil || said.Token == "" {
		return fmt.Errorf("token endpoint %s: an answer without access_token", r.URL.Redacted())
	}
	life := time.Duration(min(max(said.Expires, 0), 1e9)) * time.Second
	if said.Expires == 0 {
		life = time.Hour
	}
	if early := o.c.ExpiryBuffer; early < life {
		life -= early
	}
	o.token, o.until = said.Token, time.Now().Add(life)
	return nil
}
