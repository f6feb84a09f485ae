package http

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
)

func confluentV1Plugin() connect.Plugin {
	return connect.Source(connect.Info{
		Class: "HttpSourceV1", Version: "1.0.0", Doc: "HttpSource with the keys of Confluent's first HTTP source.",
		StandsFor: []connect.JavaClass{{Class: confluentPackage + "HttpSourceConnector", Task: confluentPackage + "HttpSourceTask"}},
	}, func(c confluentV1) (*connector, error) {
		own, _, err := c.own()
		return &connector{cfg: own}, err
	}, func(c Config) (*task, error) { return newTask(c, nil) })
}

// confluentV1 has the keys of Confluent's first HTTP source, as far as its public documentation goes.
type confluentV1 struct {
	confluentRequest
	url, topic string
	entities   []string
	client     confluentClient
	mode2      string
	validate   bool
	ignored    ignored
	license    config.Props
}

// Describe declares the keys.
func (c *confluentV1) Describe(d *config.Def) {
	config.String(d, &c.url, "url").Importance(config.High).Check(config.NonEmpty()).Doc("URL, a template with ${offset} and ${entityName}.")
	config.String(d, &c.topic, "topic.name.pattern").Importance(config.High).Check(config.NonEmpty()).Doc("Topic of the records, a template with ${entityName}.")
	config.List(d, &c.entities, "entity.names").Default(nil).Check(config.Distinct()).Importance(config.High).Doc("Names that stand for ${entityName}, each read on its own; they are spread over the tasks.")
	c.describe(d, []string{"SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION"}, 15*time.Second, 10)
	c.client.describe(d, []string{"NONE", "BASIC", "BEARER", "OAUTH2"}, []string{"header", "url"})
	config.EnumFold(d, &c.mode2, "oauth2.client.mode", "", "header", "url").Default("").Doc("oauth2.client.auth.mode, as Confluent Cloud has it.")
	config.Bool(d, &c.ignored.flag, "use.http.offset.json.pointer.as.string").Default(true).Ignored("offsets are text here; requests are the same").Doc("Whether offsets are text.")
	for _, key := range []string{"https.ssl.keymanager.algorithm", "https.ssl.trustmanager.algorithm", "https.ssl.secure.random.implementation"} {
		config.String(d, &c.ignored.text, key).Default("").Ignored("it is of Java's TLS").Doc("Of Java's TLS.")
	}
	config.Password(d, &c.ignored.secret, "confluent.license").Optional().Ignored("there is no license").Doc("License of Confluent's.")
	for _, key := range []string{"confluent.topic", "confluent.topic.bootstrap.servers", "confluent.topic.replication.factor"} {
		config.String(d, &c.ignored.text, key).Default("").Ignored("there is no license").Doc("Where the license is.")
	}
	config.Map(d, &c.license, "confluent.topic.", "How the license's topic is reached. Has no effect: there is no license.")
	c.ignored.describeCloud(d)
	config.Bool(d, &c.validate, "validate.requests").Default(true).Doc("Whether validation sends a request. Not a key of Confluent's.")
}

// Check says what no single key can say.
func (c *confluentV1) Check() error {
	if err := c.check(""); err != nil || c.url == "" || c.topic == "" {
		return err
	}
	_, names, err := c.own()
	return renamed(err, names, "url")
}

// Probe asks as HttpSource does.
func (c *confluentV1) Probe(ctx context.Context) error {
	own, names, err := c.own()
	if err == nil {
		err = own.Probe(ctx)
	}
	return renamed(err, names, "url")
}

// own translates; names tells what the keys were.
func (c *confluentV1) own() (own Config, names map[string]string, err error) {
	names = map[string]string{"http.url": "url", "topic": "topic.name.pattern"}
	base, path, err := splitURL(c.url)
	if err != nil {
		return own, names, config.Errorf("url", "%w", err)
	}
	r := c.confluentRequest
	entity := strings.NewReplacer("${entityName}", "${endpoint}")
	path, r.params, r.body, r.headers = entity.Replace(path), entity.Replace(r.params), entity.Replace(r.body), entity.Replace(r.headers)
	p := config.Props{"http.url": base, "topic": entity.Replace(c.topic), "validate.requests": strconv.FormatBool(c.validate), "endpoints": strings.Join(c.entities, ",")}
	client := c.client
	if c.mode2 != "" {
		client.at = c.mode2
	}
	client.translate(p, names)
	r.retry(p, names, "")
	if err := r.pages(p, names, "", path, "", "url"); err != nil {
		return own, names, err
	}
	for own, anchor := range names {
		for _, e := range c.entities {
			names["endpoint."+e+"."+own] = anchor
		}
	}
	if len(c.entities) == 0 && strings.Contains(c.url+c.topic+c.params+c.body, "${entityName}") {
		return own, names, config.Errorf("entity.names", "is needed where templates have ${entityName}")
	}
	if err := config.Decode(p, &own); err != nil {
		return own, names, err
	}
	client.own(&own)
	own.base.Sensitive, own.base.SensitiveSeparator = c.sensitive, c.headerSeparator
	for _, e := range own.named {
		e.Sensitive, e.SensitiveSeparator = c.sensitive, c.headerSeparator
	}
	return own, names, errors.Join(own.Check(), own.Client.Check())
}

// splitURL takes a template of a URL apart: what is before the path is none.
func splitURL(text string) (base, path string, err error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return "", "", errors.New("must be a URL that begins with http:// or https://, with a host")
	}
	host := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = rest[:i]
	}
	if strings.Contains(scheme+host, "${") {
		return "", "", errors.New("only path and query can be templates")
	}
	base = scheme + "://" + host
	if u, err := url.Parse(base); err != nil {
		return "", "", errors.New("must be a URL that begins with http:// or https://, with a host")
	} else if err := checkURL(u.String()); err != nil {
		return "", "", err
	}
	return base, strings.TrimPrefix(text, base), nil
}
