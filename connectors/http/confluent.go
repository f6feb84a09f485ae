package http

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

// Plugins returns the HTTP source under its own name, and under those of Confluent's two HTTP sources and of castorm's connector, with their keys.
func Plugins() []connect.Plugin {
	return []connect.Plugin{Plugin(), confluentPlugin(), confluentV1Plugin(), castormPlugin()}
}

const confluentPackage = "io.confluent.connect.http."

func confluentPlugin() connect.Plugin {
	return connect.Source(connect.Info{
		Class: "HttpSourceV2", Version: "1.0.0", Doc: "HttpSource with the keys of Confluent's HTTP source V2.",
		StandsFor: []connect.JavaClass{{Class: confluentPackage + "source.GenericHttpSourceConnector", Task: confluentPackage + "source.GenericHttpSourceTask"}},
	}, func(c confluent) (*connector, error) {
		own, _, err := c.own()
		return &connector{cfg: own}, err
	}, func(c Config) (*task, error) { return newTask(c, nil) })
}

// confluent has the keys of Confluent's HTTP source V2, as far as its public documentation goes.
type confluent struct {
	url, onError, letters string
	number                int
	apis                  []*confluentAPI
	client                confluentClient
	validate              bool
	ignored               ignored
}

// ignored is where the values of keys go that have no effect.
type ignored struct {
	text   string
	flag   bool
	secret config.Secret
}

// confluentAPI has the keys below apiN.
type confluentAPI struct {
	confluentRequest
	path, topic                    string
	pathParams, pathParamSeparator string
	enforce                        string
	ignored                        ignored
}

// Describe declares the keys.
func (c *confluent) Describe(d *config.Def) {
	config.String(d, &c.url, "http.api.base.url").Importance(config.High).Check(config.CheckFunc("http and https URLs", checkURL)).Doc("URL of the server.")
	config.Int(d, &c.number, "apis.num").Default(1).Check(config.Between(1, 15)).Importance(config.High).Doc("Number of APIs.")
	config.EnumFold(d, &c.onError, "behavior.on.error", "FAIL", "IGNORE").Default("FAIL").
		Doc("What happens to responses that are errors, after the retries, and to records that cannot be read. IGNORE skips them and goes on.")
	config.String(d, &c.letters, "reporter.error.topic.name").Default("").Doc("Topic that gets, as dead letters, what IGNORE skips; absent: nothing does.")
	c.client.describe(d, []string{"NONE", "BASIC", "BEARER", "OAUTH2", "API_KEY"}, []string{"header", "url", "request_body"})
	c.client.describeMore(d)
	refuseText(d, &c.ignored.text, "api.chaining.parent.child.relationship", "APIs that are asked for each record of another are not supported")
	refuseTrue(d, &c.ignored.flag, "csfle.enabled", "encryption of fields is not supported")
	c.ignored.describeCloud(d)
	for _, key := range []string{"report.errors.as", "reporter.bootstrap.servers", "reporter.error.topic.replication.factor", "reporter.result.topic.name", "reporter.result.topic.replication.factor", "reporter.result.topic.value.format"} {
		config.String(d, &c.ignored.text, key).Default("").Ignored("dead letters have the text of the response, by the worker's producer; results are not reported").Doc("Of the reporter.")
	}
	config.Bool(d, &c.validate, "validate.requests").Default(true).Doc("Whether validation sends a request for each API. Not a key of Confluent's.")
	d.Pattern("api<n>.", new(confluentAPI))
	d.Dynamic(func(d *config.Def) {
		for i := range c.number {
			if len(c.apis) <= i {
				c.apis = append(c.apis, new(confluentAPI))
			}
			d.Prefix(fmt.Sprintf("api%d.", i+1), c.apis[i])
		}
	})
}

// describeCloud declares what Confluent Cloud's configurations have for Kafka, the registry and the network around them.
func (i *ignored) describeCloud(d *config.Def) {
	config.String(d, &i.text, "output.data.format").Default("").Ignored("set value.converter, which decides the format").Doc("Format in Kafka.")
	for _, key := range []string{"kafka.auth.mode", "kafka.api.key", "kafka.service.account.id", "sr.service.account.id", "schema.context.name", "datapreview.schemas.enable"} {
		config.String(d, &i.text, key).Default("").Ignored("the worker says how Kafka and the registry are reached").Doc("Of Confluent Cloud.")
	}
	config.Password(d, &i.secret, "kafka.api.secret").Optional().Ignored("the worker says how Kafka is reached").Doc("Of Confluent Cloud.")
	for _, key := range []string{"connection.disallow.local.ips", "connection.disallow.private.ips", "connection.disallow.class.e.ips", "connection.disallow.cidr.ranges", "connection.allow.cidr.ranges"} {
		config.String(d, &i.text, key).Default("").Ignored("the network decides what may be reached").Doc("Of Confluent Cloud.")
	}
}

