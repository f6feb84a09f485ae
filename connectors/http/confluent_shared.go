package http

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/internal/javatls"
)

// confluentClient has the keys that Confluent's two HTTP sources share: credentials, TLS and the proxy.
type confluentClient struct {
	authType, user                                string
	flow, tokenURL, clientID, scope, at, property string
	headerSeparator, keyName, keyAt               string
	password, bearer, secret, refresh, headers    config.Secret
	key                                           config.Secret
	proxyHost, proxyUser                          string
	proxyPort                                     int
	proxyPassword                                 config.Secret
	tls                                           javatls.Settings
	ignored                                       struct {
		text   string
		secret config.Secret
		flag   bool
	}
}

// describe declares the keys; types are the ways to authenticate, places those of the client's id and secret.
func (c *confluentClient) describe(d *config.Def, types, places []string) {
	const group = "Authentication"
	config.EnumFold(d, &c.authType, "auth.type", types...).Default("NONE").Importance(config.High).Group(group, 1).Doc("How requests are authenticated.")
	config.String(d, &c.user, "connection.user").Default("").Group(group, 2).Doc("User of BASIC.")
	config.Password(d, &c.password, "connection.password").Optional().Group(group, 3).Doc("Password of BASIC.")
	config.Password(d, &c.bearer, "bearer.token").Optional().Group(group, 4).Doc("Token of BEARER.")
	config.String(d, &c.tokenURL, "oauth2.token.url").Default("").Group(group, 5).Doc("URL of the token endpoint.")
	config.String(d, &c.clientID, "oauth2.client.id").Default("").Group(group, 6).Doc("Id of the client.")
	config.Password(d, &c.secret, "oauth2.client.secret").Optional().Group(group, 7).Doc("Secret of the client.")
	config.String(d, &c.property, "oauth2.token.property").Default("access_token").Check(config.Supported("access_token")).Group(group, 8).Doc("Name of the token in the answer.")
	config.String(d, &c.scope, "oauth2.client.scope").Default("any").Group(group, 9).Doc("Scopes, separated by blanks.")
	config.EnumFold(d, &c.at, "oauth2.client.auth.mode", places...).Default("header").Group(group, 10).
		Doc("Where id and secret of the client are sent: header, by basic authentication; url and request_body, in the form.")
	const proxy = "Proxy"
	config.String(d, &c.proxyHost, "http.proxy.host").Default("").Group(proxy, 1).Doc("Host of the proxy.")
	config.Int(d, &c.proxyPort, "http.proxy.port").Default(0).Check(config.Between(0, 65535)).Group(proxy, 2).Doc("Port of the proxy.")
	config.String(d, &c.proxyUser, "http.proxy.user").Default("").Group(proxy, 3).Doc("User of the proxy.")
	config.Password(d, &c.proxyPassword, "http.proxy.password").Optional().Group(proxy, 4).Doc("Password of the proxy's user.")
	d.Prefix("https.", &c.tls)
	config.Bool(d, &c.ignored.flag, "https.ssl.enabled").Default(false).Ignored("https:// in the URL decides, https.ssl.enabled.protocols says which versions").Doc("Whether TLS 1.3 is forced.")
	config.String(d, &c.ignored.text, "https.ssl.protocol").Default("TLSv1.3").Ignored("https.ssl.enabled.protocols says which versions").Doc("Version of TLS.")
	for _, key := range []string{"https.ssl.keystorefile", "https.ssl.truststorefile"} {
		instead := strings.TrimSuffix(key, "file") + ".location"
		config.Password(d, &c.ignored.secret, key).Optional().Check(config.CheckFunc("absent: use "+instead, func(s config.Secret) error {
			if s.IsZero() {
				return nil
			}
			return fmt.Errorf("uploaded files are not supported: use %s", instead)
		})).Doc("Uploaded store, of Confluent Cloud.")
	}
}

