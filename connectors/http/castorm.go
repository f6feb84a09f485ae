package http

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

const castormPackage = "com.github.castorm.kafka.connect."

func castormPlugin() connect.Plugin {
	return connect.Source(connect.Info{
		Class: "CastormHttpSource", Version: "1.0.0", Doc: "HttpSource with the keys of castorm's kafka-connect-http.",
		StandsFor: []connect.JavaClass{{Class: castormPackage + "http.HttpSourceConnector", Task: castormPackage + "http.HttpSourceTask"}},
	}, func(c castorm) (*connector, error) {
		own, _, err := c.own()
		return &connector{cfg: own}, err
	}, func(c Config) (*task, error) { return newTask(c, nil) })
}

// castorm has the keys of castorm's kafka-connect-http.
type castorm struct {
	topic, url, method, headers, params, body, initial      string
	list, record, key, offset, timestamp, direction, mapper string
	authType, user, proxyHost, proxyUser, process, skip     string
	password, proxyPassword                                 config.Secret
	interval, catchUp, connectTimeout, readTimeout, ttl     time.Duration
	proxyPort                                               int
	oldInterval, oldCatchUp                                 time.Duration
	classes                                                 [16]string
	ignored                                                 struct {
		n      int
		text   string
		secret config.Secret
	}
	validate bool
}

