package mqtt

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/javatls"
)

// A Protocol chooses the version of MQTT.
type Protocol string

// The versions. Auto tries MQTT 5 and then 3.1.1.
const (
	Auto        Protocol = "auto"
	Protocol5   Protocol = "5"
	Protocol311 Protocol = "3.1.1"
)

// Retained says what becomes of messages that the server had retained when the connector subscribed.
type Retained string

// What can become of retained messages.
const (
	// RetainedAll delivers them whenever the server sends them.
	RetainedAll Retained = "all"
	// RetainedNew delivers them when the subscription is new (MQTT 5; as RetainedAll with 3.1.1).
	RetainedNew Retained = "new"
	// RetainedIgnore leaves them out.
	RetainedIgnore Retained = "ignore"
)

// A Payload says what records hold of a message's payload.
type Payload string

// The forms of a payload.
const (
	// PayloadBytes is BYTES, as received.
	PayloadBytes Payload = "bytes"
	// PayloadString is STRING.
	PayloadString Payload = "string"
	// PayloadJSON is parsed JSON without a schema.
	PayloadJSON Payload = "json"
	// PayloadStruct is parsed JSON with a schema, which is given or inferred from it.
	PayloadStruct Payload = "struct"
)

// A Config configures the connector MqttSource.
type Config struct {
	// URIs of the servers, tried in order.
	URIs []string
	// Topics are the filters to subscribe to.
	Topics []string
	// QoS of the subscriptions, 0 to 2.
	QoS int
	// Protocol is the version of MQTT.
	Protocol Protocol
	// ClientID is the client id of the first session; empty: made of the connector's name.
	ClientID string
	// Persistent sessions outlive connections.
	Persistent bool
	// Expiry is how long the server keeps a session without a connection, in seconds; -1: for good.
	Expiry int64
	// Sessions is the number of sessions, one per task; 0: as many as tasks.max and the filters allow.
	Sessions int
	// SharedGroup, if not empty, has all sessions share all filters.
	SharedGroup string
	// Retained says what becomes of retained messages.
	Retained Retained
	// KafkaTopic and RecordKey are templates. TopicRegex matches whole MQTT topics and gives templates their groups.
	KafkaTopic, RecordKey, TopicRegex string
	// TopicReplacement takes the place of each character that names of Kafka's topics cannot have.
	TopicReplacement string
	// Rules are the names of further mappings.
	Rules []string
	rules []*RuleConfig
	// Payload is the form of values. PayloadSchema is the schema of structs; empty: it is inferred.
	Payload       Payload
	PayloadSchema string
	// InvalidTopic gets messages that no record can be made of; empty: errors.tolerance decides.
	InvalidTopic string
	// Headers: whether records have headers. UserPrefix comes before the names of user properties.
	Headers    bool
	UserPrefix string
	// MaxPollRecords, MaxInFlight and MaxInFlightBytes are bounds.
	MaxPollRecords, MaxInFlight int
	MaxInFlightBytes            int64
	// MaxMessage is the size of the largest packet, in bytes; 0: any.
	MaxMessage int64

	Connection
}

// A Connection says how to reach the servers.
type Connection struct {
	Username                                string
	Password                                config.Secret
	KeepAlive, ConnectTimeout, Backoff, Max time.Duration
	TLS                                     javatls.Settings
	// Try has a validation connect.
	Try bool
}

// A RuleConfig is one mapping of MQTT topics to records.
type RuleConfig struct {
	Regex, KafkaTopic, RecordKey string
}

// The defaults that several configurations share.
const (
	defaultMaxPoll     = 1000
	defaultMaxInFlight = 10_000
	defaultMaxBytes    = 64 << 20
	defaultKey         = "${topic}"
	defaultReplacement = "."
	defaultUserPrefix  = "mqtt.user."
	defaultKeepAlive   = time.Minute
	defaultTimeout     = 10 * time.Second
	defaultBackoff     = 500 * time.Millisecond
	defaultMaxBackoff  = time.Minute
	maxKeepAlive       = math.MaxUint16 * time.Second
)

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	c.describeServers(d)
	c.describeSessions(d)
	c.describeRecords(d)
	c.describeBounds(d)
	c.TLS.Describe(d)
}

