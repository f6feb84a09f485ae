package httpkit

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javatls"
)

// An AuthType is a way to authenticate.
type AuthType string

// The ways to authenticate.
const (
	None   AuthType = "none"
	Basic  AuthType = "basic"
	Bearer AuthType = "bearer"
	APIKey AuthType = "api_key"
	OAuth2 AuthType = "oauth2"
	SigV4  AuthType = "sigv4"
	Digest AuthType = "digest"
)

// Config configures a Client. The zero Config is of no use; decode one.
type Config struct {
	Auth  AuthConfig
	Retry RetryConfig
	// Rate is the number of requests a second; 0: no limit. Burst of them may come at once.
	Rate  float64
	Burst int
	// ConnectTimeout bounds dialing and the TLS handshake, RequestTimeout one attempt with its body.
	ConnectTimeout, RequestTimeout time.Duration
	// MaxBytes bounds the body of a response, decompressed.
	MaxBytes int64
	// Proxy is the URL of a proxy: http, https or socks5, with user and password if need be; "": none. NoProxy lists the hosts that are
	// reached without it, in the manner of the environment variable NO_PROXY.
	Proxy   config.Secret
	NoProxy []string
	// ProxyUser and ProxyPassword are in the place of those in Proxy, if there is a user.
	ProxyUser     string
	ProxyPassword config.Secret
	TLS           javatls.Settings
}

// RetryConfig says when and how often a request is tried again.
type RetryConfig struct {
	// Attempts in all, the first one included.
	Attempts int
	// First pause, doubled with each attempt up to Max; a random part of each is left out.
	First, Max time.Duration
	// Budget bounds the time from the first attempt to the last.
	Budget time.Duration
	// Codes are tried again, SkipCodes let go: numbers and ranges such as 500-599.
	Codes, SkipCodes []string
}

// AuthConfig says how to authenticate.
type AuthConfig struct {
	Type     AuthType
	User     string
	Password config.Secret
	Token    config.Secret
	// Key is sent under KeyName in a header or in the query (KeyIn).
	Key            config.Secret
	KeyName, KeyIn string
	OAuth2         OAuth2Config
	SigV4          SigV4Config
}

// OAuth2Config names the token endpoint and what to show there.
type OAuth2Config struct {
	TokenURL, ClientID   string
	Secret, RefreshToken config.Secret
	Scopes               []string
	// Grant is client_credentials or refresh_token. InBody sends the client's id and secret in the form instead of by basic authentication.
	Grant  string
	InBody bool
	// Params are further parameters of the form.
	Params config.Props
	// Headers are further headers, Name: Value, with HeaderSeparator between them.
	Headers         config.Secret
	HeaderSeparator string
}

// SigV4Config names the keys with which requests are signed for AWS.
type SigV4Config struct {
	Region, Service, AccessKey string
	SecretKey, SessionToken    config.Secret
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	c.Auth.Describe(d)
	c.Retry.Describe(d)
	config.Double(d, &c.Rate, "rate.limit.per.second").Default(0).Importance(config.Medium).Check(config.Between(0.0, 1e6)).Group("Requests", 1).
		Doc("Requests a second at most, for each task. 0: no limit. Limits that the server tells of (Retry-After, RateLimit headers) are kept in any case.")
	config.Int(d, &c.Burst, "rate.limit.burst").Default(1).Check(config.AtLeast(1)).Group("Requests", 2).
		Doc("Requests that may come at once before the rate limit holds them back.")
	config.Millis(d, &c.ConnectTimeout, "http.connect.timeout.ms").Default(10*time.Second).Check(config.AtLeast(time.Millisecond)).Group("Requests", 3).
		Doc("Time for a connection to be made, TLS included.")
	config.Millis(d, &c.RequestTimeout, "http.request.timeout.ms").Default(60*time.Second).Check(config.AtLeast(time.Millisecond)).Group("Requests", 4).
		Doc("Time for one attempt of a request, from its start to the end of the response's body.")
	config.Size(d, &c.MaxBytes, "http.response.max.bytes").Default(64<<20).Check(config.Between[int64](1, 1<<31)).Group("Requests", 5).
		Doc("Bytes that the body of a response may have, after decompression. A longer one is an error. It bounds the memory that a page takes.")
	config.Password(d, &c.Proxy, "http.proxy.url").Optional().Group("Requests", 6).
		Doc("URL of a proxy, http, https or socks5, such as http://user:password@proxy:3128. Absent: none.")
	config.String(d, &c.ProxyUser, "http.proxy.user").Default("").Group("Requests", 8).Doc("User of the proxy, where the URL has none.")
	config.Password(d, &c.ProxyPassword, "http.proxy.password").Optional().Group("Requests", 9).Doc("Password of the proxy's user.")
	config.List(d, &c.NoProxy, "http.proxy.exclude").Default(nil).Group("Requests", 7).
		Doc("Hosts that are reached without the proxy: names with all their subdomains, IP addresses, networks such as 10.0.0.0/8, each with a port if wanted.")
	d.Prefix("http.", &c.TLS)
}

