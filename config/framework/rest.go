package framework

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/streamlane/connect/config"
)

// RESTConfig holds the keys of the REST server.
type RESTConfig struct {
	Listeners          []string
	AdvertisedHost     string // "": the listener's
	AdvertisedPort     int    // 0: the listener's
	AdvertisedListener string // http or https; "": http if there is such a listener
	AllowOrigin        string
	AllowMethods       string
	ResponseHeaders    string
	ClientAuth         string // required, requested or none
	// AdminListeners serve /admin if AdminListenersGiven; an empty list then
	// turns it off. Otherwise Listeners do.
	AdminListeners      []string
	AdminListenersGiven bool
	// Extensions are the classes of rest.extension.classes.
	Extensions []string
	// LoginConfig is the path of a login configuration file; see LoginConfigKey.
	LoginConfig string
	// HTTPS replaces the ssl.* keys of the REST server if it has any entry,
	// AdminHTTPS those of AdminListeners.
	HTTPS, AdminHTTPS config.Props
}

// LoginConfigKey is the key for the path of a login configuration file (JAAS). It
// has the name of the system property by which Java's workers are told.
const LoginConfigKey = "java.security.auth.login.config"

// The prefixes of the keys that replace ssl.* for the REST server.
const (
	HTTPSPrefix      = "listeners.https."
	AdminHTTPSPrefix = "admin.listeners.https."
)

// BasicAuthExtension is the one class that rest.extension.classes may name: it
// asks for user and password.
const BasicAuthExtension = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"

// Describe declares the keys in Kafka's order.
func (c *RESTConfig) Describe(d *config.Def) {
	config.List(d, &c.Listeners, "listeners").Default([]string{"http://:8083"}).Check(listenerURLs(false)).
		Doc("URLs that the REST server listens on, http:// or https://. Without host: all addresses. Port 0: a free one.")
	config.String(d, &c.AdvertisedHost, "rest.advertised.host.name").Optional().
		Doc("Host name under which other workers reach this one.")
	config.Int(d, &c.AdvertisedPort, "rest.advertised.port").Optional().
		Doc("Port under which other workers reach this one.")
	config.String(d, &c.AdvertisedListener, "rest.advertised.listener").Optional().
		Doc("Protocol under which other workers reach this one: http or https.")
	config.String(d, &c.AllowOrigin, "access.control.allow.origin").Default("").
		Doc("Origins that may call the REST interface from a browser. Empty: none.")
	config.String(d, &c.AllowMethods, "access.control.allow.methods").Default("").
		Doc("Methods that such calls may use, separated by commas. Empty: GET, POST and HEAD.")
	config.String(d, &c.ResponseHeaders, "response.http.headers.config").Default("").Check(headerRules()).
		Doc("Rules for headers of answers, such as set X-Frame-Options: DENY; actions are set, add, setDate and addDate. A rule with a comma in it stands in double quotes.")
	config.Enum(d, &c.ClientAuth, "ssl.client.auth", "required", "requested", "none").Default("none").
		Doc("Whether clients of the REST server need a certificate.")
	config.List(d, &c.Extensions, "rest.extension.classes").Default(nil).Check(config.Distinct()).
		Doc("Extensions of the REST server. There is one, which asks for user and password: " + BasicAuthExtension + ".")
	config.List(d, &c.AdminListeners, "admin.listeners").Optional().Given(&c.AdminListenersGiven).Check(listenerURLs(true)).
		Doc("URLs that serve /admin. The REST server's, if left out; none, if empty.")
	config.Map(d, &c.HTTPS, HTTPSPrefix, "ssl.* settings of the REST server, in place of all ssl.* of the worker.")
	config.Map(d, &c.AdminHTTPS, AdminHTTPSPrefix, "ssl.* settings of admin.listeners, in place of all ssl.* of the worker.")
	d.Dynamic(func(d *config.Def) {
		if d.Has(LoginConfigKey) {
			config.String(d, &c.LoginConfig, LoginConfigKey).Optional().
				Doc("Login configuration file (JAAS), whose entry KafkaConnect has the PropertyFileLoginModule with the users of the REST interface.")
		}
	})
}

// listenerURLs is Kafka Connect's check of listeners.
func listenerURLs(admin bool) config.Check[[]string] {
	doc := "List of comma-separated URLs, ex: http://localhost:8080,https://localhost:8443."
	if admin {
		doc = ""
	}
	return config.CheckFunc(doc, func(v []string) error {
		if len(v) == 0 && !admin {
			return errors.New("Invalid value for listeners, at least one URL is expected, ex: http://localhost:8080,https://localhost:8443.")
		}
		for _, text := range v {
			if strings.TrimSpace(text) == "" {
				return errors.New("Empty URL found when parsing listeners list.")
			}
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" {
				return fmt.Errorf("listener %q must be http:// or https:// with host (may be empty) and port", text)
			}
		}
		return nil
	})
}