func (c *Config) describeServers(d *config.Def) {
	const group = "Servers"
	config.List(d, &c.URIs, "uris").Importance(config.High).Group(group, 0).Check(config.NonEmptyList(), config.Each(uriCheck())).
		Doc("Servers as URIs, tried in order until one takes the connection: mqtt://host:1883 or tcp://, mqtts://host:8883, ssl:// or tls://, ws://host/path, wss://host/path.")
	config.List(d, &c.Topics, "topics").Importance(config.High).Group(group, 1).Check(config.NonEmptyList(), config.Each(filterCheck())).
		Doc("Topic filters to subscribe to, with + and # as wildcards. $share/group/filter is a shared subscription.")
	config.Int(d, &c.QoS, "qos").Default(1).Importance(config.High).Group(group, 2).Check(config.Between(0, 2)).
		Doc("Quality of service of the subscriptions: 0 at most once, 1 at least once, 2 at least once with fewer duplicates.")
	config.Enum(d, &c.Protocol, "protocol", Auto, Protocol5, Protocol311).Default(Auto).Importance(config.Medium).Group(group, 3).
		Doc("Version of MQTT: 5, 3.1.1, or auto, which tries 5 and then 3.1.1.")
	config.String(d, &c.Username, "username").Default("").Importance(config.High).Group(group, 4).Check(textCheck()).Dependents("password").Doc("User name. Empty: none.")
	config.Password(d, &c.Password, "password").Default(config.Secret{}).Importance(config.High).Group(group, 5).Doc("Password. Empty: none.")
	config.Seconds(d, &c.KeepAlive, "keep.alive.seconds").Default(defaultKeepAlive).Group(group, 6).Check(config.Between(time.Second, maxKeepAlive)).
		Doc("Longest silence on a connection in seconds, before server or connector take it for lost. The server may ask for less.")
	config.Millis(d, &c.ConnectTimeout, "connect.timeout.ms").Default(defaultTimeout).Group(group, 7).Check(config.AtLeast(time.Millisecond)).
		Doc("Time for connecting to one server and for its answer, in milliseconds.")
	config.Millis(d, &c.Backoff, "reconnect.backoff.ms").Default(defaultBackoff).Group(group, 8).Check(config.AtLeast(time.Millisecond)).
		Doc("Pause before the first attempt to connect again, in milliseconds. It doubles with each attempt; up to half of it is left out at random.")
	config.Millis(d, &c.Max, "reconnect.backoff.max.ms").Default(defaultMaxBackoff).Group(group, 9).Check(config.AtLeast(time.Millisecond)).
		Doc("The longest such pause, in milliseconds. Less than reconnect.backoff.ms counts as that.")
	tryKey(d, &c.Try).Group(group, 10)
}

// tryKey declares the key that all classes have beside their own.
func tryKey(d *config.Def, p *bool) *config.Key[bool] {
	return config.Bool(d, p, "validate.connection").Default(true).
		Doc("Have a validation connect and subscribe: for at most ten seconds, with a client id and a session of its own. Turn it off where the server admits no other client ids.")
}

