package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javaregex"
)

// A LensesConfig has the keys of io.lenses.streamreactor.connect.mqtt.source.MqttSourceConnector.
type LensesConfig struct {
	// KCQL is connect.mqtt.kcql: statements that say what goes where.
	KCQL string
	// Hosts are URIs, separated by commas.
	Hosts []string
	// QoS is connect.mqtt.service.quality.
	QoS int
	// Username and Password are connect.mqtt.username and connect.mqtt.password.
	Username string
	Password config.Secret
	// ClientID is connect.mqtt.client.id, Clean connect.mqtt.clean.
	ClientID string
	Clean    bool
	// Timeout and KeepAlive are connect.mqtt.timeout and connect.mqtt.keep.alive: milliseconds from 1000 on, else seconds.
	Timeout, KeepAlive int
	// CA, Cert and Key are PEM files: connect.mqtt.ssl.ca.cert, .cert and .key.
	CA, Cert, Key string
	// Throw is connect.mqtt.converter.throw.on.error.
	Throw bool
	// Try is validate.connection.
	Try bool

	ignored     [3]string
	ignoredFlag [4]bool
	ignoredInt  [3]int
	replicate   bool
}

// Describe declares the keys.
func (c *LensesConfig) Describe(d *config.Def) {
	config.String(d, &c.KCQL, "connect.mqtt.kcql").Importance(config.High).Check(config.NonEmpty(), config.CheckFunc("KCQL statements", func(v string) error {
		_, err := kcqlRules(v)
		return err
	})).Doc("Statements INSERT INTO kafka SELECT * FROM mqtt, separated by semicolons, with WITHKEY, KEYDELIMITER, WITHREGEX and WITHCONVERTER.")
	config.List(d, &c.Hosts, "connect.mqtt.hosts").Importance(config.High).Check(config.NonEmptyList(), config.Each(uriCheck())).
		Doc("Servers as URIs, tried in order until one takes the connection.")
	config.Int(d, &c.QoS, "connect.mqtt.service.quality").Importance(config.Medium).Check(config.Between(0, 2)).
		Doc("Quality of service of the subscriptions: 0, 1 or 2.")
	config.String(d, &c.Username, "connect.mqtt.username").Default("").Importance(config.High).Doc("User name. Empty: none.")
	config.Password(d, &c.Password, "connect.mqtt.password").Default(config.Secret{}).Importance(config.High).Doc("Password. Empty: none.")
	config.String(d, &c.ClientID, "connect.mqtt.client.id").Default("").Importance(config.Medium).
		Doc("Client id of the first task; others have -1, -2 and so on behind it. Empty: connect- and the connector's name.")
	config.Bool(d, &c.Clean, "connect.mqtt.clean").Default(true).
		Doc("Begin with a new session on each connection. At least once needs false, and a quality of service of 1 or 2.")
	config.Int(d, &c.Timeout, "connect.mqtt.timeout").Default(3000).Check(config.AtLeast(1)).
		Doc("Time for connecting to one server: in milliseconds from 1000 on, and in seconds below, as Lenses' connector takes it.")
	config.Int(d, &c.KeepAlive, "connect.mqtt.keep.alive").Default(5000).Check(config.Between(1, math.MaxUint16*1000)).
		Doc("Longest silence on a connection: in milliseconds from 1000 on, and in seconds below.")
	config.String(d, &c.CA, "connect.mqtt.ssl.ca.cert").Default("").Doc("PEM file with the authorities. Empty: the system's.")
	config.String(d, &c.Cert, "connect.mqtt.ssl.cert").Default("").Doc("PEM file with the client's certificate.")
	config.String(d, &c.Key, "connect.mqtt.ssl.key").Default("").Doc("PEM file with the client's private key.")
	config.Bool(d, &c.Throw, "connect.mqtt.converter.throw.on.error").Default(false).
		Doc("Have errors.tolerance decide about payloads that the converter cannot read. Otherwise such a message is acknowledged, logged and lost.")
	tryKey(d, &c.Try)
	c.describeIgnored(d)
}

func (c *LensesConfig) describeIgnored(d *config.Def) {
	const docs = "For configurations that have it."
	config.Int(d, &c.ignoredInt[0], "connect.mqtt.polling.timeout").Default(1000).Ignored("polls wait for messages").Doc(docs)
	config.Int(d, &c.ignoredInt[1], "connect.mqtt.retry.interval").Default(60000).Ignored("it is the sink's").Doc(docs)
	config.Int(d, &c.ignoredInt[2], "connect.mqtt.max.retries").Default(20).Ignored("it is the sink's").Doc(docs)
	config.Bool(d, &c.ignoredFlag[0], "connect.mqtt.retained.messages").Default(false).Ignored("it is the sink's").Doc(docs)
	config.String(d, &c.ignored[0], "connect.mqtt.error.policy").Default("THROW").Ignored("it is the sink's").Doc(docs)
	config.Bool(d, &c.replicate, "connect.mqtt.share.replicate").Default(false).Ignored("all tasks join all shared subscriptions").Doc(docs)
	config.Bool(d, &c.ignoredFlag[1], "connect.mqtt.process.duplicates").Default(false).
		Ignored("a message with the flag DUP is left out where its record is known to be on its way, else it is delivered, for it may never have been").Doc(docs)
	config.Bool(d, &c.ignoredFlag[2], "connect.mqtt.log.message").Default(false).Ignored("payloads are not logged").Doc(docs)
	config.Bool(d, &c.ignoredFlag[3], "connect.progress.enabled").Default(false).Ignored("there are metrics").Doc(docs)
	config.String(d, &c.ignored[1], "connect.converter.avro.schemas").Default("").Check(config.CheckFunc("", func(v string) error {
		if v != "" {
			return errors.New("AvroConverter is not supported; take the bytes and decode them behind Kafka")
		}
		return nil
	})).Doc("Not supported: it is for AvroConverter.")
}

