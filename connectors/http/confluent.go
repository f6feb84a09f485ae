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

// Plugins returns the HTTP source under its own name, and under those of Confluent's HTTP source V2 and of castorm's connector, with their keys.
func Plugins() []connect.Plugin {
	return []connect.Plugin{Plugin(), confluentPlugin(), castormPlugin()}
}

func confluentPlugin() connect.Plugin {
	return connect.Source(connect.Info{
		Class: "HttpSourceV2", Version: "1.0.0", Doc: "HttpSource with the keys of Confluent's HTTP source V2.",
		StandsFor: []connect.JavaClass{
			{Class: "io.confluent.connect.http.source.GenericHttpSourceConnector", Task: "io.confluent.connect.http.source.GenericHttpSourceTask"},
		},
	}, func(c confluent) (*connector, error) {
		own, err := c.own()
		return &connector{cfg: own}, err
	}, func(c Config) (*task, error) { return newTask(c, nil) })
}

// confluent has the keys of Confluent's HTTP source V2, as far as its public documentation goes.
type confluent struct {
	url, authType, user, onError        string
	tokenURL, clientID, scope, clientAt string
	keyName, keyAt, tokenProperty       string
	password, bearer, clientSecret, key config.Secret
	openAPI, output                     string
	number                              int
	apis                                []*confluentAPI
	validate                            bool
}

// confluentAPI has the keys below apiN.
type confluentAPI struct {
	path, topic, method, headers, separator, params, paramSeparator, body string
	mode, initial, offset, next, records, timestamp, policy, codes        string
	interval, backoff, connectTimeout, requestTimeout                     time.Duration
	retries                                                               int
}

// Describe declares the keys.
func (c *confluent) Describe(d *config.Def) {
	config.String(d, &c.url, "http.api.base.url").Importance(config.High).Check(config.CheckFunc("http and https URLs", checkURL)).Doc("URL of the server.")
	config.Int(d, &c.number, "apis.num").Default(1).Check(config.Between(1, 15)).Doc("Number of APIs.")
	config.EnumFold(d, &c.authType, "auth.type", "NONE", "BASIC", "BEARER", "OAUTH2", "API_KEY").Default("NONE").Doc("How requests are authenticated.")
	config.String(d, &c.user, "connection.user").Default("").Doc("User of BASIC.")
	config.Password(d, &c.password, "connection.password").Optional().Doc("Password of BASIC.")
	config.Password(d, &c.bearer, "bearer.token").Optional().Doc("Token of BEARER.")
	config.String(d, &c.tokenURL, "oauth2.token.url").Default("").Doc("URL of the token endpoint.")
	config.String(d, &c.clientID, "oauth2.client.id").Default("").Doc("Id of the client.")
	config.Password(d, &c.clientSecret, "oauth2.client.secret").Optional().Doc("Secret of the client.")
	config.String(d, &c.scope, "oauth2.client.scope").Default("").Doc("Scopes, separated by blanks.")
	config.EnumFold(d, &c.clientAt, "oauth2.client.auth.mode", "header", "url").Default("header").Doc("Where id and secret of the client are sent; url: in the form.")
	config.String(d, &c.tokenProperty, "oauth2.token.property").Default("access_token").Check(only("access_token")).Doc("Name of the token in the answer.")
	config.String(d, &c.keyName, "api.key.name").Default("X-API-Key").Doc("Header or parameter of API_KEY.")
	config.Password(d, &c.key, "api.key.value").Optional().Doc("Key of API_KEY.")
	config.EnumFold(d, &c.keyAt, "api.key.location", "HEADER", "QUERY").Default("HEADER").Doc("Where the key is sent.")
	config.EnumFold(d, &c.onError, "behavior.on.error", "FAIL", "IGNORE").Default("FAIL").Doc("What happens to responses that are errors and records that cannot be read. IGNORE skips them and goes on.")
	config.String(d, &c.openAPI, "openapi.spec").Default("").Ignored("paths and methods are those of the apiN keys").Doc("OpenAPI specification.")
	config.String(d, &c.output, "output.data.format").Default("").Ignored("value.converter decides").Doc("Format in Kafka.")
	config.Bool(d, &c.validate, "validate.requests").Default(true).Doc("Whether validation sends a request for each API. Not a key of Confluent's.")
	d.Dynamic(func(d *config.Def) {
		for i := range c.number {
			if len(c.apis) <= i {
				c.apis = append(c.apis, new(confluentAPI))
			}
			d.Prefix(fmt.Sprintf("api%d.", i+1), c.apis[i])
		}
	})
}

// only refuses what would be ignored otherwise.
func only(allowed ...string) config.Check[string] {
	return config.CheckFunc("only "+strings.Join(allowed, ", "), func(text string) error {
		for _, a := range allowed {
			if strings.EqualFold(a, text) {
				return nil
			}
		}
		return fmt.Errorf("is not supported; want %s", strings.Join(allowed, " or "))
	})
}