func (c *Config) describeSessions(d *config.Def) {
	const group = "Sessions"
	config.Bool(d, &c.Persistent, "session.persistent").Default(true).Importance(config.High).Group(group, 0).Dependents("session.expiry.seconds").
		Doc("Have the server keep subscriptions and messages while the connector is not connected. Without it, messages of such times are lost, and so is what was not acknowledged.")
	config.Long(d, &c.Expiry, "session.expiry.seconds").Default(-1).Importance(config.Medium).Group(group, 1).Check(config.Between[int64](-1, math.MaxUint32)).Visible(func() bool { return c.Persistent }).
		Doc("How long the server keeps a session without a connection, in seconds. -1: for good. MQTT 5 only; servers of 3.1.1 have a setting of their own.")
	config.String(d, &c.ClientID, "client.id").Default("").Importance(config.High).Group(group, 2).Check(textCheck()).
		Doc("Client id of the first session; the others have -1, -2 and so on behind it. Empty: connect- and the connector's name. No other client may have it.")
	config.Int(d, &c.Sessions, "sessions").Default(0).Importance(config.Medium).Group(group, 3).Check(config.AtLeast(0)).
		Doc("Number of sessions, each in a task of its own. It needs a tasks.max of as many. 0: as many as tasks.max and the topics allow; " +
			"then a change of tasks.max changes the sessions, so set it where tasks.max may change.")
	config.String(d, &c.SharedGroup, "shared.group").Default("").Importance(config.Medium).Group(group, 4).Check(groupCheck()).
		Doc("Name of a group of shared subscriptions, by which all sessions share the messages of all topics. Messages of one MQTT topic may then come by several " +
			"sessions, out of order. Empty: topics are divided among the sessions.")
	config.Enum(d, &c.Retained, "retained", RetainedAll, RetainedNew, RetainedIgnore).Default(RetainedNew).Importance(config.Medium).Group(group, 5).
		Doc("Retained messages: all delivers them each time that the connector starts, new when a subscription is new (as all with MQTT 3.1.1), ignore not at all.")
}

func (c *Config) describeRecords(d *config.Def) {
	const group = "Records"
	config.String(d, &c.KafkaTopic, "kafka.topic").Importance(config.High).Group(group, 0).Check(config.NonEmpty(), templateCheck()).
		Doc("Kafka topic, as a template: ${topic} is the MQTT topic, ${level.1} its first level, ${1} or ${name} a group of topic.regex, ${user.x} a user property, $$ a dollar.")
	config.String(d, &c.RecordKey, "record.key").Default(defaultKey).Importance(config.High).Group(group, 1).Check(templateCheck()).
		Doc("Key of the records, as a template. The default, the MQTT topic, keeps the order of each MQTT topic. Empty: no key.")
	config.String(d, &c.TopicRegex, "topic.regex").Default("").Importance(config.Medium).Group(group, 2).Check(regexCheck()).Dependents("kafka.topic", "record.key").
		Doc("Regular expression in Java's syntax for whole MQTT topics, for its groups. Topics that do not match have empty groups.")
	config.String(d, &c.TopicReplacement, "kafka.topic.replacement").Default(defaultReplacement).Group(group, 3).Check(config.Matches(`[A-Za-z0-9._-]`)).
		Doc("What takes the place of / and other characters in ${...} that names of Kafka topics cannot have.")
	config.List(d, &c.Rules, "rules").Default(nil).Importance(config.Medium).Group(group, 4).Check(config.Distinct(), config.Each(config.NonEmpty())).
		Doc("Names of further mappings, tried in order before kafka.topic and record.key: rule.<name>.regex, rule.<name>.kafka.topic, rule.<name>.record.key.")
	config.Enum(d, &c.Payload, "payload", PayloadBytes, PayloadString, PayloadJSON, PayloadStruct).Default(PayloadBytes).Importance(config.High).Group(group, 5).
		Dependents("payload.schema").
		Doc("Values of records: bytes, string (UTF-8), json (parsed, without a schema), struct (parsed JSON with a schema). With json and struct no payload is null.")
	config.Text(d, &c.PayloadSchema, "payload.schema").Default("").Importance(config.Medium).Group(group, 6).Visible(func() bool { return c.Payload == PayloadStruct }).
		Check(config.CheckFunc("a schema in the JSON of JsonConverter", schemaCheck)).
		Doc("Schema of structs, in the JSON of JsonConverter. Members that it lacks are left out. Empty: each message has the schema that it shows, with optional fields.")
	config.String(d, &c.InvalidTopic, "invalid.topic").Default("").Importance(config.Medium).Group(group, 7).Check(config.CheckFunc("a name of a Kafka topic", func(v string) error {
		if v == "" {
			return nil
		}
		return legalTopic(v)
	})).Doc("Kafka topic for messages that no record can be made of: a payload that is not what the key payload says, a mapping that gives no topic. " +
		"Their values are bytes, their keys the MQTT topic, and the header mqtt.invalid has the reason. Empty: errors.tolerance decides.")
	config.Bool(d, &c.Headers, "headers").Default(true).Group(group, 8).Dependents("headers.user.prefix").
		Doc("Give records headers: mqtt.topic, mqtt.message.id, mqtt.qos, mqtt.retained, mqtt.duplicate, and with MQTT 5 mqtt.content.type, mqtt.response.topic, " +
			"mqtt.correlation.data, mqtt.expiry.seconds, mqtt.payload.utf8 and user properties.")
	config.String(d, &c.UserPrefix, "headers.user.prefix").Default(defaultUserPrefix).Group(group, 9).Visible(func() bool { return c.Headers }).
		Doc("What comes before the names of user properties in headers.")
	d.Pattern("rule.<name>.", &RuleConfig{})
	d.Dynamic(func(d *config.Def) {
		if len(c.rules) != len(c.Rules) { // decoded for the first time
			c.rules = make([]*RuleConfig, len(c.Rules))
		}
		for i, name := range c.Rules {
			if name == "" || slices.Contains(c.Rules[:i], name) {
				continue // the check of the key says so
			}
			if c.rules[i] == nil {
				c.rules[i] = &RuleConfig{}
			}
			d.Prefix("rule."+name+".", c.rules[i])
		}
	})
}

