package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/jaas"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// maxTokenBytes bounds the answer of a token endpoint.
const maxTokenBytes = 1 << 20

// mechanism makes OAUTHBEARER: with tokens of an endpoint (client credentials),
// of a file, or unsecured ones for development, as Java's login callback handlers
// do.
func (o *oauthSettings) mechanism(m jaas.Module) (sasl.Mechanism, error) {
	if m.Class != "" && m.Class != "OAuthBearerLoginModule" {
		return nil, config.Errorf("sasl.jaas.config", "found login module %q, want OAuthBearerLoginModule", m.Class)
	}
	fetch, err := o.fetcher(m)
	if err != nil {
		return nil, err
	}
	src := &tokenSource{o: o, fetch: fetch, turn: make(chan struct{}, 1)}
	extensions := map[string]string{}
	for k, v := range m.Options {
		if name, ok := strings.CutPrefix(k, "extension_"); ok {
			extensions[name] = v
		}
	}
	return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		token, err := src.token(ctx)
		if err != nil {
			return oauth.Auth{}, fmt.Errorf("OAUTHBEARER token: %w", err)
		}
		return oauth.Auth{Token: token, Extensions: extensions}, nil
	}), nil
}

// fetcher chooses where tokens come from.
func (o *oauthSettings) fetcher(m jaas.Module) (func(context.Context) (string, error), error) {
	if o.endpoint == "" {
		if subject := m.Options["unsecuredLoginStringClaim_sub"]; subject != "" {
			return func(context.Context) (string, error) { return unsecuredToken(subject, time.Now()), nil }, nil
		}
		return nil, config.Errorf("sasl.oauthbearer.token.endpoint.url", "is missing")
	}
	u, err := url.Parse(o.endpoint)
	if err != nil {
		return nil, config.Errorf("sasl.oauthbearer.token.endpoint.url", "%w", err)
	}
	switch u.Scheme {
	case "file":
		return func(context.Context) (string, error) {
			raw, err := os.ReadFile(u.Path)
			return strings.TrimSpace(string(raw)), err
		}, nil
	case "http", "https":
		return o.clientCredentials(m)
	}
	return nil, config.Errorf("sasl.oauthbearer.token.endpoint.url", "scheme %q is not supported; allowed are http, https and file", u.Scheme)
}

// clientCredentials asks a token endpoint (RFC 6749, 4.4).
func (o *oauthSettings) clientCredentials(m jaas.Module) (func(context.Context) (string, error), error) {
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	id := first(o.clientID, m.Options["clientId"])
	secret := first(o.clientSecret.Reveal(), m.Options["clientSecret"])
	if id == "" || secret == "" {
		return nil, config.Errorf("sasl.jaas.config", "options clientId and clientSecret are needed to fetch tokens; one is missing")
	}
	if o.urlencode {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope := first(o.scope, m.Options["scope"]); scope != "" {
		form.Set("scope", scope)
	}
	client := &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: o.connect}).DialContext,
		ResponseHeaderTimeout: o.read,
		DisableKeepAlives:     true, // a token is asked for once in minutes
	}}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	return func(ctx context.Context) (string, error) {
		return o.retry(ctx, func() (string, bool, error) { return postForToken(ctx, client, o.endpoint, basic, form) })
	}, nil
}

// retry calls ask until it answers, says that trying again is of no use, or the
// pause between attempts has reached its limit.
func (o *oauthSettings) retry(ctx context.Context, ask func() (token string, final bool, err error)) (string, error) {
	for pause := max(o.backoff, time.Millisecond); ; pause *= 2 {
		token, final, err := ask()
		if err == nil {
			return token, nil
		}
		if final || pause > o.backoffMax {
			return "", err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return "", errors.Join(context.Cause(ctx), err)
		}
	}
}

// postForToken asks once. Errors that a second attempt will not change are
// final.
func postForToken(ctx context.Context, c *http.Client, endpoint, basic string, form url.Values) (token string, final bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", true, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", basic)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	if err != nil {
		return "", false, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBytes))
	if err != nil {
		return "", false, err
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		final = resp.StatusCode >= 400 && resp.StatusCode < 500 && resp.StatusCode != http.StatusRequestTimeout && resp.StatusCode != http.StatusTooManyRequests
		err := fmt.Errorf("token endpoint %s answered %s", endpoint, resp.Status)
		if final {
			err = both{connect.ErrAuth, fmt.Errorf("%w (the credentials are in the key sasl.jaas.config)", err)}
		}
		return "", final, err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return "", true, fmt.Errorf("token endpoint %s: the answer has no access_token", endpoint)
	}
	return answer.AccessToken, false, nil
}

// tokenSource keeps a token for as long as it is good. It is safe for concurrent
// use.
type tokenSource struct {
	o     *oauthSettings
	fetch func(context.Context) (string, error)
	turn  chan struct{} // held while cur and until are read, or a token is fetched
	cur   string
	until time.Time // when cur is to be replaced; zero: at once
}

func (s *tokenSource) token(ctx context.Context) (string, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	now := time.Now()
	if s.cur != "" && now.Before(s.until) {
		return s.cur, nil
	}
	token, err := s.fetch(ctx)
	if err != nil {
		return "", err
	}
	s.cur, s.until = token, s.o.replaceAt(token, now)
	return token, nil
}

// replaceAt says when to fetch the next token: after the window factor's part of
// its life, and before the buffer ahead of its end. A token that does not say
// when it ends is used once.
func (o *oauthSettings) replaceAt(token string, now time.Time) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp json.Number `json:"exp"`
	}
	if json.Unmarshal(raw, &claims) != nil {
		return time.Time{}
	}
	exp, err := strconv.ParseFloat(claims.Exp.String(), 64)
	if err != nil || exp > 1<<40 {
		return time.Time{}
	}
	end := time.Unix(int64(exp), 0)
	window := now.Add(time.Duration(float64(end.Sub(now)) * o.window))
	if buffered := end.Add(-time.Duration(o.buffer) * time.Second); buffered.After(now) && buffered.Before(window) {
		return buffered
	}
	return window
}

// unsecuredToken makes the token of Java's OAuthBearerUnsecuredLoginCallbackHandler,
// which brokers accept in development: it proves nothing.
func unsecuredToken(subject string, now time.Time) string {
	claims, err := json.Marshal(map[string]any{
		"sub": subject, "iat": float64(now.UnixMilli()) / 1000, "exp": float64(now.Add(time.Hour).UnixMilli()) / 1000,
	})
	if err != nil { // a map of texts and numbers always encodes
		return ""
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(claims) + "."
}