// Describe declares the keys.
func (a *confluentAPI) Describe(d *config.Def) {
	config.String(d, &a.path, "http.api.path").Default("").Importance(config.High).Doc("Path, a template with ${offset}.")
	config.String(d, &a.topic, "topics").Importance(config.High).Check(config.NonEmpty()).Doc("Topic of the records.")
	config.EnumFold(d, &a.method, "http.request.method", "GET", "POST").Default("GET").Doc("Method.")
	config.String(d, &a.headers, "http.request.headers").Default("").Doc("Headers, Name: Value, separated by the separator.")
	config.Text(d, &a.separator, "http.request.headers.separator").Default("|").Doc("Separator of headers.")
	config.String(d, &a.params, "http.request.parameters").Default("").Doc("Parameters, name=value, separated by the separator.")
	config.Text(d, &a.paramSeparator, "http.request.parameters.separator").Default("&").Doc("Separator of parameters.")
	config.Text(d, &a.body, "http.request.body").Default("").Doc("Body, a template with ${offset}.")
	config.EnumFold(d, &a.mode, "http.offset.mode", "SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION", "SNAPSHOT_PAGINATION", "TIMESTAMP_PAGINATION").Default("SIMPLE_INCREMENTING").
		Check(only("SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION", "TIMESTAMP_PAGINATION")).Doc("How the offset moves.")
	config.String(d, &a.initial, "http.initial.offset").Default("").Doc("First offset.")
	config.String(d, &a.offset, "http.offset.json.pointer").Default("").Check(pathCheck()).Doc("JSON pointer to the offset in a record (CHAINING).")
	config.String(d, &a.next, "http.next.page.json.pointer").Default("").Check(pathCheck()).Doc("JSON pointer to the next offset in the response (CURSOR_PAGINATION).")
	config.String(d, &a.records, "http.response.data.json.pointer").Default("").Check(pathCheck()).Doc("JSON pointer to the records.")
	config.String(d, &a.timestamp, "http.timestamp.json.pointer").Default("").Check(pathCheck()).Doc("JSON pointer to the timestamp in a record (TIMESTAMP_PAGINATION).")
	config.Millis(d, &a.interval, "request.interval.ms").Default(15 * time.Second).Check(config.AtLeast(time.Duration(0))).Doc("Pause between requests.")
	config.Int(d, &a.retries, "max.retries").Default(5).Check(config.AtLeast(0)).Doc("Retries of a request.")
	config.Millis(d, &a.backoff, "retry.backoff.ms").Default(3 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("First pause between retries.")
	config.EnumFold(d, &a.policy, "retry.backoff.policy", "EXPONENTIAL_WITH_JITTER", "CONSTANT_VALUE").Default("EXPONENTIAL_WITH_JITTER").Doc("CONSTANT_VALUE: pauses do not grow.")
	config.String(d, &a.codes, "retry.on.status.codes").Default("400-").Doc("Status codes that are tried again: numbers and ranges, the end of which may be left out.")
	config.Millis(d, &a.connectTimeout, "http.connect.timeout.ms").Default(30 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a connection.")
	config.Millis(d, &a.requestTimeout, "http.request.timeout.ms").Default(30 * time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Time for a request.")
}

// Check says what no single key can say.
func (c *confluent) Check() error {
	var errs []error
	for i, a := range c.apis[:min(c.number, len(c.apis))] {
		need := func(key, value, mode string) {
			if a.mode == mode && value == "" {
				errs = append(errs, config.Errorf(fmt.Sprintf("api%d.%s", i+1, key), "is needed for http.offset.mode=%s", mode))
			}
		}
		need("http.offset.json.pointer", a.offset, "CHAINING")
		need("http.next.page.json.pointer", a.next, "CURSOR_PAGINATION")
		need("http.timestamp.json.pointer", a.timestamp, "TIMESTAMP_PAGINATION")
		if i > 0 && a.client() != c.apis[0].client() {
			errs = append(errs, config.Errorf(fmt.Sprintf("api%d.max.retries", i+1), "retries and time-outs must be those of api1: they are the connector's here"))
		}
	}
	if len(errs) == 0 && c.url != "" {
		if _, err := c.own(); err != nil {
			errs = append(errs, config.Errorf("apis.num", "%w", err))
		}
	}
	return errors.Join(errs...)
}

// client is what the APIs have in common here.
func (a *confluentAPI) client() string {
	return fmt.Sprint(a.retries, a.backoff, a.policy, a.codes, a.connectTimeout, a.requestTimeout)
}

// Probe asks as HttpSource does; keys of that stand in the text.
func (c *confluent) Probe(ctx context.Context) error {
	return probeOwn(ctx, "http.api.base.url", c.own)
}

// probeOwn probes a translated configuration. What is wrong is said beside the anchor's key for the URL, for keys have other names there.
func probeOwn(ctx context.Context, key string, own func() (Config, error)) error {
	c, err := own()
	if err == nil {
		err = c.Probe(ctx)
	}
	if err != nil {
		return config.Errorf(key, "%w", err)
	}
	return nil
}

// own translates.
func (c *confluent) own() (Config, error) {
	p := config.Props{"http.url": c.url, "topic": "-", "validate.requests": strconv.FormatBool(c.validate)}
	c.auth(p)
	var names []string
	for i, a := range c.apis[:min(c.number, len(c.apis))] {
		name := fmt.Sprintf("api%d", i+1)
		names = append(names, name)
		if i == 0 {
			a.common(p)
		}
		if err := a.translate(p, "endpoint."+name+"."); err != nil {
			return Config{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	p["endpoints"] = strings.Join(names, ",")
	if c.onError == "IGNORE" {
		p["errors.mode"] = modeSkip
		p["skip.codes"] = "400-599"
	}
	var own Config
	if err := config.Decode(p, &own); err != nil {
		return own, err
	}
	own.Client.Auth.Password, own.Client.Auth.Token, own.Client.Auth.OAuth2.Secret, own.Client.Auth.Key = c.password, c.bearer, c.clientSecret, c.key
	return own, nil
}

// auth translates, save for the secrets, which keep the text that they came from.
func (c *confluent) auth(p config.Props) {
	switch c.authType {
	case "BASIC":
		p["auth.type"], p["auth.user"] = "basic", c.user
	case "BEARER":
		p["auth.type"], p["auth.token"] = "bearer", "-"
	case "API_KEY":
		p["auth.type"], p["auth.api.key"], p["auth.api.key.name"], p["auth.api.key.in"] = "api_key", "-", c.keyName, strings.ToLower(c.keyAt)
	case "OAUTH2":
		p["auth.type"], p["auth.oauth2.token.url"], p["auth.oauth2.client.id"] = "oauth2", c.tokenURL, c.clientID
		p["auth.oauth2.scopes"] = strings.Join(strings.Fields(c.scope), ",")
		p["auth.oauth2.client.in.body"] = strconv.FormatBool(c.clientAt == "url")
	}
}

func (a *confluentAPI) common(p config.Props) {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	p["retry.max.attempts"], p["retry.backoff.ms"], p["retry.backoff.max.ms"] = strconv.Itoa(a.retries+1), ms(a.backoff), ms(max(a.backoff, 5*time.Minute))
	if a.policy == "CONSTANT_VALUE" {
		p["retry.backoff.max.ms"] = ms(a.backoff)
	}
	p["http.connect.timeout.ms"], p["http.request.timeout.ms"] = ms(a.connectTimeout), ms(a.requestTimeout)
	var codes []string
	for code := range strings.SplitSeq(a.codes, ",") {
		if code = strings.TrimSpace(code); strings.HasSuffix(code, "-") {
			code += "599"
		}
		codes = append(codes, code)
	}
	p["retry.codes"] = strings.Join(codes, ",")
}

func (a *confluentAPI) translate(p config.Props, prefix string) error {
	set := func(key, value string) {
		if value != "" {
			p[prefix+key] = value
		}
	}
	set("topic", a.topic)
	set("path", a.path)
	set("request.method", a.method)
	set("request.body", a.body)
	set("records.path", a.records)
	set("record.timestamp.path", a.timestamp)
	set("pagination.start", a.initial)
	set("after.end", endContinue)
	interval := strconv.FormatInt(a.interval.Milliseconds(), 10)
	set("poll.interval.ms", interval)
	set("catchup.interval.ms", interval)
	switch a.mode {
	case "SIMPLE_INCREMENTING":
		set("pagination", string(Offset))
	case "CHAINING":
		set("pagination", string(Record))
		set("record.offset.path", a.offset)
	case "CURSOR_PAGINATION":
		set("pagination", string(Cursor))
		set("pagination.path", a.next)
	case "TIMESTAMP_PAGINATION":
		set("pagination", string(Record))
		set("record.offset.path", a.timestamp)
		set("dedup.window.records", "1000")
	}
	if err := pairs(a.headers, a.separator, ":", func(k, v string) { p[prefix+"request.header."+k] = v }); err != nil {
		return fmt.Errorf("http.request.headers: %w", err)
	}
	if err := pairs(a.params, a.paramSeparator, "=", func(k, v string) { p[prefix+"request.param."+k] = v }); err != nil {
		return fmt.Errorf("http.request.parameters: %w", err)
	}
	return nil
}

// pairs reads lists such as a=b&c=d.
func pairs(text, separator, equals string, take func(key, value string)) error {
	for part := range strings.SplitSeq(text, separator) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		key, value, ok := strings.Cut(part, equals)
		if key = strings.TrimSpace(key); !ok || key == "" {
			return fmt.Errorf("%q: want name%svalue", part, equals)
		}
		take(key, strings.TrimSpace(value))
	}
	return nil
}
