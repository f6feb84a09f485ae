package cassandra

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
)

const driverPrefix = "datastax-java-driver."

// A driverConfig has settings of DataStax' Java driver: those with a counterpart are honoured, those that change what is written are refused.
type driverConfig struct {
	keys                               config.Props
	password, trustPassword, keyPasswd config.Secret

	protocol int // 0: the highest
	serial   string
	// unheeded are keys without a counterpart.
	unheeded []string
}

func (x *driverConfig) describe(d *config.Def) {
	config.Password(d, &x.password, driverPrefix+"advanced.auth-provider.password").Default(config.Secret{}).Doc("The same as auth.password.")
	config.Password(d, &x.trustPassword, driverPrefix+"advanced.ssl-engine-factory.truststore-password").Default(config.Secret{}).
		Doc("The same as ssl.truststore.password.")
	config.Password(d, &x.keyPasswd, driverPrefix+"advanced.ssl-engine-factory.keystore-password").Default(config.Secret{}).
		Doc("The same as ssl.keystore.password.")
	config.Map(d, &x.keys, driverPrefix, "Settings of DataStax' Java driver. Those with a counterpart here are heeded, unless that is set too; those that change what is written are "+
		"refused; of others the log warns.")
}

// heeded are the settings with a counterpart. Each returns an error without a key.
var heeded = map[string]func(c *Config, text string) error{
	"basic.load-balancing-policy.local-datacenter": func(c *Config, text string) error { setText(&c.LocalDC, "", text); return nil },
	"basic.request.timeout":                        func(c *Config, text string) error { return setDuration(&c.Timeout, 30*time.Second, text) },
	"basic.request.serial-consistency": func(c *Config, text string) error {
		return setWord(&c.driver.serial, "", text, "SERIAL", "LOCAL_SERIAL")
	},
	"advanced.connection.connect-timeout": func(c *Config, text string) error {
		return setDuration(&c.ConnectTimeout, 10*time.Second, text)
	},
	"advanced.connection.pool.local.size":       setPool,
	"advanced.protocol.compression":             setCompression,
	"advanced.protocol.version":                 setProtocol,
	"advanced.auth-provider.class":              only("PlainTextAuthProvider"),
	"advanced.auth-provider.username":           func(c *Config, text string) error { setText(&c.Auth.Username, "", text); return nil },
	"advanced.ssl-engine-factory.class":         setTLS,
	"advanced.ssl-engine-factory.cipher-suites": func(c *Config, text string) error { return setList(&c.TLS.CipherSuites, text) },
	"advanced.ssl-engine-factory.hostname-validation": func(c *Config, text string) error {
		on, err := strconv.ParseBool(text)
		c.TLS.Hostname = c.TLS.Hostname && (on || err != nil)
		return err
	},
	"advanced.ssl-engine-factory.truststore-path": func(c *Config, text string) error { setText(&c.TLS.TrustStore, "", text); return nil },
	"advanced.ssl-engine-factory.keystore-path":   func(c *Config, text string) error { setText(&c.TLS.KeyStore, "", text); return nil },

	// They change what is written, or where to; only the defaults are understood.
	"basic.cloud.secure-connect-bundle": func(c *Config, text string) error {
		c.Bundle = text
		return errors.New("bundles of Astra are not supported")
	},
	"basic.load-balancing-policy.class":           only("DefaultLoadBalancingPolicy", "DcInferringLoadBalancingPolicy"),
	"advanced.retry-policy.class":                 only("DefaultRetryPolicy"),
	"advanced.timestamp-generator.class":          only("AtomicTimestampGenerator", "ThreadLocalTimestampGenerator"),
	"advanced.address-translator.class":           only("PassThroughAddressTranslator"),
	"advanced.speculative-execution-policy.class": only("NoSpeculativeExecutionPolicy"),
}

