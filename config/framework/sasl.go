package framework

import (
	"time"

	"github.com/streamlane/connect/config"
)

// SASLConfig holds the sasl.* keys of Kafka clients. OAuth's are in OAuth.
type SASLConfig struct {
	Mechanism  string
	JAASConfig config.Secret
	OAuth      OAuthConfig

	kerberos                                          kerberosConfig
	callbackHandler, loginCallbackHandler, loginClass string
	refreshFactor, refreshJitter                      float64
	refreshMinPeriod, refreshBuffer                   int16
}

// kerberosConfig and the refresh keys are declared for the sake of
// configurations that have them.
type kerberosConfig struct {
	service, kinit       string
	renewFactor, jitter  float64
	minTimeBeforeRelogin time.Duration
}

// Describe declares the keys in Kafka's order.
func (s *SASLConfig) Describe(d *config.Def) {
	s.kerberos.describe(d)
	s.describeRefresh(d)
	config.String(d, &s.Mechanism, "sasl.mechanism").Default("GSSAPI").Importance(config.Medium).
		Doc("SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.")
	config.Password(d, &s.JAASConfig, "sasl.jaas.config").Optional().Importance(config.Medium).
		Doc("Login module and credentials in JAAS notation, such as ...PlainLoginModule required username=\"u\" password=\"p\";")
	class := func(p *string, key string) {
		config.Class(d, p, key).Optional().Importance(config.Medium).Ignored(noLoadClass).Doc("Class of the SASL login.")
	}
	class(&s.callbackHandler, "sasl.client.callback.handler.class")
	class(&s.loginCallbackHandler, "sasl.login.callback.handler.class")
	class(&s.loginClass, "sasl.login.class")
	s.OAuth.Describe(d)
}

func (k *kerberosConfig) describe(d *config.Def) {
	config.String(d, &k.service, "sasl.kerberos.service.name").Optional().Importance(config.Medium).Ignored(noKerberos).
		Doc("Kerberos principal of the brokers.")
	config.String(d, &k.kinit, "sasl.kerberos.kinit.cmd").Default("/usr/bin/kinit").Ignored(noKerberos).
		Doc("Path of kinit.")
	config.Double(d, &k.renewFactor, "sasl.kerberos.ticket.renew.window.factor").Default(0.8).Ignored(noKerberos).
		Doc("Share of a ticket's life after which it is renewed.")
	config.Double(d, &k.jitter, "sasl.kerberos.ticket.renew.jitter").Default(0.05).Ignored(noKerberos).
		Doc("Random share added to the time of renewal.")
	config.Millis(d, &k.minTimeBeforeRelogin, "sasl.kerberos.min.time.before.relogin").Default(time.Minute).Ignored(noKerberos).
		Doc("Milliseconds between two renewals at least.")
}

func (s *SASLConfig) describeRefresh(d *config.Def) {
	const reason = "tokens are renewed by the client when they expire."
	config.Double(d, &s.refreshFactor, "sasl.login.refresh.window.factor").Default(0.8).Check(config.Between(0.5, 1.0)).
		Ignored(reason).Doc("Share of a token's life after which it is renewed.")
	config.Double(d, &s.refreshJitter, "sasl.login.refresh.window.jitter").Default(0.05).Check(config.Between(0.0, 0.25)).
		Ignored(reason).Doc("Random share added to the time of renewal.")
	config.Short(d, &s.refreshMinPeriod, "sasl.login.refresh.min.period.seconds").Default(60).Check(config.Between[int16](0, 900)).
		Ignored(reason).Doc("Seconds between two renewals at least.")
	config.Short(d, &s.refreshBuffer, "sasl.login.refresh.buffer.seconds").Default(300).Check(config.Between[int16](0, 3600)).
		Ignored(reason).Doc("Seconds that are left of a token's life when it is renewed.")
}

// OAuthConfig holds the keys of the mechanism OAUTHBEARER.
type OAuthConfig struct {
	ConnectTimeout, ReadTimeout   time.Duration // 0: none
	RetryBackoff, RetryBackoffMax time.Duration
	Scope                         string
	ClientID                      string
	ClientSecret                  config.Secret
	TokenEndpointURL              string
	HeaderURLEncode               bool
	Assertion                     AssertionConfig

	retriever, validator              string
	scopeClaim, subClaim, jwksURL     string
	jwksRefresh, jwksMax, jwksBackoff time.Duration
	clockSkew                         time.Duration
	audience                          []string
	issuer                            string
}

// AssertionConfig holds the keys of client assertions (RFC 7521).
type AssertionConfig struct {
	Algorithm                      string
	Audience, Issuer, Subject      string
	ExpireAfter, NotBefore         time.Duration
	IncludeJTI                     bool
	File, PrivateKeyFile, Template string
	PrivateKeyPassphrase           config.Secret
}

const defaultJWT = "org.apache.kafka.common.security.oauthbearer.DefaultJwt"

