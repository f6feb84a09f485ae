package javatls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/streamlane/connect/config"
)

// storeType is the format of a key or trust store.
type storeType string

const (
	storeJKS    storeType = "JKS"
	storePKCS12 storeType = "PKCS12"
	storePEM    storeType = "PEM"
)

// Settings are the ssl.* keys of a Kafka client or of a REST server. A Settings
// that nothing was decoded into is of no use.
type Settings struct {
	ciphers        []string
	protocols      []string
	identification string
	keyPassword    config.Secret
	key            keyStore
	trust          trustStore
}

// keyStore says where our own certificate is: inline, or in a file.
type keyStore struct {
	kind            storeType
	location        string
	password        config.Secret
	inlineKey       config.Secret
	inlineChain     config.Secret
	passwordPresent bool
}

// trustStore says where the authorities are: inline, or in a file.
type trustStore struct {
	kind            storeType
	location        string
	password        config.Secret
	inline          config.Secret
	passwordPresent bool
}

// Describe binds the keys, with the defaults of Java's SslConfigs.
func (t *Settings) Describe(d *config.Def) {
	config.List(d, &t.ciphers, "ssl.cipher.suites").Default(nil).Check(config.Each(cipherName)).Doc("Cipher suites for TLS 1.2.")
	config.List(d, &t.protocols, "ssl.enabled.protocols").Default([]string{"TLSv1.2", "TLSv1.3"}).
		Check(config.NonEmptyList(), config.Each(tlsVersionName)).Doc("Versions of TLS.")
	config.String(d, &t.identification, "ssl.endpoint.identification.algorithm").Default("https").
		Check(config.OneOfFold("https", "")).Doc("How to check a server's name; empty: not at all.")
	config.Password(d, &t.keyPassword, "ssl.key.password").Default(config.Secret{}).Doc("Password of the key.")
	config.Password(d, &t.key.inlineChain, "ssl.keystore.certificate.chain").Default(config.Secret{}).Doc("Certificate chain in PEM.")
	config.Password(d, &t.key.inlineKey, "ssl.keystore.key").Default(config.Secret{}).Doc("Private key in PEM.")
	config.String(d, &t.key.location, "ssl.keystore.location").Default("").Doc("Key store file.")
	config.Password(d, &t.key.password, "ssl.keystore.password").Default(config.Secret{}).Given(&t.key.passwordPresent).Doc("Password of the key store.")
	config.EnumFold(d, &t.key.kind, "ssl.keystore.type", storeJKS, storePKCS12, storePEM).Default(storeJKS).Doc("Format of the key store.")
	config.Password(d, &t.trust.inline, "ssl.truststore.certificates").Default(config.Secret{}).Doc("Authorities in PEM.")
	config.String(d, &t.trust.location, "ssl.truststore.location").Default("").Doc("Trust store file.")
	config.Password(d, &t.trust.password, "ssl.truststore.password").Default(config.Secret{}).Given(&t.trust.passwordPresent).Doc("Password of the trust store.")
	config.EnumFold(d, &t.trust.kind, "ssl.truststore.type", storeJKS, storePKCS12, storePEM).Default(storeJKS).Doc("Format of the trust store.")
}

// Consistent says what no single key can say, by the rules of Java's
// DefaultSslEngineFactory. It matters only where the keys are used.
func (t *Settings) Consistent() error {
	var errs []error
	k, tr := &t.key, &t.trust
	if !k.inlineKey.IsZero() && k.kind != storePEM {
		errs = append(errs, config.Errorf("ssl.keystore.type", "ssl.keystore.key needs PEM, found %s", k.kind))
	}
	if !k.inlineKey.IsZero() && k.location != "" {
		errs = append(errs, config.Errorf("ssl.keystore.location", "both a file and ssl.keystore.key are given; one is allowed"))
	}
	if k.inlineKey.IsZero() != k.inlineChain.IsZero() {
		errs = append(errs, config.Errorf("ssl.keystore.key", "ssl.keystore.key and ssl.keystore.certificate.chain go together; one is missing"))
	}
	if !tr.inline.IsZero() && tr.kind != storePEM {
		errs = append(errs, config.Errorf("ssl.truststore.type", "ssl.truststore.certificates needs PEM, found %s", tr.kind))
	}
	if !tr.inline.IsZero() && tr.location != "" {
		errs = append(errs, config.Errorf("ssl.truststore.location", "both a file and ssl.truststore.certificates are given; one is allowed"))
	}
	return errors.Join(errs...)
}

// tlsVersions are the names of Java's, without those that are broken.
var tlsVersions = map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}

var tlsVersionName = config.CheckFunc("TLSv1.2 or TLSv1.3", func(s string) error {
	if _, ok := tlsVersions[s]; !ok {
		return fmt.Errorf("%q is not supported; allowed are TLSv1.2 and TLSv1.3", s)
	}
	return nil
})

var cipherName = config.CheckFunc("a cipher suite by its IANA name", func(s string) error {
	_, err := cipherID(s)
	return err
})

func cipherID(name string) (uint16, error) {
	for _, c := range tls.CipherSuites() {
		if c.Name == name {
			return c.ID, nil
		}
	}
	for _, c := range tls.InsecureCipherSuites() {
		if c.Name == name {
			return 0, fmt.Errorf("cipher suite %q is insecure", name)
		}
	}
	return 0, fmt.Errorf("cipher suite %q is not known to Go", name)
}

