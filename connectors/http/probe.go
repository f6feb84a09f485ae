package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
)

// probeTime bounds validation.
const probeTime = 10 * time.Second

// Probe asks each endpoint for its first page, once, and says which key is wrong.
func (c *Config) Probe(ctx context.Context) error {
	if !c.ProbeRequests {
		return nil
	}
	client, err := httpkit.New(c.Client, httpkit.Options{})
	if err != nil {
		return config.Errorf(storeKey(err), "%w", err)
	}
	defer client.Close()
	base, err := url.Parse(c.URL)
	if err != nil {
		return config.Errorf("http.url", "%w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	list := c.endpoints()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, e := range list {
		wg.Go(func() { errs[i] = c.probe(ctx, client, base, e) })
	}
	wg.Wait()
	return errors.Join(alike(errs)...)
}

// alike leaves out what was said of a key already: the endpoints of a server that cannot be reached say the same.
func alike(errs []error) []error {
	said := map[string]bool{}
	var kept []error
	for _, err := range errs {
		keys, _ := config.KeyErrors(err)
		if len(keys) == 1 && said[keys[0].Key] {
			continue
		}
		if len(keys) == 1 {
			said[keys[0].Key] = true
		}
		kept = append(kept, err)
	}
	return kept
}

func (c *Config) probe(ctx context.Context, client *httpkit.Client, base *url.URL, e *Endpoint) error {
	prefix := ""
	if len(c.Endpoints) > 0 {
		prefix = "endpoint." + e.name + "."
	}
	r, err := newReader(e, base, client)
	if err == nil {
		err = r.restore(nil)
	}
	if err != nil {
		return config.Errorf(prefix+"path", "%w", err)
	}
	r.pos.until = time.Now().UnixNano()
	_, b, err := r.ask(ctx)
	if err != nil {
		return c.wrong(err, prefix, e, b)
	}
	if b == nil {
		return nil
	}
	for _, x := range b.records {
		if _, err := r.timestamp(x.value); err != nil && x.err == nil {
			return config.Errorf(prefix+"record.timestamp.path", "%w", err)
		}
		if err := r.keys.learn(x.value); err != nil && x.err == nil {
			return config.Errorf(prefix+"record.key.path", "%w", err)
		}
	}
	return nil
}

// wrong tells which key a failed request speaks of; nil where time or the configuration will help.
func (c *Config) wrong(err error, prefix string, e *Endpoint, b *body) error {
	failed, _ := errors.AsType[*httpkit.Error](err)
	switch {
	case failed == nil: // the time of validation is over
		return config.Errorf("http.url", "no answer within %s: %w", probeTime, err)
	case failed.Skip, passing(failed.Status) && !errors.Is(err, errMalformed):
		return nil
	case c.isToken(failed):
		return config.Errorf(tokenKey(failed), "%w", err)
	case failed.Status == http.StatusProxyAuthRequired:
		return config.Errorf("http.proxy.url", "%w", err)
	case failed.Class == httpkit.Auth, failed.Status == http.StatusUnauthorized, failed.Status == http.StatusForbidden:
		return config.Errorf(c.secretKey(failed.Status), "%w", err)
	case errors.Is(err, errMalformed):
		key := "response.format"
		if b == nil && e.RecordsPath != "" {
			key = "records.path"
		}
		return config.Errorf(prefix+key, "%w", err)
	case failed.Status == 0:
		return config.Errorf(networkKey(err), "%w", err)
	}
	return config.Errorf(prefix+"path", "%w", err)
}

// passing tells statuses that say nothing of the configuration: the server is busy, or down for a while.
func passing(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

// isToken tells errors of the token endpoint.
func (c *Config) isToken(failed *httpkit.Error) bool {
	u, err := url.Parse(c.Client.Auth.OAuth2.TokenURL)
	return c.Client.Auth.Type == httpkit.OAuth2 && err == nil && failed.URL == httpkit.PublicURL(u)
}

func tokenKey(failed *httpkit.Error) string {
	if failed.Class == httpkit.Auth {
		return "auth.oauth2.client.secret"
	}
	return "auth.oauth2.token.url"
}

// secretKey is what the server does not know us by; with 403 it does, and what we may not do is another's to allow.
func (c *Config) secretKey(status int) string {
	if status == http.StatusForbidden {
		return "auth.type"
	}
	switch c.Client.Auth.Type {
	case httpkit.Basic, httpkit.Digest:
		return "auth.password"
	case httpkit.Bearer:
		return "auth.token"
	case httpkit.APIKey:
		return "auth.api.key"
	case httpkit.SigV4:
		return "auth.sigv4.secret.access.key"
	}
	return "auth.type"
}

// networkKey is the key that an error without an answer speaks of.
func networkKey(err error) string {
	op, _ := errors.AsType[*net.OpError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, misnamed := errors.AsType[x509.HostnameError](err)
	switch {
	case misnamed:
		return "http.url"
	case unknown, verification:
		return "http.ssl.truststore.location"
	case op != nil && op.Op == "remote error":
		return "http.ssl.keystore.location"
	case op != nil && (op.Op == "proxyconnect" || strings.HasPrefix(op.Op, "socks")):
		return "http.proxy.url"
	}
	return "http.url"
}

// storeKey is the key of the store that cannot be read.
func storeKey(err error) string {
	if keys, _ := config.KeyErrors(err); len(keys) > 0 {
		return "http." + keys[0].Key
	}
	return "http.ssl.truststore.location"
}
