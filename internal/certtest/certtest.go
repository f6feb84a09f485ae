// Package certtest makes certificates, and key and trust stores with them, for
// tests.
package certtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/stretchr/testify/require"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/streamlane/connect/config"
)

// An Identity is a certificate with its key.
type Identity struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// CertPEM returns the certificate in PEM.
func (i Identity) CertPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Cert.Raw}))
}

func (i Identity) pkcs8(t testing.TB) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	require.NoError(t, err)
	return der
}

// KeyPEM returns the private key in PEM (PKCS #8).
func (i Identity) KeyPEM(t testing.TB) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: i.pkcs8(t)}))
}

// TLS returns the certificate with its key, for a tls.Config.
func (i Identity) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.Cert.Raw}, PrivateKey: i.Key, Leaf: i.Cert}
}

// Issue makes a certificate for names, signed by ca, or by itself.
func Issue(t testing.TB, ca *Identity, names ...string) Identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: strings.Join(append(names, "ca"), " ")},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, n)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return Identity{cert, key}
}

// Stores writes identity and authority in every format, and returns the keys that
// point to them.
func Stores(t testing.TB, ca, own Identity) map[string]config.Props {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	pfx, err := pkcs12.Modern.Encode(own.Key, own.Cert, []*x509.Certificate{ca.Cert}, "storepass")
	require.NoError(t, err)
	trust, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.Cert}, "trustpass")
	require.NoError(t, err)
	ks := keystore.New()
	require.NoError(t, ks.SetPrivateKeyEntry("me", keystore.PrivateKeyEntry{
		CreationTime: time.Now(), PrivateKey: own.pkcs8(t),
		CertificateChain: []keystore.Certificate{{Type: "X509", Content: own.Cert.Raw}},
	}, []byte("keypass")))
	var jks bytes.Buffer
	require.NoError(t, ks.Store(&jks, []byte("storepass")))
	ts := keystore.New()
	require.NoError(t, ts.SetTrustedCertificateEntry("ca", keystore.TrustedCertificateEntry{
		CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X509", Content: ca.Cert.Raw},
	}))
	var jts bytes.Buffer
	require.NoError(t, ts.Store(&jts, []byte("trustpass")))
	oneLine := func(s string) string { return strings.ReplaceAll(s, "\n", " ") }
	return map[string]config.Props{
		"PEM inline": {
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": ca.CertPEM(),
			"ssl.keystore.type": "PEM", "ssl.keystore.key": own.KeyPEM(t), "ssl.keystore.certificate.chain": own.CertPEM(),
		},
		"PEM inline, blanks for line ends": {
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": oneLine(ca.CertPEM()),
			"ssl.keystore.type": "PEM", "ssl.keystore.key": oneLine(own.KeyPEM(t)), "ssl.keystore.certificate.chain": oneLine(own.CertPEM()),
		},
		"PEM files": {
			"ssl.truststore.type": "PEM", "ssl.truststore.location": write("ca.pem", []byte(ca.CertPEM())),
			"ssl.keystore.type": "PEM", "ssl.keystore.location": write("me.pem", []byte(own.KeyPEM(t)+own.CertPEM())),
		},
		"PKCS12": {
			"ssl.truststore.type": "PKCS12", "ssl.truststore.location": write("trust.p12", trust), "ssl.truststore.password": "trustpass",
			"ssl.keystore.type": "PKCS12", "ssl.keystore.location": write("me.p12", pfx), "ssl.keystore.password": "storepass",
		},
		"PKCS12 by the name of JKS, as keytool leaves it": {
			"ssl.truststore.location": write("trust.jks", trust), "ssl.truststore.password": "trustpass",
			"ssl.keystore.location": write("me.jks", pfx), "ssl.keystore.password": "storepass",
		},
		"JKS": {
			"ssl.truststore.location": write("trust2.jks", jts.Bytes()), "ssl.truststore.password": "trustpass",
			"ssl.keystore.location": write("me2.jks", jks.Bytes()), "ssl.keystore.password": "storepass", "ssl.key.password": "keypass",
		},
	}
}