// lensesTime reads what Lenses' keys for times have: its defaults are meant as milliseconds, and its client takes all as seconds.
func lensesTime(n int) time.Duration {
	if n < 1000 {
		return time.Duration(n) * time.Second
	}
	return time.Duration(n) * time.Millisecond
}

var lensesNames = keyNames{
	uris: "connect.mqtt.hosts", topics: "connect.mqtt.kcql", username: "connect.mqtt.username", password: "connect.mqtt.password",
	client: "connect.mqtt.client.id", protocol: "connect.mqtt.hosts", trust: "connect.mqtt.ssl.ca.cert", identity: "connect.mqtt.ssl.cert",
}

// Check refuses what no single key can say.
func (c *LensesConfig) Check() error {
	if (c.Cert == "") != (c.Key == "") {
		return config.Errorf("connect.mqtt.ssl.cert", "want connect.mqtt.ssl.cert and connect.mqtt.ssl.key, or neither")
	}
	s, err := c.settings()
	if err != nil {
		return nil //nolint:nilerr // reported by the key itself
	}
	return s.check(lensesNames)
}

// Probe connects, as a client that leaves no trace.
func (c *LensesConfig) Probe(ctx context.Context) error {
	s, err := c.settings()
	if err != nil || !c.Try {
		return err
	}
	return s.probe(ctx, lensesNames)
}

func (c *LensesConfig) settings() (*settings, error) {
	rules, err := kcqlRules(c.KCQL)
	if err != nil {
		return nil, config.Errorf("connect.mqtt.kcql", "%w", err)
	}
	s := &settings{
		uris: c.Hosts, qos: byte(c.QoS), protocol: Auto, clientID: c.ClientID, clean: c.Clean, expiry: math.MaxUint32,
		retained: RetainedAll, maxPoll: defaultMaxPoll, maxInFlight: defaultMaxInFlight, maxBytes: defaultMaxBytes,
		conn:    Connection{Username: c.Username, Password: c.Password, KeepAlive: lensesTime(c.KeepAlive), ConnectTimeout: lensesTime(c.Timeout), Backoff: defaultBackoff, Max: defaultMaxBackoff},
		pem:     pemFiles{c.CA, c.Cert, c.Key},
		mapping: mapping{headers: true, userPrefix: defaultUserPrefix, clean: lensesTopic, dropInvalid: !c.Throw},
	}
	for _, r := range rules {
		s.filters = append(s.filters, r.subscription)
		s.mapping.rules = append(s.mapping.rules, r.rule)
		if r.keyless {
			s.notes = append(s.notes, "WITHKEY has no effect without WITHCONVERTER: keys are topic and packet id. FROM "+r.subscription)
		}
	}
	return s, config.Decode(config.Props{}, &s.conn.TLS)
}

// kcqlRule is one statement.
type kcqlRule struct {
	subscription string
	rule         *rule
	keyless      bool // it has fields for a key, and a converter that does not look for them
}

// kcqlRules reads statements and makes rules of them.
func kcqlRules(text string) ([]kcqlRule, error) {
	statements, err := parseKCQL(text)
	if err != nil {
		return nil, err
	}
	rules := make([]kcqlRule, len(statements))
	for i, s := range statements {
		if rules[i], err = s.rule(); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// rule makes a rule of a statement.
func (s *statement) rule() (kcqlRule, error) {
	if err := checkFilter(s.source); err != nil {
		return kcqlRule{}, fmt.Errorf("FROM %s: %w", s.source, err)
	}
	r := &rule{strict: s.regex != ""}
	var err error
	if r.value, r.key, err = lensesConverter(s.converter, fieldKey{s.keys, s.delimiter}); err != nil {
		return kcqlRule{}, err
	}
	if r.strict {
		if r.regex, err = javaregex.Compile(s.regex); err != nil {
			return kcqlRule{}, fmt.Errorf("WITHREGEX: %w", err)
		}
	} else {
		_, plain := sharedGroup(s.source)
		r.filter = strings.Split(plain, "/")
	}
	switch {
	case s.target == "$":
		r.topic, err = parseTemplate("${topic}")
	default:
		r.topic, err = &template{fixed: s.target}, legalTopic(s.target)
	}
	if err != nil {
		return kcqlRule{}, fmt.Errorf("INTO %s: %w", s.target, err)
	}
	return kcqlRule{s.source, r, len(s.keys) > 0 && (s.converter == "" || strings.HasSuffix(s.converter, "."+bytesConverter))}, nil
}

// A LensesTaskConfig configures one task.
type LensesTaskConfig struct {
	LensesConfig
	assignment
}

// Describe declares the keys of the connector, and those that it sets.
func (c *LensesTaskConfig) Describe(d *config.Def) {
	c.LensesConfig.Describe(d)
	c.describe(d)
}