// describeMore declares the keys to authenticate that HTTP source V2 alone has.
func (c *confluentClient) describeMore(d *config.Def) {
	const group = "Authentication"
	config.EnumFold(d, &c.flow, "oauth2.flow.type", "CLIENT_CREDENTIALS_FLOW", "CODE_GRANT_FLOW").Default("CLIENT_CREDENTIALS_FLOW").Group(group, 11).
		Doc("How tokens are got. CODE_GRANT_FLOW needs oauth2.refresh.token: nobody can be asked here.")
	config.Password(d, &c.refresh, "oauth2.refresh.token").Optional().Group(group, 12).Doc("Refresh token of CODE_GRANT_FLOW.")
	config.Password(d, &c.headers, "oauth2.client.headers").Optional().Group(group, 13).Doc("Headers of the token request: Name: Value, separated by the separator.")
	config.Text(d, &c.headerSeparator, "oauth2.client.header.separator").Default("|").Check(config.NonEmpty()).Group(group, 14).Doc("Separator of oauth2.client.headers.")
	config.String(d, &c.keyName, "api.key.name").Default("X-API-KEY").Check(config.NonEmpty()).Group(group, 15).Doc("Header or parameter of API_KEY.")
	config.Password(d, &c.key, "api.key.value").Optional().Group(group, 16).Doc("Key of API_KEY.")
	config.EnumFold(d, &c.keyAt, "api.key.location", "HEADER", "QUERY").Default("HEADER").Group(group, 17).Doc("Where the key is sent.")
	refuseTrue(d, &c.ignored.flag, "oauth2.jwt.enabled", "tokens got by signed assertions are not supported")
	for _, key := range []string{"oauth2.jwt.keystore.path", "oauth2.jwt.keystore.password"} {
		config.Password(d, &c.ignored.secret, key).Optional().Ignored("oauth2.jwt.enabled is false").Doc("Of signed assertions.")
	}
	for _, key := range []string{"oauth2.jwt.keystore.type", "oauth2.jwt.claimset"} {
		config.String(d, &c.ignored.text, key).Default("").Ignored("oauth2.jwt.enabled is false").Doc("Of signed assertions.")
	}
	config.Password(d, &c.ignored.secret, "gcp.credentials.json").Optional().Check(config.CheckFunc("absent", func(s config.Secret) error {
		if s.IsZero() {
			return nil
		}
		return errors.New("service accounts of Google Cloud are not supported")
	})).Doc("Service account of Google Cloud.")
	for _, key := range []string{"oauth2.auth.endpoint", "oauth2.query.params", "oauth2.auth.button", "oauth2.session.id", "oauth.config.map"} {
		config.String(d, &c.ignored.text, key).Default("").Ignored("it serves the browser that asks for the user's consent").Doc("Of CODE_GRANT_FLOW.")
	}
}

