package config

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// redactConfig declares a key whose name does not sound secret.
type redactConfig struct{ pin Secret }

func (c *redactConfig) Describe(d *Def) {
	Password(d, &c.pin, "pin").Default(Secret{}).Doc("A secret.")
}

// vault is a provider of one place.
type vault map[string]string

func (v vault) Get(context.Context, string, []string) (ProviderData, error) {
	return ProviderData{Values: v}, nil
}

func TestRedactor(t *testing.T) {
	raw := Props{
		"pin": "4711", "db.password": `p"w/1`, "topic": "orders", "use.credentials": "true", "tiny.password": "ab",
		"connection.url": "postgres://joe:s3cret@db/x", "account": "${vault:here:account}", "sealed.token": "${vault:here:token}",
		"sasl.jaas.config": `org.x.PlainLoginModule required username="joe" password="jaas-pw";`,
		"basic.auth":       "joe:basic-pw", "region": "${vault:here:region}",
	}
	resolved, err := NewResolver(map[string]Provider{"vault": vault{"account": "acc-77", "token": "tok-en", "region": "eu"}}).Resolve(t.Context(), raw)
	require.NoError(t, err)
	r := NewRedactor(resolved, new(redactConfig))
	for text, want := range map[string]string{
		"no secrets here":                   "no secrets here",
		"orders of joe are true":            "orders of joe are true",
		"a queue in eu":                     "a queue in eu",
		"wrong pin 4711!":                   "wrong pin [hidden]!",
		`password p"w/1 refused`:            "password [hidden] refused",
		`"p\"w/1" refused`:                  `"[hidden]" refused`,
		"GET /?p=p%22w%2F1":                 "GET /?p=[hidden]",
		"dial postgres://joe:s3cret@db/x":   "dial [hidden]",
		"dial postgres://joe:s3cret@db/y":   "dial postgres://joe:[hidden]@db/y",
		"account acc-77, token tok-en":      "account [hidden], token [hidden]",
		"login with jaas-pw":                "login with [hidden]",
		"401 for basic-pw":                  "401 for [hidden]",
		"[hidden] stays, in a grab bag, ab": "[hidden] stays, in a grab bag, ab",
	} {
		assert.Equal(t, want, r.Redact(text))
	}
	assert.Equal(t, "4711", (*Redactor)(nil).Redact("4711"))
	assert.Equal(t, "4711", NewRedactor(Resolved{}).Redact("4711"))
	assert.Len(t, resolved.Provided, 3)
}