// Describe declares the keys.
func (c *castorm) Describe(d *config.Def) {
	config.String(d, &c.topic, "kafka.topic").Importance(config.High).Check(config.NonEmpty()).Doc("Topic of the records.")
	config.String(d, &c.url, "http.request.url").Importance(config.High).Check(config.NonEmpty()).Doc("URL, a template with ${offset.NAME}.")
	config.String(d, &c.method, "http.request.method").Default("GET").Doc("Method.")
	config.String(d, &c.headers, "http.request.headers").Default("").Doc("Headers: Name: Value, Name2: Value2.")
	config.String(d, &c.params, "http.request.params").Default("").Doc("Parameters: name=value & name2=value2.")
	config.Text(d, &c.body, "http.request.body").Default("").Doc("Body.")
	config.String(d, &c.initial, "http.offset.initial").Default("").Doc("Initial offset: name=value.")
	config.String(d, &c.list, "http.response.list.pointer").Default("/").Doc("JSON pointer to the records.")
	config.String(d, &c.record, "http.response.record.pointer").Default("/").Check(config.Supported("/")).Doc("JSON pointer to the value in a record.")
	config.String(d, &c.key, "http.response.record.key.pointer").Default("").Doc("JSON pointer to the key.")
	config.String(d, &c.offset, "http.response.record.offset.pointer").Default("").Doc("JSON pointers to the offset: name=/pointer.")
	config.String(d, &c.timestamp, "http.response.record.timestamp.pointer").Default("").Doc("JSON pointer to the timestamp.")
	config.EnumFold(d, &c.direction, "http.response.list.order.direction", "ASC", "DESC", "IMPLICIT").Default("IMPLICIT").Check(config.Supported("ASC", "IMPLICIT")).Doc("Order of the records.")
	config.String(d, &c.mapper, "http.response.record.mapper").Default(castormPackage + "http.record.SchemedKvSourceRecordMapper").
		Check(config.Supported(castormPackage+"http.record.SchemedKvSourceRecordMapper", castormPackage+"http.record.StringKvSourceRecordMapper")).Doc("Form of the values: a struct of value, key and timestamp, or text.")
	config.EnumFold(d, &c.authType, "http.auth.type", "NONE", "BASIC").Default("NONE").Doc("How requests are authenticated.")
	config.String(d, &c.user, "http.auth.user").Default("").Doc("User.")
	config.Password(d, &c.password, "http.auth.password").Optional().Doc("Password.")
	config.String(d, &c.process, "http.response.policy.codes.process").Default("200..299").Check(config.Supported("200..299")).Doc("Status codes of responses with records.")
	config.String(d, &c.skip, "http.response.policy.codes.skip").Default("300..399").Doc("Status codes of responses that are skipped.")
	config.Millis(d, &c.interval, "http.timer.interval.millis").Default(tailInterval).Check(config.AtLeast(time.Duration(0))).Doc("Pause between requests.")
	config.Millis(d, &c.catchUp, "http.timer.catchup.interval.millis").Default(catchUpInterval).Check(config.AtLeast(time.Duration(0))).Doc("Pause between requests while there are new records.")
	config.Millis(d, &c.oldInterval, "http.throttler.interval.millis").Default(tailInterval).Check(config.AtLeast(time.Duration(0))).Deprecated("use http.timer.interval.millis").Doc("As http.timer.interval.millis, where that has its default.")
	config.Millis(d, &c.oldCatchUp, "http.throttler.catchup.interval.millis").Default(catchUpInterval).Check(config.AtLeast(time.Duration(0))).Deprecated("use http.timer.catchup.interval.millis").Doc("As http.timer.catchup.interval.millis, where that has its default.")
	config.Millis(d, &c.connectTimeout, "http.client.connection.timeout.millis").Default(2 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a connection.")
	config.Millis(d, &c.readTimeout, "http.client.read.timeout.millis").Default(2 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a response.")
	config.Millis(d, &c.ttl, "http.client.ttl.millis").Default(5 * time.Minute).Ignored("idle connections are kept for 90 s").Doc("Time for which connections are kept.")
	config.Int(d, &c.ignored.n, "http.client.max-idle").Default(1).Ignored("four idle connections are kept for each host").Doc("Connections that are kept.")
	refuseText(d, &c.ignored.text, "http.client.keystore", "client certificates are HttpSource's: use its http.ssl.keystore.location")
	config.Password(d, &c.ignored.secret, "http.client.keystore.password").Optional().Ignored("http.client.keystore is not supported").Doc("Password of the key store.")
	config.String(d, &c.proxyHost, "http.client.proxy.host").Default("").Doc("Host of the proxy.")
	config.Int(d, &c.proxyPort, "http.client.proxy.port").Default(3128).Check(config.Between(1, 65535)).Doc("Port of the proxy.")
	config.String(d, &c.proxyUser, "http.client.proxy.username").Default("").Doc("User of the proxy.")
	config.Password(d, &c.proxyPassword, "http.client.proxy.password").Optional().Doc("Password of the proxy's user.")
	config.Bool(d, &c.validate, "validate.requests").Default(true).Doc("Whether validation sends a request. Not a key of castorm's.")
	c.describeClasses(d)
}

// The pauses of castorm's timer.
const (
	tailInterval    = time.Minute
	catchUpInterval = 30 * time.Second
)

const (
	adaptableTimer = castormPackage + "timer.AdaptableIntervalTimer"
	fixedTimer     = castormPackage + "timer.FixedIntervalTimer"
)

// pauses are those of the timer: the keys of old count where the new ones have their defaults.
func (c *castorm) pauses() (interval, catchUp time.Duration) {
	interval, catchUp = c.interval, c.catchUp
	if interval == tailInterval {
		interval = c.oldInterval
	}
	if catchUp == catchUpInterval {
		catchUp = c.oldCatchUp
	}
	if c.classes[0] == fixedTimer {
		catchUp = interval
	}
	return interval, catchUp
}

// describeClasses declares the keys that name classes: those that are built in may stand there, others cannot run here.
func (c *castorm) describeClasses(d *config.Def) {
	config.Class(d, &c.classes[0], "http.timer").Default(adaptableTimer).Check(config.Supported(adaptableTimer, fixedTimer)).Doc("Class; castorm's two are supported.")
	config.String(d, &c.classes[1], "http.response.record.timestamp.parser.pattern").Default("yyyy-MM-dd'T'HH:mm:ss[.SSS]X").Check(config.Supported("yyyy-MM-dd'T'HH:mm:ss[.SSS]X")).Doc("Pattern of timestamps; the usual forms are read without.")
	config.String(d, &c.classes[2], "http.response.record.timestamp.parser.zone").Default("UTC").Check(config.Supported("UTC")).Doc("Zone of timestamps without one.")
	config.String(d, &c.classes[15], "http.response.record.timestamp.parser.regex").Default(".*").Check(config.Supported(".*")).Doc("Where timestamps are in other text; all of it here.")
	for i, k := range []struct{ key, class string }{
		{"http.client", "http.client.okhttp.OkHttpClient"},
		{"http.request.factory", "http.request.template.TemplateHttpRequestFactory"},
		{"http.request.template.factory", "http.request.template.freemarker.BackwardsCompatibleFreeMarkerTemplateFactory"},
		{"http.auth", "http.auth.ConfigurableHttpAuthenticator"},
		{"http.response.parser", "http.response.PolicyHttpResponseParser"},
		{"http.response.policy", "http.response.StatusCodeHttpResponsePolicy"},
		{"http.response.policy.parser", "http.response.KvHttpResponseParser"},
		{"http.response.record.parser", "http.response.jackson.JacksonKvRecordHttpResponseParser"},
		{"http.response.record.timestamp.parser", "http.response.timestamp.EpochMillisOrDelegateTimestampParser"},
		{"http.response.record.timestamp.parser.delegate", "http.response.timestamp.DateTimeFormatterTimestampParser"},
		{"http.record.sorter", "http.record.OrderDirectionSourceRecordSorter"},
		{"http.record.filter.factory", "http.record.OffsetRecordFilterFactory"},
	} {
		config.Class(d, &c.classes[i+3], k.key).Default(castormPackage + k.class).Check(config.Supported(castormPackage + k.class)).Doc("Class; only the default is supported.")
	}
}

// templateVariable is FreeMarker's ${...}.
var templateVariable = regexp.MustCompile(`\$\{([^}]*)\}`)

// offsetName returns the property of the offset that the templates use; "": none.
func (c *castorm) offsetName() (string, error) {
	name := ""
	for key, text := range map[string]string{"http.request.url": c.url, "http.request.params": c.params, "http.request.headers": c.headers, "http.request.body": c.body} {
		if strings.Contains(text, "<#") {
			return "", config.Errorf(key, "FreeMarker's directives are not supported")
		}
		for _, m := range templateVariable.FindAllStringSubmatch(text, -1) {
			v := strings.TrimPrefix(m[1], "offset.")
			if !plainName.MatchString(v) {
				return "", config.Errorf(key, "of FreeMarker only ${offset.NAME} is supported, found %q", m[0])
			}
			if name != "" && name != v {
				return "", config.Errorf(key, "templates with more than one property of the offset are not supported, found %q and %q", name, v)
			}
			name = v
		}
	}
	return name, nil
}

var plainName = regexp.MustCompile(`^\w+$`)

// Check says what no single key can say.
func (c *castorm) Check() error {
	if c.url == "" || c.topic == "" {
		return nil // said beside these keys
	}
	_, names, err := c.own()
	return renamed(err, names, "http.request.url")
}

// Probe asks as HttpSource does.
func (c *castorm) Probe(ctx context.Context) error {
	own, names, err := c.own()
	if err == nil {
		err = own.Probe(ctx)
	}
	return renamed(err, names, "http.request.url")
}

// castormNames tells which keys of castorm's stand behind HttpSource's.
func castormNames() map[string]string {
	return map[string]string{"http.url": "http.request.url", "path": "http.request.url", "request.body": "http.request.body", "request.method": "http.request.method",
		"records.path": "http.response.list.pointer", "record.key.path": "http.response.record.key.pointer", "record.timestamp.path": "http.response.record.timestamp.pointer",
		"record.offset.path": "http.response.record.offset.pointer", "skip.codes": "http.response.policy.codes.skip", "auth.type": "http.auth.type", "auth.user": "http.auth.user", "auth.password": "http.auth.password",
		"http.proxy.url": "http.client.proxy.host", "since.initial": "http.offset.initial", "pagination.start": "http.offset.initial", "response.format": "http.response.record.parser"}
}

// own translates; names tells what the keys were.
func (c *castorm) own() (own Config, names map[string]string, err error) {
	names = castormNames()
	name, err := c.offsetName()
	if err != nil {
		return own, names, err
	}
	base, path, err := splitURL(c.url)
	if err != nil {
		return own, names, config.Errorf("http.request.url", "%w", err)
	}
	interval, catchUp := c.pauses()
	p := config.Props{"http.url": base, "topic": c.topic, "request.method": strings.ToUpper(c.method),
		"poll.interval.ms": millis(interval), "catchup.interval.ms": millis(catchUp), "http.connect.timeout.ms": millis(c.connectTimeout), "http.request.timeout.ms": millis(c.readTimeout),
		"value.form": string(Wrapped), "skip.codes": strings.ReplaceAll(c.skip, "..", "-"), "validate.requests": strconv.FormatBool(c.validate)}
	byTime := name == "timestamp" && !strings.Contains(c.offset, "timestamp=")
	variable := "$${cursor}"
	if byTime {
		variable = "$${since}"
	}
	template := func(text string) string { return templateVariable.ReplaceAllString(text, variable) }
	p["path"], p["request.body"] = template(path), template(c.body)
	if strings.HasSuffix(c.mapper, "StringKvSourceRecordMapper") {
		p["value.form"] = string(StringForm)
	}
	if c.list != "/" {
		p["records.path"] = c.list
	}
	p["record.key.path"], p["record.timestamp.path"] = c.key, c.timestamp
	set := func(own, v, key string) { p[own], names[own] = v, key }
	const comma = "\x00" // an escaped one, which divides nothing
	headers := strings.ReplaceAll(template(c.headers), `\,`, comma)
	if err := errors.Join(
		distinct("http.request.headers", headers, ",", ":", func(k, v string) { set("request.header."+k, strings.ReplaceAll(v, comma, ","), "http.request.headers") }),
		distinct("http.request.params", template(c.params), "&", "=", func(k, v string) { set("request.param."+k, v, "http.request.params") }),
		c.setOffset(p, name, byTime),
	); err != nil {
		return own, names, err
	}
	if c.authType == "BASIC" {
		p["auth.type"], p["auth.user"] = "basic", c.user
	}
	if c.proxyHost != "" {
		p["http.proxy.url"], p["http.proxy.user"] = fmt.Sprintf("http://%s:%d", c.proxyHost, c.proxyPort), c.proxyUser
	}
	if err := config.Decode(p, &own); err != nil {
		return own, names, err
	}
	own.Client.Auth.Password, own.Client.ProxyPassword = c.password, c.proxyPassword
	return own, names, nil
}

func named(key string, err error) error {
	if err == nil {
		return nil
	}
	return config.Errorf(key, "%w", err)
}

// setOffset has the next request go on from the last record, if requests depend on it; those that come again are left out.
func (c *castorm) setOffset(p config.Props, name string, byTime bool) error {
	if name == "" {
		return nil
	}
	if byTime { // the newest timestamp, in ISO 8601
		if c.timestamp == "" {
			return config.Errorf("http.response.record.timestamp.pointer", "is needed where templates have ${offset.timestamp}")
		}
		p["pagination"] = string(Timestamp)
		return named("http.offset.initial", pairs(c.initial, ",", "=", func(k, v string) {
			if k == name {
				p["since.initial"] = v
			}
		}))
	}
	paths := map[string]string{"key": c.key, "timestamp": c.timestamp}
	if err := pairs(c.offset, ",", "=", func(k, v string) { paths[k] = v }); err != nil {
		return config.Errorf("http.response.record.offset.pointer", "%w", err)
	}
	if paths[name] == "" {
		return config.Errorf("http.response.record.offset.pointer", "has no pointer to %q, which the templates use", name)
	}
	p["pagination"], p["record.offset.path"], p["dedup.window.records"] = string(Record), paths[name], "1000"
	return named("http.offset.initial", pairs(c.initial, ",", "=", func(k, v string) {
		if k == name {
			p["pagination.start"] = v
		}
	}))
}