// translate makes HttpSource's keys, save for the secrets; own takes those over. names tells what the keys were.
func (c *confluentClient) translate(p config.Props, names map[string]string) {
	set := func(own, value, anchor string) { p[own], names[own] = value, anchor }
	maps.Copy(names, map[string]string{"auth.type": "auth.type", "auth.oauth2.headers": "oauth2.client.headers", "auth.password": "connection.password", "auth.oauth2.client.secret": "oauth2.client.secret",
		"http.ssl.keystore.location": "https.ssl.keystore.location", "http.ssl.truststore.location": "https.ssl.truststore.location"})
	switch c.authType {
	case "BASIC":
		set("auth.type", "basic", "auth.type")
		set("auth.user", c.user, "connection.user")
	case "BEARER":
		set("auth.type", "bearer", "auth.type")
		set("auth.token", standIn(c.bearer), "bearer.token")
	case "API_KEY":
		set("auth.type", "api_key", "auth.type")
		set("auth.api.key", standIn(c.key), "api.key.value")
		set("auth.api.key.name", c.keyName, "api.key.name")
		set("auth.api.key.in", strings.ToLower(c.keyAt), "api.key.location")
	case "OAUTH2":
		set("auth.type", "oauth2", "auth.type")
		set("auth.oauth2.token.url", c.tokenURL, "oauth2.token.url")
		set("auth.oauth2.client.id", c.clientID, "oauth2.client.id")
		set("auth.oauth2.scopes", strings.Join(strings.Fields(c.scope), ","), "oauth2.client.scope")
		set("auth.oauth2.client.in.body", strconv.FormatBool(c.at != "header"), "oauth2.client.auth.mode")
		if c.flow == "CODE_GRANT_FLOW" {
			set("auth.oauth2.grant", "refresh_token", "oauth2.flow.type")
			set("auth.oauth2.refresh.token", standIn(c.refresh), "oauth2.refresh.token")
		}
	}
	if c.proxyHost != "" {
		set("http.proxy.url", fmt.Sprintf("http://%s:%d", c.proxyHost, c.proxyPort), "http.proxy.host")
		set("http.proxy.user", c.proxyUser, "http.proxy.user")
	}
}

// standIn stands for a secret while keys are checked: the secret itself keeps the text that it came from.
func standIn(s config.Secret) string {
	if s.IsZero() {
		return ""
	}
	return "-"
}

// own hands secrets and TLS over.
func (c *confluentClient) own(to *Config) {
	a := &to.Client.Auth
	a.Password, a.Token, a.Key = c.password, c.bearer, c.key
	a.OAuth2.Secret, a.OAuth2.Headers = c.secret, c.headers
	if c.headerSeparator != "" {
		a.OAuth2.HeaderSeparator = c.headerSeparator
	}
	if a.OAuth2.Grant == "refresh_token" {
		a.OAuth2.RefreshToken = c.refresh
	}
	to.Client.ProxyPassword, to.Client.TLS = c.proxyPassword, c.tls
}

// A confluentRequest has the keys of what is asked for, and of retries.
type confluentRequest struct {
	codes, policy                string
	backoff, connect, request    time.Duration
	retries                      int
	headers, headerSeparator     string
	sensitive                    config.Secret
	params, paramSeparator, body string
	method, mode, initial        string
	offset, next, records        string
	interval                     time.Duration
}

// describe declares the keys that both sources have, HTTP source V2 for each API.
func (a *confluentRequest) describe(d *config.Def, modes []string, interval time.Duration, retries int) {
	config.EnumFold(d, &a.method, "http.request.method", "GET", "POST").Default("GET").Doc("Method.")
	config.String(d, &a.headers, "http.request.headers").Default("").Doc("Headers, Name: Value, separated by the separator.")
	config.Text(d, &a.headerSeparator, "http.request.headers.separator").Default("|").Check(config.NonEmpty()).Doc("Separator of headers.")
	config.Password(d, &a.sensitive, "http.request.sensitive.headers").Optional().Doc("Headers that are secret, as http.request.headers.")
	config.String(d, &a.params, "http.request.parameters").Default("").Doc("Parameters, name=value, separated by the separator. They are sent with GET.")
	config.Text(d, &a.paramSeparator, "http.request.parameters.separator").Default("&").Check(config.NonEmpty()).Doc("Separator of parameters.")
	config.Text(d, &a.body, "http.request.body").Default("").Doc("Body, a template with ${offset}. It is sent with POST.")
	config.EnumFold(d, &a.mode, "http.offset.mode", modes...).Default("SIMPLE_INCREMENTING").Check(config.Supported("SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION")).Importance(config.High).Doc("How the offset moves.")
	config.String(d, &a.initial, "http.initial.offset").Default("").Importance(config.High).Doc("First offset.")
	config.String(d, &a.offset, "http.offset.json.pointer").Default("").Check(pathCheck()).Importance(config.High).Doc("JSON pointer to the offset in a record (CHAINING).")
	config.String(d, &a.next, "http.next.page.json.pointer").Default("").Check(pathCheck()).Importance(config.High).Doc("JSON pointer to the next offset in the response (CURSOR_PAGINATION).")
	config.String(d, &a.records, "http.response.data.json.pointer").Default("").Check(pathCheck()).Importance(config.High).Doc("JSON pointer to the records.")
	config.Millis(d, &a.interval, "request.interval.ms").Default(interval).Check(config.AtLeast(time.Duration(0))).Importance(config.Medium).Doc("Pause between requests.")
	config.Int(d, &a.retries, "max.retries").Default(retries).Check(config.AtLeast(0)).Importance(config.Medium).Doc("Retries of a request.")
	config.Millis(d, &a.backoff, "retry.backoff.ms").Default(3 * time.Second).Check(config.AtLeast(time.Duration(0))).Importance(config.Medium).Doc("First pause between retries.")
	config.String(d, &a.codes, "retry.on.status.codes").Default("400-").Check(config.CheckFunc("status codes and ranges", checkCodes)).Importance(config.Medium).
		Doc("Status codes that are tried again: numbers and ranges, the end of which may be left out. 401, 408 and 429 always are.")
}

