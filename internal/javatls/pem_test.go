package javatls

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEncryptedPEMKey(t *testing.T) {
	for _, file := range []string{"encrypted-aes256-sha256.pem", "encrypted-aes128-sha1.pem"} {
		raw, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		cert, err := parseKeyPair(string(raw), string(raw), "secret")
		require.NoError(t, err, file)
		assert.NotNil(t, cert.PrivateKey)
		_, err = parseKeyPair(string(raw), string(raw), "wrong")
		assert.Error(t, err)
		_, err = parseKeyPair(string(raw), string(raw), "")
		assert.ErrorContains(t, err, "ssl.key.password")
	}
}

func FuzzParseKeyPair(f *testing.F) {
	raw, err := os.ReadFile("testdata/encrypted-aes128-sha1.pem")
	require.NoError(f, err)
	f.Add(string(raw), "secret")
	f.Add("-----BEGIN PRIVATE KEY----- MA== -----END PRIVATE KEY-----", "")
	f.Fuzz(func(_ *testing.T, text, password string) {
		_, _ = parseKeyPair(text, text, password) // whatever it says, it does not panic
	})
}
