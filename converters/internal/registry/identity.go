package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/streamlane/connect/config"
)

// identity tells connections apart: two configurations with the same identity may
// share a client and its caches. It is a hash, for it is made of secrets.
func (c *Config) identity() string {
	h := sha256.New()
	add := func(v any) { fmt.Fprintf(h, "%q\n", fmt.Sprint(v)) }
	for _, s := range []config.Secret{c.UserInfo, c.RegistryUserInfo, c.BearerToken, c.ClientSecret} {
		add(s.Reveal())
	}
	for _, key := range c.RequestHeaders.Keys() {
		add(key)
		add(c.RequestHeaders[key])
	}
	for _, s := range c.TLS.Identity() {
		add(s)
	}
	add(len(c.URLs))
	for _, u := range c.URLs {
		add(u)
	}
	for _, v := range []any{
		c.RandomizeURLs, c.CredentialsSource, c.BearerSource, c.Issuer, c.ClientID, c.Scope, c.LogicalCluster, c.IdentityPool, c.ExpiryBuffer,
		c.ProxyHost, c.ProxyPort, c.ConnectTimeout, c.ReadTimeout, c.Retries, c.RetryWait, c.RetryMaxWait, c.cacheSize(),
	} {
		add(v)
	}
	return hex.EncodeToString(h.Sum(nil))
}