// ranges makes HttpSource's list of codes: the end of the last range may be left out here, and some codes are always tried again.
func ranges(text string) []string {
	codes := []string{"401", "408", "429"}
	for code := range strings.SplitSeq(text, ",") {
		if code = strings.TrimSpace(code); strings.HasSuffix(code, "-") {
			code += "599"
		}
		if code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}

func checkCodes(text string) error { return httpkit.CheckCodes(ranges(text)) }

// retry translates what is the connector's here.
func (a *confluentRequest) retry(p config.Props, names map[string]string, prefix string) {
	set := func(own, value, anchor string) { p[own], names[own] = value, prefix+anchor }
	backoff := max(a.backoff, time.Millisecond)
	set("retry.max.attempts", strconv.Itoa(a.retries+1), "max.retries")
	set("retry.backoff.ms", millis(backoff), "retry.backoff.ms")
	longest := max(backoff, 5*time.Minute)
	if a.policy == "CONSTANT_VALUE" {
		longest = backoff
	}
	set("retry.backoff.max.ms", millis(longest), "retry.backoff.ms")
	set("retry.timeout.ms", millis(time.Duration(a.retries+1)*(longest+a.request)), "max.retries")
	set("retry.codes", strings.Join(ranges(a.codes), ","), "retry.on.status.codes")
	if a.connect > 0 {
		set("http.connect.timeout.ms", millis(a.connect), "http.connect.timeout.ms")
		set("http.request.timeout.ms", millis(a.request), "http.request.timeout.ms")
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// check says what the mode needs.
func (a *confluentRequest) check(prefix string) error {
	need := func(key, value, mode string) error {
		if a.mode == mode && value == "" {
			return config.Errorf(prefix+key, "is needed for http.offset.mode=%s", mode)
		}
		return nil
	}
	var initial error
	if _, err := strconv.ParseInt(a.initial, 10, 64); a.mode == "SIMPLE_INCREMENTING" && a.initial != "" && err != nil {
		initial = config.Errorf(prefix+"http.initial.offset", "must be a whole number for http.offset.mode=%s", a.mode)
	}
	return errors.Join(need("http.offset.json.pointer", a.offset, "CHAINING"), need("http.next.page.json.pointer", a.next, "CURSOR_PAGINATION"), initial)
}

// pages translates what there is for each API or entity. path is a template; replace renames variables.
func (a *confluentRequest) pages(p config.Props, names map[string]string, prefix, path, anchor, at string) error {
	set := func(own, value, key string) {
		names[prefix+own] = anchor + key
		if value != "" {
			p[prefix+own] = value
		}
	}
	names[prefix+"response.format"] = anchor + at
	names[prefix+"request.sensitive.headers"] = anchor + "http.request.sensitive.headers"
	set("path", path, at)
	set("request.method", a.method, "http.request.method")
	set("records.path", a.records, "http.response.data.json.pointer")
	set("pagination.start", a.initial, "http.initial.offset")
	set("after.end", endContinue, "http.offset.mode")
	set("poll.interval.ms", millis(a.interval), "request.interval.ms")
	set("catchup.interval.ms", millis(a.interval), "request.interval.ms")
	err := distinct(anchor+"http.request.headers", a.headers, a.headerSeparator, ":", func(k, v string) { set("request.header."+k, v, "http.request.headers") })
	if a.method == "GET" {
		err = errors.Join(err, distinct(anchor+"http.request.parameters", a.params, a.paramSeparator, "=", func(k, v string) { set("request.param."+k, v, "http.request.parameters") }))
	} else {
		set("request.body", a.body, "http.request.body")
	}
	switch a.mode {
	case "SIMPLE_INCREMENTING":
		set("pagination", string(Offset), "http.offset.mode")
	case "CHAINING":
		set("pagination", string(Record), "http.offset.mode")
		set("record.offset.path", a.offset, "http.offset.json.pointer")
	case "CURSOR_PAGINATION":
		set("pagination", string(Cursor), "http.offset.mode")
		set("pagination.path", a.next, "http.next.page.json.pointer")
		a.urls(p, prefix, path)
	}
	return err
}

// urls has the next page be a URL, whole or not, where nothing else could be done with it: the path is ${offset}, or no template has it.
func (a *confluentRequest) urls(p config.Props, prefix, path string) {
	alone := strings.Trim(path, "/") == "${offset}"
	if !alone && strings.Contains(path+a.params+a.headers+a.body, "${offset}") {
		return
	}
	p[prefix+"pagination"] = string(NextURL)
	if alone {
		p[prefix+"path"] = a.initial
	}
	delete(p, prefix+"pagination.start")
}

// ownKeys are HttpSource's.
var ownKeys = sync.OnceValue(func() map[string]bool {
	keys := map[string]bool{}
	for _, k := range config.Keys(new(Config)) {
		keys[k.Name] = true
	}
	return keys
})

// renamed tells errors under the keys that the user wrote; those of HttpSource that come from none are put on otherwise.
func renamed(err error, names map[string]string, otherwise string) error {
	names = maps.Clone(names)
	keys, _ := config.KeyErrors(err)
	for _, k := range keys {
		if names[k.Key] == "" && (ownKeys()[k.Key] || strings.HasPrefix(k.Key, "endpoint.")) {
			names[k.Key] = otherwise
		}
	}
	return config.RenameErrors(err, names, otherwise)
}

// refuseTrue declares a flag that must be false, for what it asks for is not there.
func refuseTrue(d *config.Def, p *bool, key, why string) {
	config.Bool(d, p, key).Default(false).Check(config.CheckFunc("false", func(on bool) error {
		if on {
			return errors.New(why)
		}
		return nil
	})).Doc("Only false: " + why + ".")
}

// refuseText declares a key that must be empty, for what it asks for is not there.
func refuseText(d *config.Def, p *string, key, why string) {
	config.String(d, p, key).Default("").Check(config.CheckFunc("empty", func(text string) error {
		if text != "" {
			return errors.New(why)
		}
		return nil
	})).Doc("Only empty: " + why + ".")
}

// distinct reads pairs of which none may come twice: one of them would be lost. Errors stand beside the key.
func distinct(key, text, separator, equals string, take func(key, value string)) error {
	seen := map[string]bool{}
	var twice error
	err := pairs(text, separator, equals, func(k, v string) {
		if seen[k] {
			twice = config.Errorf(key, "%q comes twice, which is not supported", k)
		}
		seen[k] = true
		take(k, v)
	})
	return errors.Join(named(key, err), twice)
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