// Client reads the stores and makes the configuration of a client.
func (t *Settings) Client() (*tls.Config, error) {
	c, authorities, err := t.load()
	if err != nil {
		return nil, err
	}
	c.RootCAs = authorities
	if t.identification == "" {
		verifyChainOnly(c)
	}
	return c, nil
}

// ClientAuth says whether the clients of a server need a certificate
// (ssl.client.auth).
type ClientAuth string

// What a server may ask of its clients.
const (
	ClientAuthNone      ClientAuth = "none"
	ClientAuthRequested ClientAuth = "requested"
	ClientAuthRequired  ClientAuth = "required"
)

// errNoKeyStore says where a server's certificate has to be.
var errNoKeyStore = errors.New("a server needs a certificate; name a key store (JKS, PKCS12 or PEM, see ssl.keystore.type), " +
	"or give ssl.keystore.key and ssl.keystore.certificate.chain")

// Server reads the stores and makes the configuration of a server. Certificates
// of clients are checked against the trust store; without one, against the
// system's authorities.
func (t *Settings) Server(auth ClientAuth) (*tls.Config, error) {
	c, authorities, err := t.load()
	if err != nil {
		return nil, err
	}
	if len(c.Certificates) == 0 {
		return nil, config.Errorf("ssl.keystore.location", "%w", errNoKeyStore)
	}
	c.ClientCAs = authorities
	switch auth {
	case ClientAuthRequired:
		c.ClientAuth = tls.RequireAndVerifyClientCert
	case ClientAuthRequested:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return c, nil
}

// load reads the stores and makes what client and server have in common.
func (t *Settings) load() (*tls.Config, *x509.CertPool, error) {
	if err := t.Consistent(); err != nil {
		return nil, nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}
	for _, name := range t.protocols {
		c.MinVersion = min(c.MinVersion, tlsVersions[name])
		c.MaxVersion = max(c.MaxVersion, tlsVersions[name])
	}
	for _, name := range t.ciphers {
		id, err := cipherID(name)
		if err != nil {
			return nil, nil, config.Errorf("ssl.cipher.suites", "%w", err)
		}
		c.CipherSuites = append(c.CipherSuites, id)
	}
	authorities, err := t.trust.load()
	if err != nil {
		return nil, nil, err
	}
	cert, err := t.key.load(t.keyPassword)
	if err != nil {
		return nil, nil, err
	}
	if cert != nil {
		c.Certificates = []tls.Certificate{*cert}
	}
	return c, authorities, nil
}

// verifyChainOnly makes c check who signed a server's certificate, and not for
// which name: ssl.endpoint.identification.algorithm is empty.
func verifyChainOnly(c *tls.Config) {
	c.InsecureSkipVerify = true // replaced by VerifyConnection below
	roots := c.RootCAs
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server has no certificate")
		}
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, ca := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(ca)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}

// load returns the authorities; nil are the system's.
func (s *trustStore) load() (*x509.CertPool, error) {
	var certs []*x509.Certificate
	var err error
	key := "ssl.truststore.location"
	switch {
	case !s.inline.IsZero():
		key = "ssl.truststore.certificates"
		certs, err = parseCertificates(s.inline.Reveal())
	case s.location == "":
		return nil, nil
	default:
		certs, err = s.read()
	}
	if err != nil {
		return nil, config.Errorf(key, "trust store: %w", err)
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}

func (s *trustStore) read() ([]*x509.Certificate, error) {
	raw, err := os.ReadFile(s.location)
	if err != nil {
		return nil, err
	}
	if s.kind == storePEM {
		return parseCertificates(string(raw))
	}
	return trustedOf(raw, s.password.Reveal(), s.passwordPresent)
}

// load returns our certificate; nil: there is none.
func (s *keyStore) load(keyPassword config.Secret) (*tls.Certificate, error) {
	key := "ssl.keystore.location"
	var cert *tls.Certificate
	var err error
	switch {
	case !s.inlineKey.IsZero():
		key = "ssl.keystore.key"
		cert, err = parseKeyPair(s.inlineKey.Reveal(), s.inlineChain.Reveal(), keyPassword.Reveal())
	case s.location == "":
		return nil, nil
	default:
		cert, err = s.read(keyPassword)
	}
	if err != nil {
		return nil, config.Errorf(key, "key store: %w", err)
	}
	return cert, nil
}

func (s *keyStore) read(keyPassword config.Secret) (*tls.Certificate, error) {
	raw, err := os.ReadFile(s.location)
	if err != nil {
		return nil, err
	}
	if s.kind == storePEM {
		return parseKeyPair(string(raw), string(raw), keyPassword.Reveal())
	}
	if !s.passwordPresent {
		return nil, errors.New("ssl.keystore.password is missing")
	}
	return keyOf(raw, s.password.Reveal(), keyPassword.Reveal())
}

// Identity returns texts that are the same for equal settings. They contain the
// secrets, so they are to be hashed.
func (t *Settings) Identity() []string {
	flat := []string{
		t.identification, t.keyPassword.Reveal(), string(t.key.kind), t.key.location, t.key.password.Reveal(), t.key.inlineKey.Reveal(),
		t.key.inlineChain.Reveal(), string(t.trust.kind), t.trust.location, t.trust.password.Reveal(), t.trust.inline.Reveal(),
		strconv.Itoa(len(t.ciphers)),
	}
	return slices.Concat(flat, t.ciphers, t.protocols)
}
