package httpkit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/streamlane/connect/config"
)

// An authorizer puts credentials on requests. It is safe for concurrent use.
type authorizer interface {
	// apply authorizes a request that is about to be sent.
	apply(ctx context.Context, r *http.Request, body []byte) error
	// renew is called with a 401; true: another try has other credentials.
	renew(ctx context.Context, res *Response) (again bool, err error)
}

func newAuthorizer(c AuthConfig, client *http.Client, timeout time.Duration) authorizer {
	switch c.Type {
	case Basic:
		return fixed(func(r *http.Request, _ []byte) { r.SetBasicAuth(c.User, c.Password.Reveal()) })
	case Bearer:
		return fixed(func(r *http.Request, _ []byte) { r.Header.Set("Authorization", "Bearer "+c.Token.Reveal()) })
	case APIKey:
		if c.KeyIn == "query" {
			return fixed(func(r *http.Request, _ []byte) {
				q := r.URL.Query()
				q.Set(c.KeyName, c.Key.Reveal())
				u := *r.URL // what errors and next links are made of has no key
				u.RawQuery = q.Encode()
				r.URL = &u
			})
		}
		return fixed(func(r *http.Request, _ []byte) { r.Header.Set(c.KeyName, c.Key.Reveal()) })
	case OAuth2:
		return newTokens(c.OAuth2, client, timeout) // the headers were checked with the configuration
	case SigV4:
		return fixed(func(r *http.Request, body []byte) { sign(c.SigV4, r, body, time.Now()) })
	case Digest:
		return &digest{user: c.User, password: c.Password.Reveal()}
	}
	return fixed(func(*http.Request, []byte) {})
}

// fixed credentials are what they are.
type fixed func(r *http.Request, body []byte)

func (f fixed) apply(_ context.Context, r *http.Request, body []byte) error { f(r, body); return nil }
func (f fixed) renew(context.Context, *Response) (bool, error)              { return false, nil }

// tokens are OAuth 2.0's.
type tokens struct {
	c       OAuth2Config
	client  *http.Client
	timeout time.Duration

	// turn is held, by who put an element in, while a token is asked for: a lock that ends with a context.
	turn  chan struct{}
	mu    sync.Mutex
	token *oauth2.Token
	// refresh is the refresh token of now.
	refresh string
}

func newTokens(c OAuth2Config, client *http.Client, timeout time.Duration) *tokens {
	if extra, err := headersOf(c.Headers, c.HeaderSeparator); err == nil && len(extra) > 0 {
		own := *client
		own.Transport = withHeaders{client.Transport, extra}
		client = &own
	}
	return &tokens{c: c, client: client, timeout: timeout, turn: make(chan struct{}, 1), refresh: c.RefreshToken.Reveal()}
}

func (t *tokens) current() *oauth2.Token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token.Valid() {
		return t.token
	}
	return nil
}

func (t *tokens) apply(ctx context.Context, r *http.Request, _ []byte) error {
	token := t.current()
	if token == nil {
		var err error
		if token, err = t.fetch(ctx); err != nil {
			return err
		}
	}
	token.SetAuthHeader(r)
	return nil
}

// renew forgets the token that was refused.
func (t *tokens) renew(context.Context, *Response) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = nil
	return true, nil
}

// fetch asks for a token, one caller at a time.
func (t *tokens) fetch(ctx context.Context) (*oauth2.Token, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if token := t.current(); token != nil {
		return token, nil // by the caller before
	}
	bounded, cancel := context.WithTimeoutCause(ctx, t.timeout, errSlow)
	defer cancel()
	token, err := t.ask(context.WithValue(bounded, oauth2.HTTPClient, t.client))
	if err != nil {
		return nil, t.failure(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = token
	if token.RefreshToken != "" {
		t.refresh = token.RefreshToken
	}
	return token, nil
}

func (t *tokens) ask(ctx context.Context) (*oauth2.Token, error) {
	style := oauth2.AuthStyleInHeader
	if t.c.InBody {
		style = oauth2.AuthStyleInParams
	}
	if t.c.Grant == "refresh_token" {
		t.mu.Lock()
		refresh := t.refresh
		t.mu.Unlock()
		c := oauth2.Config{ClientID: t.c.ClientID, ClientSecret: t.c.Secret.Reveal(), Scopes: t.c.Scopes,
			Endpoint: oauth2.Endpoint{TokenURL: t.c.TokenURL, AuthStyle: style}}
		return c.TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	}
	params := url.Values{}
	for name, value := range t.c.Params {
		params.Set(name, value)
	}
	c := clientcredentials.Config{ClientID: t.c.ClientID, ClientSecret: t.c.Secret.Reveal(), TokenURL: t.c.TokenURL, Scopes: t.c.Scopes,
		EndpointParams: params, AuthStyle: style}
	return c.Token(ctx)
}

// failure is an error of the token endpoint: its answer may quote what we sent, so only the code that RFC 6749 defines is shown.
func (t *tokens) failure(err error) error {
	e := &Error{Class: Retry, Method: http.MethodPost, Err: errors.New("no token")}
	if u, err := url.Parse(t.c.TokenURL); err == nil {
		e.URL = PublicURL(u)
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		e.Err = fmt.Errorf("no token: %w", plain(err))
		if permanent(err) {
			e.Class = Fail
		}
		return e
	}
	e.Status = refused.Response.StatusCode
	if e.Status < 500 && e.Status != http.StatusTooManyRequests {
		e.Class = Auth
	}
	e.After, _ = holdBack(e.Status, refused.Response.Header, time.Now())
	if refused.ErrorCode != "" {
		e.Err = fmt.Errorf("no token: %s", refused.ErrorCode)
	}
	return e
}

// withHeaders adds headers to each request.
type withHeaders struct {
	base  http.RoundTripper
	extra http.Header
}

func (w withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper leaves its request alone
	for name, values := range w.extra {
		r.Header[name] = values
	}
	return w.base.RoundTrip(r)
}

// headersOf reads Name: Value, with a separator between. Errors do not quote the text, which is secret.
func headersOf(text config.Secret, separator string) (http.Header, error) {
	h := http.Header{}
	if text.IsZero() {
		return h, nil
	}
	for part := range strings.SplitSeq(text.Reveal(), separator) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, ":")
		if name = strings.TrimSpace(name); !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("want headers, Name: Value, separated by %q", separator)
		}
		h.Set(name, strings.TrimSpace(value))
	}
	return h, nil
}