// Describe declares the keys in Kafka's order.
func (o *OAuthConfig) Describe(d *config.Def) {
	config.MillisInt(d, &o.ConnectTimeout, "sasl.login.connect.timeout.ms").Optional().
		Doc("Milliseconds to connect to the token endpoint. No limit, if left out.")
	config.MillisInt(d, &o.ReadTimeout, "sasl.login.read.timeout.ms").Optional().
		Doc("Milliseconds to read from the token endpoint. No limit, if left out.")
	config.Millis(d, &o.RetryBackoffMax, "sasl.login.retry.backoff.max.ms").Default(10 * time.Second).
		Doc("Longest pause between requests to the token endpoint, in milliseconds.")
	config.Millis(d, &o.RetryBackoff, "sasl.login.retry.backoff.ms").Default(100 * time.Millisecond).
		Doc("First pause between requests to the token endpoint, in milliseconds; it doubles.")
	config.Class(d, &o.retriever, "sasl.oauthbearer.jwt.retriever.class").Default(defaultJWT + "Retriever").
		Importance(config.Medium).Ignored(noLoadClass).Doc("Class that fetches tokens.")
	config.Class(d, &o.validator, "sasl.oauthbearer.jwt.validator.class").Default(defaultJWT + "Validator").
		Importance(config.Medium).Ignored(noLoadClass).Doc("Class that validates tokens.")
	medium(d, &o.Scope, "sasl.oauthbearer.scope", "Scope to ask for.")
	medium(d, &o.ClientID, "sasl.oauthbearer.client.credentials.client.id", "Client id of the grant client_credentials.")
	config.Password(d, &o.ClientSecret, "sasl.oauthbearer.client.credentials.client.secret").Optional().Importance(config.Medium).
		Doc("Client secret of the grant client_credentials.")
	o.Assertion.Describe(d)
	config.String(d, &o.scopeClaim, "sasl.oauthbearer.scope.claim.name").Default("scope").Ignored(brokerOnly).
		Doc("Claim that holds the scope.")
	config.String(d, &o.subClaim, "sasl.oauthbearer.sub.claim.name").Default("sub").Ignored(brokerOnly).
		Doc("Claim that holds the subject.")
	medium(d, &o.TokenEndpointURL, "sasl.oauthbearer.token.endpoint.url", "URL of the token endpoint; a file: URL names a file that holds the token.")
	o.describeValidation(d)
	config.Bool(d, &o.HeaderURLEncode, "sasl.oauthbearer.header.urlencode").Default(false).
		Doc("Whether id and secret are URL encoded in the Authorization header (RFC 6749, 2.3.1).")
}

func (o *OAuthConfig) describeValidation(d *config.Def) {
	medium(d, &o.jwksURL, "sasl.oauthbearer.jwks.endpoint.url", "URL of the key set.").Ignored(brokerOnly)
	millis := func(p *time.Duration, key string, def time.Duration) {
		config.Millis(d, p, key).Default(def).Ignored(brokerOnly).Doc("Milliseconds for refreshing the key set.")
	}
	millis(&o.jwksRefresh, "sasl.oauthbearer.jwks.endpoint.refresh.ms", time.Hour)
	millis(&o.jwksMax, "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", 10*time.Second)
	millis(&o.jwksBackoff, "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", 100*time.Millisecond)
	config.Seconds(d, &o.clockSkew, "sasl.oauthbearer.clock.skew.seconds").Default(30 * time.Second).Ignored(brokerOnly).
		Doc("Seconds by which clocks may differ.")
	config.List(d, &o.audience, "sasl.oauthbearer.expected.audience").Default(nil).Check(config.Distinct()).
		Importance(config.High).Ignored(brokerOnly).Doc("Audiences of which a token must have one.")
	config.String(d, &o.issuer, "sasl.oauthbearer.expected.issuer").Optional().Importance(config.High).Ignored(brokerOnly).
		Doc("Issuer that a token must have.")
}

func medium(d *config.Def, p *string, key, doc string) *config.Key[string] {
	return config.String(d, p, key).Optional().Importance(config.Medium).Doc(doc)
}

// Describe declares the keys in Kafka's order.
func (a *AssertionConfig) Describe(d *config.Def) {
	const prefix = "sasl.oauthbearer.assertion."
	config.EnumFold(d, &a.Algorithm, prefix+"algorithm", "ES256", "RS256").Default("RS256").Importance(config.Medium).
		Doc("Algorithm that signs the assertion.")
	medium(d, &a.Audience, prefix+"claim.aud", "Audience of the assertion.")
	config.Seconds(d, &a.ExpireAfter, prefix+"claim.exp.seconds").Default(300 * time.Second).
		Check(config.Between(0, 86400*time.Second)).Doc("Seconds after which the assertion expires.")
	medium(d, &a.Issuer, prefix+"claim.iss", "Issuer of the assertion.")
	config.Bool(d, &a.IncludeJTI, prefix+"claim.jti.include").Default(false).Importance(config.Medium).
		Doc("Whether the assertion has a unique id.")
	config.Seconds(d, &a.NotBefore, prefix+"claim.nbf.seconds").Default(60 * time.Second).
		Check(config.Between(0, 3600*time.Second)).Doc("Seconds by which the assertion is valid before it is made.")
	medium(d, &a.Subject, prefix+"claim.sub", "Subject of the assertion.")
	medium(d, &a.File, prefix+"file", "File with a signed assertion, in place of one made here.")
	medium(d, &a.PrivateKeyFile, prefix+"private.key.file", "PEM file with the key that signs.")
	config.Password(d, &a.PrivateKeyPassphrase, prefix+"private.key.passphrase").Optional().Importance(config.Medium).
		Doc("Password of that file.")
	medium(d, &a.Template, prefix+"template.file", "JSON file with header and payload of the assertion.")
}