// apply takes over what the connector's own keys do not say.
func (x *driverConfig) apply(c *Config) error {
	var errs []error
	x.unheeded = nil
	var points []string
	for _, key := range slices.Sorted(maps.Keys(x.keys)) {
		text := strings.TrimSpace(x.keys[key])
		f := heeded[key]
		switch {
		case f != nil:
			if err := f(c, text); err != nil {
				errs = append(errs, keyError(driverPrefix+key, text, "%w", err))
			}
		case key == "basic.contact-points" || strings.HasPrefix(key, "basic.contact-points."):
			points = append(points, strings.Split(text, ",")...)
		case strings.HasPrefix(key, "advanced.ssl-engine-factory.cipher-suites."):
			c.TLS.CipherSuites = append(c.TLS.CipherSuites, text)
		default:
			x.unheeded = append(x.unheeded, driverPrefix+key)
		}
	}
	if len(c.ContactPoints) == 0 {
		for _, p := range points {
			c.ContactPoints = append(c.ContactPoints, strings.TrimSpace(p))
		}
	}
	for _, s := range []struct{ own, given *config.Secret }{
		{&c.Auth.Password, &x.password}, {&c.TLS.TrustPassword, &x.trustPassword}, {&c.TLS.KeyPassword, &x.keyPasswd},
	} {
		if s.own.IsZero() {
			*s.own = *s.given
		}
	}
	return errors.Join(errs...)
}

// only refuses classes of Java's driver without a counterpart.
func only(classes ...string) func(*Config, string) error {
	return func(_ *Config, text string) error {
		if simple := text[strings.LastIndexByte(text, '.')+1:]; !slices.Contains(classes, simple) {
			return errors.New("is not supported, and changes what is written; want " + strings.Join(classes, " or "))
		}
		return nil
	}
}

func setText(p *string, zero, text string) {
	if *p == zero {
		*p = text
	}
}

func setWord(p *string, zero, text string, words ...string) error {
	text = strings.ToUpper(text)
	if !slices.Contains(words, text) {
		return errors.New("want " + strings.Join(words, " or "))
	}
	setText(p, zero, text)
	return nil
}

func setList(p *[]string, text string) error {
	if len(*p) > 0 {
		return nil
	}
	for s := range strings.SplitSeq(strings.Trim(text, "[] "), ",") {
		*p = append(*p, strings.Trim(s, `" `))
	}
	return nil
}

func setPool(c *Config, text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("want a number of at least 1")
	}
	if c.PoolSize == 4 {
		c.PoolSize = n
	}
	return nil
}

func setCompression(c *Config, text string) error {
	for _, known := range []string{noCompression, lz4Compression, snappyCompression} {
		if strings.EqualFold(known, text) {
			setText(&c.Compression, noCompression, known)
			return nil
		}
	}
	return errors.New("want none, lz4 or snappy")
}

func setProtocol(c *Config, text string) error {
	switch strings.ToUpper(text) {
	case "V4":
		c.driver.protocol = 4
	case "V5":
		c.driver.protocol = 5
	default:
		return errors.New("want V4 or V5")
	}
	return nil
}

func setTLS(c *Config, text string) error {
	if err := only("DefaultSslEngineFactory")(c, text); err != nil {
		return err
	}
	setText(&c.TLS.Provider, noProvider, jdkProvider)
	return nil
}

// setDuration reads a duration of Java's driver: 30 seconds, 500 ms, or milliseconds.
func setDuration(p *time.Duration, zero time.Duration, text string) error {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseInt(text[:digits], 10, 32)
	unit, ok := map[string]time.Duration{
		"": time.Millisecond, "ms": time.Millisecond, "millis": time.Millisecond, "milliseconds": time.Millisecond, "millisecond": time.Millisecond,
		"s": time.Second, "second": time.Second, "seconds": time.Second, "m": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	}[strings.TrimSpace(text[digits:])]
	if err != nil || !ok || n < 1 {
		return errors.New("want a duration, such as 30 seconds")
	}
	if *p == zero {
		*p = time.Duration(n) * unit
	}
	return nil
}