// Describe declares the keys.
func (c *RetryConfig) Describe(d *config.Def) {
	const group = "Retries"
	config.Int(d, &c.Attempts, "retry.max.attempts").Default(8).Importance(config.Medium).Check(config.AtLeast(1)).Group(group, 1).
		Doc("Attempts for one request, the first one included.")
	config.Millis(d, &c.First, "retry.backoff.ms").Default(500*time.Millisecond).Check(config.AtLeast(time.Millisecond)).Group(group, 2).
		Doc("Pause before the second attempt. It doubles with each further one; up to half of each pause is left out at random.")
	config.Millis(d, &c.Max, "retry.backoff.max.ms").Default(30*time.Second).Check(config.AtLeast(time.Millisecond)).Group(group, 3).
		Doc("Longest pause between attempts. A longer one that the server asks for is kept all the same.")
	config.Millis(d, &c.Budget, "retry.timeout.ms").Default(10*time.Minute).Importance(config.Medium).Check(config.AtLeast(time.Duration(0))).Group(group, 4).
		Doc("Time from the first failed attempt to the last. What fails after it fails for good.")
	config.List(d, &c.Codes, "retry.codes").Default([]string{"408", "425", "429", "500-599"}).Check(codesCheck()).Group(group, 5).
		Doc("Status codes that are tried again: numbers and ranges. 403 is too if the server says at the same time that the rate limit is used up.")
	config.List(d, &c.SkipCodes, "skip.codes").Default(nil).Check(codesCheck()).Group(group, 6).
		Doc("Status codes of responses that are let go as if they had no records; those that stand in retry.codes too, when the retries are used up. Those that stand in neither, from 400 on, are errors.")
}

// Describe declares the keys.
func (c *AuthConfig) Describe(d *config.Def) {
	const group = "Authentication"
	config.Enum(d, &c.Type, "auth.type", None, Basic, Bearer, APIKey, OAuth2, SigV4, Digest).Default(None).Importance(config.High).Group(group, 1).
		Doc("How requests are authenticated. Credentials are sent to the configured host alone.")
	config.String(d, &c.User, "auth.user").Default("").Group(group, 2).Doc("User of basic and digest.")
	config.Password(d, &c.Password, "auth.password").Optional().Group(group, 3).Doc("Password of basic and digest.")
	config.Password(d, &c.Token, "auth.token").Optional().Group(group, 4).Doc("Token of bearer.")
	config.Password(d, &c.Key, "auth.api.key").Optional().Group(group, 5).Doc("Key of api_key.")
	config.String(d, &c.KeyName, "auth.api.key.name").Default("X-API-Key").Check(config.NonEmpty()).Group(group, 6).Doc("Header or parameter of api_key.")
	config.Enum(d, &c.KeyIn, "auth.api.key.in", "header", "query").Default("header").Group(group, 7).Doc("Where the key of api_key is sent.")
	d.Prefix("auth.oauth2.", &c.OAuth2)
	d.Prefix("auth.sigv4.", &c.SigV4)
}

// Describe declares the keys.
func (c *OAuth2Config) Describe(d *config.Def) {
	const group = "Authentication"
	config.Enum(d, &c.Grant, "grant", "client_credentials", "refresh_token").Default("client_credentials").Group(group, 10).Doc("OAuth 2.0 grant.")
	config.String(d, &c.TokenURL, "token.url").Default("").Group(group, 11).Doc("URL of the token endpoint.")
	config.String(d, &c.ClientID, "client.id").Default("").Group(group, 12).Doc("Id of the client.")
	config.Password(d, &c.Secret, "client.secret").Optional().Group(group, 13).Doc("Secret of the client.")
	config.Password(d, &c.RefreshToken, "refresh.token").Optional().Group(group, 14).Doc("Refresh token; one that the server sends in its place is used from then on.")
	config.List(d, &c.Scopes, "scopes").Default(nil).Group(group, 15).Doc("Scopes to ask for.")
	config.Bool(d, &c.InBody, "client.in.body").Default(false).Group(group, 16).Doc("Whether id and secret of the client are sent in the form, not by basic authentication.")
	config.Password(d, &c.Headers, "headers").Optional().Group(group, 17).Doc("Further headers of the token request: `Name: Value`, separated by auth.oauth2.header.separator.")
	config.Text(d, &c.HeaderSeparator, "header.separator").Default("|").Check(config.NonEmpty()).Group(group, 18).Doc("What stands between the headers of auth.oauth2.headers.")
	config.Map(d, &c.Params, "param.", "Further parameters of the token request, such as `auth.oauth2.param.audience`.")
}

