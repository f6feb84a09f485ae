package cassandra

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javatls"
)

func (t *TLSConfig) check() error {
	if t.Provider == noProvider {
		return nil
	}
	if (t.CertChain == "") != (t.Key == "") {
		return keyError("ssl.openssl.privateKey", "", "goes with ssl.openssl.keyCertChain: one of them is missing")
	}
	_, err := t.config()
	return err
}

// config reads the files; nil without TLS. Names of nodes are the driver's to set.
func (t *TLSConfig) config() (*tls.Config, error) {
	if t.Provider == noProvider {
		return nil, nil
	}
	suites, err := t.suites()
	if err != nil {
		return nil, err
	}
	made, err := t.stores()
	if err != nil {
		return nil, err
	}
	made.CipherSuites = suites
	made.MinVersion = max(made.MinVersion, tls.VersionTLS12)
	made.InsecureSkipVerify = !t.Hostname || made.InsecureSkipVerify
	if t.CertChain != "" {
		pair, err := tls.LoadX509KeyPair(t.CertChain, t.Key)
		if err != nil {
			return nil, keyError("ssl.openssl.keyCertChain", t.CertChain, "%w", err)
		}
		made.Certificates = []tls.Certificate{pair}
	}
	return made, nil
}

// stores reads the key store and the trust store as Java's keys have them.
func (t *TLSConfig) stores() (*tls.Config, error) {
	props := config.Props{}
	add := func(key, text string) {
		if text != "" {
			props[key] = text
		}
	}
	add("ssl.truststore.location", t.TrustStore)
	add("ssl.truststore.password", t.TrustPassword.Reveal())
	add("ssl.keystore.location", t.KeyStore)
	add("ssl.keystore.password", t.KeyPassword.Reveal())
	if strings.HasSuffix(t.TrustStore, ".pem") || strings.HasSuffix(t.TrustStore, ".crt") {
		props["ssl.truststore.type"] = "PEM"
		delete(props, "ssl.truststore.password")
	}
	if !t.Hostname {
		props["ssl.endpoint.identification.algorithm"] = ""
	}
	var java javatls.Settings
	if err := errors.Join(config.Decode(props, config.DescriberFunc(java.Describe)), java.Consistent()); err != nil {
		return nil, keyError("ssl.truststore.path", t.TrustStore, "%w", err)
	}
	made, err := java.Client()
	if err != nil {
		key, path := "ssl.truststore.path", t.TrustStore
		if t.KeyStore != "" && strings.Contains(err.Error(), "keystore") {
			key, path = "ssl.keystore.path", t.KeyStore
		}
		return nil, keyError(key, path, "%w", err)
	}
	return made, nil
}

// suites are the cipher suites by their numbers; nil: Go's own.
func (t *TLSConfig) suites() ([]uint16, error) {
	var ids []uint16
	for _, name := range t.CipherSuites {
		known := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
		i := slices.IndexFunc(known, func(s *tls.CipherSuite) bool { return s.Name == name })
		if i < 0 {
			return nil, keyError("ssl.cipherSuites", strings.Join(t.CipherSuites, ","), "the suite %q is not known", name)
		}
		ids = append(ids, known[i].ID)
	}
	return ids, nil
}
