package kafka

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/jaas"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// The mechanisms that are supported.
const (
	mechPlain    = "PLAIN"
	mechScram256 = "SCRAM-SHA-256"
	mechScram512 = "SCRAM-SHA-512"
	mechOAuth    = "OAUTHBEARER"
)

// saslSettings are the sasl. keys.
type saslSettings struct {
	mechanism string
	jaas      config.Secret
	handler   string
	oauth     oauthSettings
}

func (s *saslSettings) describe(d *config.Def) {
	config.String(d, &s.mechanism, "sasl.mechanism").Default("GSSAPI").Doc("How to prove who we are.")
	config.Password(d, &s.jaas, "sasl.jaas.config").Default(config.Secret{}).Doc("Login module with its options.")
	config.Class(d, &s.handler, "sasl.login.callback.handler.class").Default("").Check(oauthHandler).Doc("Login callback handler.")
	s.oauth.describe(d)
}

var oauthHandler = config.CheckFunc("empty or OAuthBearerLoginCallbackHandler", func(s string) error {
	if s == "" || s[strings.LastIndexByte(s, '.')+1:] == "OAuthBearerLoginCallbackHandler" {
		return nil
	}
	return fmt.Errorf("classes cannot be loaded here; allowed are none and org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler")
})

// check tells whether a mechanism can be made of the settings.
func (s *saslSettings) check(p securityProtocol) error {
	if !p.sasl() {
		return nil
	}
	_, err := s.build()
	return err
}

// build makes the mechanism.
func (s *saslSettings) build() (sasl.Mechanism, error) {
	switch s.mechanism {
	case mechPlain, mechScram256, mechScram512, mechOAuth:
	default:
		return nil, config.Errorf("sasl.mechanism", "mechanism %q is not supported; allowed are %s, %s, %s and %s",
			s.mechanism, mechPlain, mechScram256, mechScram512, mechOAuth)
	}
	var m jaas.Module
	if !s.jaas.IsZero() {
		var err error
		if m, err = jaas.Parse(s.jaas.Reveal()); err != nil {
			return nil, config.Errorf("sasl.jaas.config", "%w", err)
		}
	}
	switch s.mechanism {
	case mechPlain:
		user, pass, err := login(m, "PlainLoginModule")
		return plain.Auth{User: user, Pass: pass}.AsMechanism(), err
	case mechScram256, mechScram512:
		user, pass, err := login(m, "ScramLoginModule")
		auth := scram.Auth{User: user, Pass: pass, IsToken: m.Options["tokenauth"] == "true"}
		if s.mechanism == mechScram256 {
			return auth.AsSha256Mechanism(), err
		}
		return auth.AsSha512Mechanism(), err
	}
	return s.oauth.mechanism(m)
}

// login returns user and password of a module that must be of the given class.
func login(m jaas.Module, class string) (user, pass string, err error) {
	if m.Class != class {
		return "", "", config.Errorf("sasl.jaas.config", "found login module %q, want %s", m.Class, class)
	}
	for _, option := range []string{"username", "password"} {
		if m.Options[option] == "" {
			return "", "", config.Errorf("sasl.jaas.config", "option %s of %s is missing", option, class)
		}
	}
	return m.Options["username"], m.Options["password"], nil
}

// oauthSettings are the keys of OAUTHBEARER.
type oauthSettings struct {
	endpoint     string
	clientID     string
	clientSecret config.Secret
	scope        string
	urlencode    bool
	connect      time.Duration
	read         time.Duration
	backoff      time.Duration
	backoffMax   time.Duration
	buffer       int16
	window       float64
	retriever    string
}

func (o *oauthSettings) describe(d *config.Def) {
	zero := config.AtLeast(time.Duration(0))
	config.String(d, &o.endpoint, "sasl.oauthbearer.token.endpoint.url").Default("").Doc("Where tokens come from.")
	config.String(d, &o.clientID, "sasl.oauthbearer.client.credentials.client.id").Default("").Doc("Client id at the token endpoint.")
	config.Password(d, &o.clientSecret, "sasl.oauthbearer.client.credentials.client.secret").Default(config.Secret{}).Doc("Secret at the token endpoint.")
	config.String(d, &o.scope, "sasl.oauthbearer.scope").Default("").Doc("Scope to ask for.")
	config.Bool(d, &o.urlencode, "sasl.oauthbearer.header.urlencode").Default(false).Doc("Encode id and secret as RFC 6749 says.")
	config.MillisInt(d, &o.connect, "sasl.login.connect.timeout.ms").Default(10 * time.Second).Check(zero).Doc("Time limit to connect to the token endpoint.")
	config.MillisInt(d, &o.read, "sasl.login.read.timeout.ms").Default(10 * time.Second).Check(zero).Doc("Time limit of the token endpoint's answer.")
	config.Millis(d, &o.backoff, "sasl.login.retry.backoff.ms").Default(100 * time.Millisecond).Check(zero).Doc("First pause between attempts.")
	config.Millis(d, &o.backoffMax, "sasl.login.retry.backoff.max.ms").Default(10 * time.Second).Check(zero).Doc("Longest pause between attempts.")
	config.Short(d, &o.buffer, "sasl.login.refresh.buffer.seconds").Default(300).Check(config.Between[int16](0, 3600)).Doc("Life that a token must have left.")
	config.Double(d, &o.window, "sasl.login.refresh.window.factor").Default(0.8).Check(config.Between(0.5, 1.0)).Doc("Part of its life after which a token is replaced.")
	config.Class(d, &o.retriever, "sasl.oauthbearer.jwt.retriever.class").Default("").Check(jwtRetriever).Doc("Token retriever.")
}

var jwtRetriever = config.CheckFunc("empty, DefaultJwtRetriever, ClientCredentialsJwtRetriever or FileJwtRetriever", func(s string) error {
	switch s[strings.LastIndexByte(s, '.')+1:] {
	case "", "DefaultJwtRetriever", "ClientCredentialsJwtRetriever", "FileJwtRetriever":
		return nil
	}
	return fmt.Errorf("classes cannot be loaded here; allowed are DefaultJwtRetriever, ClientCredentialsJwtRetriever and FileJwtRetriever")
})