// Describe declares the keys.
func (c *SigV4Config) Describe(d *config.Def) {
	const group = "Authentication"
	config.String(d, &c.Region, "region").Default("").Group(group, 20).Doc("AWS region.")
	config.String(d, &c.Service, "service").Default("execute-api").Group(group, 21).Doc("AWS service.")
	config.String(d, &c.AccessKey, "access.key.id").Default("").Group(group, 22).Doc("Id of the access key.")
	config.Password(d, &c.SecretKey, "secret.access.key").Optional().Group(group, 23).Doc("Secret access key.")
	config.Password(d, &c.SessionToken, "session.token").Optional().Group(group, 24).Doc("Token of temporary credentials.")
}

// Check says which keys the way to authenticate lacks, and what is wrong with the proxy's URL.
func (c *Config) Check() error {
	var errs []error
	if p := c.Proxy.Reveal(); p != "" {
		if _, err := parseProxy(p); err != nil {
			errs = append(errs, config.Errorf("http.proxy.url", "%w", err))
		}
	}
	if c.Retry.Max < c.Retry.First {
		errs = append(errs, config.Errorf("retry.backoff.max.ms", "must not be less than retry.backoff.ms"))
	}
	return errors.Join(append(errs, c.Auth.check())...)
}

func (c *AuthConfig) check() error {
	var errs []error
	need := func(key, text string) {
		if text == "" {
			errs = append(errs, config.Errorf(key, "is needed for auth.type=%s", c.Type))
		}
	}
	switch c.Type {
	case Basic, Digest:
		need("auth.user", c.User)
	case Bearer:
		need("auth.token", c.Token.Reveal())
	case APIKey:
		need("auth.api.key", c.Key.Reveal())
	case OAuth2:
		need("auth.oauth2.token.url", c.OAuth2.TokenURL)
		if u, err := url.Parse(c.OAuth2.TokenURL); err != nil || u.Host == "" && c.OAuth2.TokenURL != "" {
			errs = append(errs, config.Errorf("auth.oauth2.token.url", "must be a whole URL"))
		}
		need("auth.oauth2.client.id", c.OAuth2.ClientID)
		if _, err := headersOf(c.OAuth2.Headers, c.OAuth2.HeaderSeparator); err != nil {
			errs = append(errs, config.Errorf("auth.oauth2.headers", "%w", err))
		}
		if c.OAuth2.Grant == "refresh_token" {
			need("auth.oauth2.refresh.token", c.OAuth2.RefreshToken.Reveal())
		}
	case SigV4:
		need("auth.sigv4.region", c.SigV4.Region)
		need("auth.sigv4.access.key.id", c.SigV4.AccessKey)
		need("auth.sigv4.secret.access.key", c.SigV4.SecretKey.Reveal())
	}
	return errors.Join(errs...)
}

// codes is a set of status codes.
type codes [][2]int

func parseCodes(texts []string) (codes, error) {
	var set codes
	for _, text := range texts {
		low, high, isRange := strings.Cut(strings.TrimSpace(text), "-")
		if !isRange {
			high = low
		}
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || a < 100 || b > 599 || a > b {
			return nil, fmt.Errorf("%q is no status code from 100 to 599, nor a range of them", text)
		}
		set = append(set, [2]int{a, b})
	}
	return set, nil
}

func (c codes) has(status int) bool {
	for _, r := range c {
		if status >= r[0] && status <= r[1] {
			return true
		}
	}
	return false
}

func codesCheck() config.Check[[]string] {
	return config.CheckFunc("status codes and ranges of them", CheckCodes)
}

// CheckCodes tells texts that are neither status codes nor ranges of them, such as 500-599.
func CheckCodes(texts []string) error {
	_, err := parseCodes(texts)
	return err
}
