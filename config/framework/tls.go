package framework

import "github.com/streamlane/connect/config"

// Reasons why keys have no effect.
const (
	jvmOnly     = "it chooses among parts of a Java virtual machine."
	noLoadClass = "Java classes cannot be loaded."
	brokerOnly  = "only brokers, which validate tokens, use it."
	noKerberos  = "Kerberos is not supported."
)

// TLSConfig holds the ssl.* keys of Kafka clients and of the REST server.
type TLSConfig struct {
	Protocol               string
	CipherSuites           []string
	EnabledProtocols       []string
	KeystoreType           string
	KeystoreLocation       string
	KeystorePassword       config.Secret
	KeyPassword            config.Secret
	KeystoreKey            config.Secret // PEM
	KeystoreCertificates   config.Secret // PEM
	TruststoreCertificates config.Secret // PEM
	TruststoreType         string
	TruststoreLocation     string
	TruststorePassword     config.Secret
	EndpointIdentification string // "": names in certificates are not checked
	provider, keyManager   string
	trustManager, random   string
	engineFactory          string
}

// Describe declares the keys, below whatever prefix.
func (t *TLSConfig) Describe(d *config.Def) {
	config.String(d, &t.Protocol, "ssl.protocol").Default("TLSv1.3").Importance(config.Medium).
		Doc("Newest TLS version to offer: TLSv1.3 or TLSv1.2.")
	config.String(d, &t.provider, "ssl.provider").Optional().Importance(config.Medium).Ignored(jvmOnly).
		Doc("Name of the security provider.")
	config.List(d, &t.CipherSuites, "ssl.cipher.suites").Default(nil).Check(config.Distinct()).
		Doc("Cipher suites to offer, by their IANA names, for TLS 1.2. Empty: all that are safe.")
	config.List(d, &t.EnabledProtocols, "ssl.enabled.protocols").Default([]string{"TLSv1.2", "TLSv1.3"}).
		Check(config.Distinct()).Importance(config.Medium).Doc("TLS versions that are allowed.")
	t.describeStores(d)
	config.String(d, &t.keyManager, "ssl.keymanager.algorithm").Default("SunX509").Ignored(jvmOnly).
		Doc("Algorithm of the key manager.")
	config.String(d, &t.trustManager, "ssl.trustmanager.algorithm").Default("PKIX").Ignored(jvmOnly).
		Doc("Algorithm of the trust manager.")
	config.String(d, &t.EndpointIdentification, "ssl.endpoint.identification.algorithm").Default("https").
		Doc("https: the server's name must be in its certificate; empty: it need not be.")
	config.String(d, &t.random, "ssl.secure.random.implementation").Optional().Ignored(jvmOnly).
		Doc("Source of random numbers.")
	config.Class(d, &t.engineFactory, "ssl.engine.factory.class").Optional().Ignored(noLoadClass).
		Doc("Class that makes TLS engines.")
}

func (t *TLSConfig) describeStores(d *config.Def) {
	secret := func(p *config.Secret, key, doc string) {
		config.Password(d, p, key).Optional().Importance(config.High).Doc(doc)
	}
	config.String(d, &t.KeystoreType, "ssl.keystore.type").Default("JKS").Importance(config.Medium).
		Doc("Format of the key store: JKS, PKCS12 or PEM.")
	config.String(d, &t.KeystoreLocation, "ssl.keystore.location").Optional().Importance(config.High).
		Doc("File with the client's key and certificates.")
	secret(&t.KeystorePassword, "ssl.keystore.password", "Password of the key store. PEM files have none.")
	secret(&t.KeyPassword, "ssl.key.password", "Password of the private key.")
	secret(&t.KeystoreKey, "ssl.keystore.key", "Private key in PEM (PKCS#8), in place of a key store.")
	secret(&t.KeystoreCertificates, "ssl.keystore.certificate.chain", "Certificates of the private key in PEM, in place of a key store.")
	secret(&t.TruststoreCertificates, "ssl.truststore.certificates", "Certificates to trust in PEM, in place of a trust store.")
	config.String(d, &t.TruststoreType, "ssl.truststore.type").Default("JKS").Importance(config.Medium).
		Doc("Format of the trust store: JKS, PKCS12 or PEM.")
	config.String(d, &t.TruststoreLocation, "ssl.truststore.location").Optional().Importance(config.High).
		Doc("File with the certificates to trust. The system's, if there is neither file nor text.")
	secret(&t.TruststorePassword, "ssl.truststore.password", "Password of the trust store. PEM files have none.")
}
