package kafka

import "strings"

// securityProtocol is Java's SecurityProtocol.
type securityProtocol string

const (
	plaintext     securityProtocol = "PLAINTEXT"
	overTLS       securityProtocol = "SSL"
	saslPlaintext securityProtocol = "SASL_PLAINTEXT"
	saslTLS       securityProtocol = "SASL_SSL"
)

func (p securityProtocol) tls() bool  { return p == overTLS || p == saslTLS }
func (p securityProtocol) sasl() bool { return p == saslPlaintext || p == saslTLS }

// serverName is the name to check in a server's certificate.
func serverName(address string) string {
	host := address
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		host = address[:i]
	}
	return strings.Trim(host, "[]")
}
