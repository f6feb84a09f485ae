package javatls

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// isJKS tells the two store formats apart by their first bytes, for Java does so
// too: since Java 9 a store of either type is read in either format, and what
// keytool writes into a ".jks" is PKCS12.
func isJKS(raw []byte) bool { return bytes.HasPrefix(raw, []byte{0xfe, 0xed, 0xfe, 0xed}) }

// trustedOf reads the authorities of a JKS or PKCS12 store.
func trustedOf(raw []byte, password string, present bool) ([]*x509.Certificate, error) {
	if !isJKS(raw) {
		certs, err := pkcs12.DecodeTrustStore(raw, password)
		if err != nil {
			return nil, fmt.Errorf("PKCS12: %w", err)
		}
		return certs, nil
	}
	if !present {
		return nil, errors.New("JKS: ssl.truststore.password is missing")
	}
	ks, err := loadJKS(raw, password)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, alias := range ks.Aliases() {
		if !ks.IsTrustedCertificateEntry(alias) {
			continue
		}
		e, err := ks.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, fmt.Errorf("JKS: entry %q: %w", alias, err)
		}
		c, err := x509.ParseCertificate(e.Certificate.Content)
		if err != nil {
			return nil, fmt.Errorf("JKS: entry %q: %w", alias, err)
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// keyOf reads the private key and its chain from a JKS or PKCS12 store.
func keyOf(raw []byte, storePassword, keyPassword string) (*tls.Certificate, error) {
	if !isJKS(raw) {
		key, leaf, chain, err := pkcs12.DecodeChain(raw, storePassword)
		if err != nil {
			return nil, fmt.Errorf("PKCS12: %w", err)
		}
		return keyPair(key, slices.Insert(chain, 0, leaf))
	}
	ks, err := loadJKS(raw, storePassword)
	if err != nil {
		return nil, err
	}
	if keyPassword == "" {
		keyPassword = storePassword
	}
	for _, alias := range ks.Aliases() {
		if !ks.IsPrivateKeyEntry(alias) {
			continue
		}
		e, err := ks.GetPrivateKeyEntry(alias, []byte(keyPassword))
		if err != nil {
			return nil, fmt.Errorf("JKS: key %q: %w", alias, err)
		}
		return jksPair(alias, e)
	}
	return nil, errors.New("JKS: the store has no private key")
}

func jksPair(alias string, e keystore.PrivateKeyEntry) (*tls.Certificate, error) {
	key, err := x509.ParsePKCS8PrivateKey(e.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("JKS: key %q: %w", alias, err)
	}
	var chain []*x509.Certificate
	for _, c := range e.CertificateChain {
		cert, err := x509.ParseCertificate(c.Content)
		if err != nil {
			return nil, fmt.Errorf("JKS: key %q: %w", alias, err)
		}
		chain = append(chain, cert)
	}
	return keyPair(key, chain)
}

func loadJKS(raw []byte, password string) (keystore.KeyStore, error) {
	ks := keystore.New(keystore.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(raw), []byte(password)); err != nil {
		return ks, fmt.Errorf("JKS: %w (is the password right?)", err)
	}
	return ks, nil
}

// keyPair joins a private key and its chain, and checks that they belong
// together.
func keyPair(key any, chain []*x509.Certificate) (*tls.Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("there is no certificate")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a private key of type %T cannot sign", key)
	}
	pub, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(chain[0].PublicKey) {
		return nil, errors.New("the private key is not that of the certificate")
	}
	c := &tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, cert := range chain {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c, nil
}