// Describe declares the keys.
func (a *confluentAPI) Describe(d *config.Def) {
	config.String(d, &a.path, "http.api.path").Default("").Importance(config.High).Doc("Path, a template with ${offset}.")
	config.String(d, &a.topic, "topics").Importance(config.High).Check(config.NonEmpty()).Doc("Topic of the records.")
	a.describe(d, []string{"SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION", "SNAPSHOT_PAGINATION"}, time.Minute, 5)
	config.String(d, &a.pathParams, "http.path.parameters").Default("").Doc("Parameters of the path, name:value, separated by the separator: {name} in the path is replaced.")
	config.Text(d, &a.pathParamSeparator, "http.path.parameters.separator").Default("|").Check(config.NonEmpty()).Doc("Separator of the parameters of the path.")
	config.EnumFold(d, &a.policy, "retry.backoff.policy", "EXPONENTIAL_WITH_JITTER", "CONSTANT_VALUE").Default("EXPONENTIAL_WITH_JITTER").Doc("CONSTANT_VALUE: pauses do not grow.")
	config.Millis(d, &a.connect, "http.connect.timeout.ms").Default(30 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a connection.")
	config.Millis(d, &a.request, "http.request.timeout.ms").Default(30 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a request.")
	refuseText(d, &a.ignored.text, "http.response.schema", "the schema is that of what is found: take it out")
	config.EnumFold(d, &a.enforce, "http.response.schema.enforce", "NONE", "STRICT").Default("NONE").Check(config.Supported("NONE")).Doc("Only NONE: there is no OpenAPI schema to enforce.")
	const windows = "time windows are not supported"
	refuseTrue(d, &a.ignored.flag, "enable.cursor.pagination.with.timestamp.mode", windows)
	refuseTrue(d, &a.ignored.flag, "chaining.with.timestamp.mode", windows)
	refuseText(d, &a.ignored.text, "http.offset.json.primary.key.pointer", "${primary_key} is not supported")
	for _, key := range []string{"http.timestamp.json.pointer", "initial.start.timestamp.value", "initial.end.timestamp.value", "timestamp.format", "timestamp.interval.format", "http.timestamp.interval", "time.range.request.delay",
		"http.cursor.pagination.parameter.name", "http.chaining.pagination.parameter.name", "chaining.with.timestamp.mode.record.ordering"} {
		config.String(d, &a.ignored.text, key).Default("").Ignored("it is of the modes with timestamps, which are off").Doc("Of modes with timestamps.")
	}
	config.String(d, &a.ignored.text, "is.next.page.token.absolute.url").Default("").Ignored("the templates decide what the next page's token is").Doc("Of modes with timestamps.")
	config.String(d, &a.ignored.text, "test.api").Default("").Ignored("validate.requests decides").Doc("Whether the API is tried.")
}

// Check says what no single key can say.
func (c *confluent) Check() error {
	var errs []error
	apis := c.apis[:min(c.number, len(c.apis))]
	for i, a := range apis {
		errs = append(errs, a.check(fmt.Sprintf("api%d.", i+1)))
		if key := a.differs(&apis[0].confluentRequest); key != "" {
			errs = append(errs, config.Errorf(fmt.Sprintf("api%d.%s", i+1, key), "must be that of api1: retries and time-outs are the connector's here"))
		}
	}
	if errors.Join(errs...) == nil && c.url != "" {
		_, names, err := c.own()
		return renamed(err, names, "http.api.base.url")
	}
	return errors.Join(errs...)
}

// differs names the key of what the APIs have in common here that is another's; "": none.
func (a *confluentRequest) differs(b *confluentRequest) string {
	switch {
	case a.retries != b.retries:
		return "max.retries"
	case a.backoff != b.backoff:
		return "retry.backoff.ms"
	case a.policy != b.policy:
		return "retry.backoff.policy"
	case a.codes != b.codes:
		return "retry.on.status.codes"
	case a.connect != b.connect:
		return "http.connect.timeout.ms"
	case a.request != b.request:
		return "http.request.timeout.ms"
	}
	return ""
}

// Probe asks as HttpSource does.
func (c *confluent) Probe(ctx context.Context) error {
	own, names, err := c.own()
	if err == nil {
		err = own.Probe(ctx)
	}
	return renamed(err, names, "http.api.base.url")
}

// own translates; names tells what the keys were.
func (c *confluent) own() (own Config, names map[string]string, err error) {
	p := config.Props{"http.url": c.url, "topic": "-", "validate.requests": strconv.FormatBool(c.validate)}
	names = map[string]string{"http.url": "http.api.base.url"}
	c.client.translate(p, names)
	if c.onError == "IGNORE" {
		p["errors.mode"], p["skip.codes"] = modeSkip, "400-599"
		if c.letters != "" {
			p["errors.mode"], p["errors.topic"] = modeLetter, c.letters
		}
	}
	var list []string
	for i, a := range c.apis[:min(c.number, len(c.apis))] {
		name := fmt.Sprintf("api%d", i+1)
		list = append(list, name)
		if i == 0 {
			a.retry(p, names, name+".")
		}
		if err := a.translate(p, names, name); err != nil {
			return own, names, err
		}
	}
	p["endpoints"] = strings.Join(list, ",")
	if err := config.Decode(p, &own); err != nil {
		return own, names, err
	}
	c.client.own(&own)
	for i, name := range own.Endpoints {
		own.named[name].Sensitive, own.named[name].SensitiveSeparator = c.apis[i].sensitive, c.apis[i].headerSeparator
	}
	return own, names, errors.Join(own.Check(), own.Client.Check())
}

func (a *confluentAPI) translate(p config.Props, names map[string]string, name string) error {
	prefix := "endpoint." + name + "."
	p[prefix+"topic"], names[prefix+"topic"] = a.topic, name+".topics"
	path := a.path
	var missing error
	err := named(name+".http.path.parameters", pairs(a.pathParams, a.pathParamSeparator, ":", func(k, v string) {
		if !strings.Contains(path, "{"+k+"}") {
			missing = config.Errorf(name+".http.path.parameters", "there is no {%s} in http.api.path", k)
		}
		path = strings.ReplaceAll(path, "{"+k+"}", v)
	}))
	return errors.Join(err, missing, a.pages(p, names, prefix, path, name+".", "http.api.path"))
}
