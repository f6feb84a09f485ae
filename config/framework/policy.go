package framework

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamlane/connect/config"
)

// OverridePolicy says which client settings a connector may override (KIP-458).
// The zero policy allows all.
type OverridePolicy struct {
	name    string // "": All
	allowed []string
}

// The names of policies.
const (
	policyAll       = "All"
	policyNone      = "None"
	policyPrincipal = "Principal"
	policyAllowlist = "Allowlist"
)

var policyNames = []string{policyAll, policyNone, policyPrincipal, policyAllowlist}

// principalKeys are what the policy Principal leaves to connectors.
var principalKeys = []string{"security.protocol", "sasl.jaas.config", "sasl.mechanism"}

// ParseOverridePolicy returns the policy of a name: All, None, Principal,
// Allowlist (which allows the keys of allowlist, for every client), or their
// Java classes.
func ParseOverridePolicy(name string, allowlist []string) (OverridePolicy, error) {
	short := name[strings.LastIndexByte(name, '.')+1:]
	short = strings.TrimSuffix(strings.TrimSuffix(short, "OverridePolicy"), "ConnectorClientConfig")
	switch short {
	case policyAll:
		return OverridePolicy{}, nil
	case policyNone:
		return OverridePolicy{policyNone, nil}, nil
	case policyPrincipal:
		return OverridePolicy{policyPrincipal, principalKeys}, nil
	case policyAllowlist:
		return OverridePolicy{policyAllowlist, slices.Clone(allowlist)}, nil
	}
	return OverridePolicy{}, fmt.Errorf("unknown policy %q, want one of %s", name, strings.Join(policyNames, ", "))
}

// String returns the policy's name.
func (p OverridePolicy) String() string {
	if p.name == "" {
		return policyAll
	}
	return p.name
}

// Check returns a *config.KeyError for an override that is not allowed. Key is
// the client's setting, such as acks.
func (p OverridePolicy) Check(key string) error {
	if p.name == "" || slices.Contains(p.allowed, key) {
		return nil
	}
	return config.Errorf(key, "The '%s' policy does not allow '%s' to be overridden in the connector configuration.", p, key)
}

// CheckAll checks the overrides of one client, in alphabetical order, and
// returns KeyErrors with prefix, such as producer.override., before their keys.
func (p OverridePolicy) CheckAll(prefix string, overrides config.Props) []error {
	var errs []error
	for _, key := range overrides.Keys() {
		if p.Check(key) != nil {
			errs = append(errs, config.Errorf(prefix+key,
				"The '%s' policy does not allow '%s' to be overridden in the connector configuration.", p, key))
		}
	}
	return errs
}