// Describe declares the keys of a rule.
func (c *RuleConfig) Describe(d *config.Def) {
	config.String(d, &c.Regex, "regex").Check(config.NonEmpty(), regexCheck()).Doc("Regular expression for whole MQTT topics.")
	config.String(d, &c.KafkaTopic, "kafka.topic").Check(config.NonEmpty(), templateCheck()).Doc("Kafka topic of what matches, as a template.")
	config.String(d, &c.RecordKey, "record.key").Default(defaultKey).Check(templateCheck()).Doc("Key of what matches, as a template. Empty: no key.")
}

func (c *Config) describeBounds(d *config.Def) {
	const group = "Bounds"
	config.Int(d, &c.MaxPollRecords, "max.poll.records").Default(defaultMaxPoll).Group(group, 0).Check(config.Between(1, 1<<20)).
		Doc("Number of records that are handed over at once at most.")
	config.Int(d, &c.MaxInFlight, "max.in.flight.messages").Default(defaultMaxInFlight).Importance(config.Medium).Group(group, 1).Check(config.Between(1, 10_000_000)).
		Doc("Number of messages per task between their receipt and their acknowledgement. The server is told (MQTT 5's Receive Maximum, 65535 at most).")
	config.Long(d, &c.MaxInFlightBytes, "max.in.flight.bytes").Default(defaultMaxBytes).Importance(config.Medium).Group(group, 2).Check(config.AtLeast[int64](1)).
		Doc("Bytes of messages per task that Kafka does not have yet. A message that is larger than that comes when there is no other.")
	config.Long(d, &c.MaxMessage, "max.message.bytes").Default(0).Group(group, 3).Check(config.Between[int64](0, maxPacketSize)).
		Doc("The largest packet to take, in bytes. MQTT 5 servers are told, and drop larger messages; with 3.1.1 a larger one fails the task. 0: any.")
}

// maxPacketSize is the protocol's: a length of 2^28 - 1 and five bytes before it.
const maxPacketSize = 268_435_455 + 5

// ownNames are the keys of MqttSource.
var ownNames = keyNames{
	uris: "uris", topics: "topics", username: "username", password: "password", client: "client.id", protocol: "protocol",
	trust: "ssl.truststore.location", identity: "ssl.keystore.location",
}

