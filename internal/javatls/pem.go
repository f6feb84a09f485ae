package javatls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // one of the functions that PKCS #8 files name
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"strings"
)

// pemBlock finds a block of PEM as Java's PemParser does: in a properties file
// the lines of a block are often joined by blanks.
var pemBlock = regexp.MustCompile(`-+BEGIN ([A-Z0-9 ]+?)-+([A-Za-z0-9+/=\s]+)-+END ([A-Z0-9 ]+?)-+`)

// pemBlocks returns the contents of all blocks whose type ends in suffix, with
// their types.
func pemBlocks(text, suffix string) (types []string, contents [][]byte, err error) {
	for _, m := range pemBlock.FindAllStringSubmatch(text, -1) {
		if !strings.HasSuffix(m[1], suffix) || m[1] != m[3] {
			continue
		}
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[2]), ""))
		if err != nil {
			return nil, nil, fmt.Errorf("PEM block %s: %w", m[1], err)
		}
		types, contents = append(types, m[1]), append(contents, der)
	}
	if len(contents) == 0 {
		return nil, nil, fmt.Errorf("there is no PEM block of %s", suffix)
	}
	return types, contents, nil
}

// parseCertificates reads all certificates of a PEM text.
func parseCertificates(text string) ([]*x509.Certificate, error) {
	_, ders, err := pemBlocks(text, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("PEM certificate: %w", err)
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// parseKeyPair reads a private key (PKCS #8, possibly encrypted) and its
// certificate chain.
func parseKeyPair(keyText, chainText, password string) (*tls.Certificate, error) {
	types, ders, err := pemBlocks(keyText, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	der := ders[0]
	switch types[0] {
	case "PRIVATE KEY":
	case "ENCRYPTED PRIVATE KEY":
		if der, err = decryptPKCS8(der, password); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("PEM block %s: allowed are PRIVATE KEY and ENCRYPTED PRIVATE KEY (PKCS #8)", types[0])
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("PEM private key: %w", err)
	}
	chain, err := parseCertificates(chainText)
	if err != nil {
		return nil, err
	}
	return keyPair(key, chain)
}

// The structures of RFC 5958 and RFC 8018 (PBES2).
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	kdfParams   struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	// oidAES maps the AES-CBC variants to the lengths of their keys.
	oidAES = map[string]int{"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, "2.16.840.1.101.3.4.1.42": 32}
	// oidHMAC maps the pseudo-random functions; HMAC-SHA1 is the default.
	oidHMAC = map[string]func() hash.Hash{
		"":                    sha1.New,
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}
)

// maxIterations bounds the work that a file may ask for.
const maxIterations = 10_000_000

// decryptPKCS8 decrypts a key that was encrypted with PBES2, PBKDF2 and AES-CBC,
// which is what openssl and keytool write.
func decryptPKCS8(der []byte, password string) ([]byte, error) {
	if password == "" {
		return nil, errors.New("the private key is encrypted and ssl.key.password is missing")
	}
	var e encryptedKey
	if _, err := asn1.Unmarshal(der, &e); err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	if !e.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("encrypted private key: scheme %v is not supported; allowed is PBES2", e.Algorithm.Algorithm)
	}
	var p pbes2Params
	var k kdfParams
	var iv []byte
	if _, err := asn1.Unmarshal(e.Algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	if _, err := asn1.Unmarshal(p.KDF.Parameters.FullBytes, &k); err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	keyLength, newHash := oidAES[p.Cipher.Algorithm.String()], oidHMAC[k.PRF.Algorithm.String()]
	if !p.KDF.Algorithm.Equal(oidPBKDF2) || keyLength == 0 || newHash == nil || k.Iterations < 1 || k.Iterations > maxIterations {
		return nil, errors.New("encrypted private key: allowed are PBKDF2 with HMAC of SHA-1 or SHA-2, and AES in CBC mode")
	}
	return decryptCBC(e.Data, iv, password, k, keyLength, newHash)
}

func decryptCBC(data, iv []byte, password string, k kdfParams, keyLength int, newHash func() hash.Hash) ([]byte, error) {
	key, err := pbkdf2.Key(newHash, password, k.Salt, k.Iterations, keyLength)
	if err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("encrypted private key: %w", err)
	}
	if len(iv) != block.BlockSize() || len(data) == 0 || len(data)%block.BlockSize() != 0 {
		return nil, errors.New("encrypted private key: wrong length")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > block.BlockSize() {
		return nil, errors.New("encrypted private key: wrong ssl.key.password")
	}
	return plain[:len(plain)-pad], nil
}