// Check refuses what no single key can say.
func (c *Config) Check() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if !c.Persistent && c.Expiry > 0 {
		return config.Errorf("session.expiry.seconds", "found %d with session.persistent=false, which keeps no session", c.Expiry)
	}
	if c.PayloadSchema != "" && c.Payload != PayloadStruct {
		return config.Errorf("payload.schema", "found a schema with payload=%s; want payload=struct, or no schema", c.Payload)
	}
	return s.check(ownNames)
}

// Probe connects, as a client that leaves no trace.
func (c *Config) Probe(ctx context.Context) error {
	s, err := c.settings()
	if err != nil || !c.Try {
		return err
	}
	return s.probe(ctx, ownNames)
}

// settings translates.
func (c *Config) settings() (*settings, error) {
	s := &settings{
		uris: c.URIs, filters: c.Topics, qos: byte(c.QoS), protocol: c.Protocol, clientID: c.ClientID, clean: !c.Persistent,
		expiry: math.MaxUint32, sessions: c.Sessions, sharedGroup: c.SharedGroup, retained: c.Retained, conn: c.Connection,
		maxPoll: c.MaxPollRecords, maxInFlight: c.MaxInFlight, maxBytes: c.MaxInFlightBytes, maxMessage: c.MaxMessage,
	}
	if c.Expiry >= 0 {
		s.expiry = uint32(c.Expiry)
	}
	s.mapping = mapping{headers: c.Headers, userPrefix: c.UserPrefix, invalidTopic: c.InvalidTopic, clean: replacing(c.TopicReplacement)}
	var err error
	s.mapping.rules, err = c.mappings()
	return s, err
}

// mappings makes the rules, the last of which is for all topics that others do not match.
func (c *Config) mappings() ([]*rule, error) {
	value, err := newDecoder(c.Payload, c.PayloadSchema)
	if err != nil {
		return nil, config.Errorf("payload.schema", "%w", err)
	}
	var all []*rule
	for i, r := range c.rules {
		if r == nil {
			continue
		}
		x, err := newRule("rule."+c.Rules[i]+".", "regex", *r, value)
		if err != nil {
			return nil, err
		}
		x.strict = true
		all = append(all, x)
	}
	last, err := newRule("", "topic.regex", RuleConfig{c.TopicRegex, c.KafkaTopic, c.RecordKey}, value)
	return append(all, last), err
}

func schemaCheck(text string) error {
	if text == "" {
		return nil
	}
	_, err := givenDecoder(text)
	return err
}

// An assignment is what the connector adds to its own configuration for a task.
type assignment struct {
	// Session is the number of the session; Of that of all.
	Session, Of int
	// Client is the client id, Filters what the session subscribes to, as a JSON array.
	Client, Filters string
}

// The keys of an assignment.
const (
	sessionKey = "task.session"
	ofKey      = "task.sessions"
	clientKey  = "task.client.id"
	filtersKey = "task.filters"
)

// describe declares the keys that the connector sets.
func (a *assignment) describe(d *config.Def) {
	config.Int(d, &a.Session, sessionKey).Default(0).Check(config.AtLeast(0)).Doc("Number of the session. The connector sets it.")
	config.Int(d, &a.Of, ofKey).Default(1).Check(config.AtLeast(1)).Doc("Number of all sessions. The connector sets it.")
	config.String(d, &a.Client, clientKey).Check(config.NonEmpty()).Doc("Client id of the session. The connector sets it.")
	config.String(d, &a.Filters, filtersKey).Check(config.NonEmpty()).Doc("Filters of the session, as JSON. The connector sets it.")
}

// props are the assignment as text.
func (a *assignment) props() config.Props {
	return config.Props{sessionKey: strconv.Itoa(a.Session), ofKey: strconv.Itoa(a.Of), clientKey: a.Client, filtersKey: a.Filters}
}

// A TaskConfig configures one task.
type TaskConfig struct {
	Config
	assignment
}

// Describe declares the keys of the connector, and those that it sets.
func (c *TaskConfig) Describe(d *config.Def) {
	c.Config.Describe(d)
	c.describe(d)
}
