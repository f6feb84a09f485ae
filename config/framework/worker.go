package framework

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
)

// WorkerConfig holds the keys that standalone and distributed workers share
// (Java's WorkerConfig).
type WorkerConfig struct {
	BootstrapServers    []string
	KeyConverter        PluginRef
	ValueConverter      PluginRef
	HeaderConverter     PluginRef
	TaskShutdownTimeout time.Duration // for all stopping tasks together
	OffsetFlushInterval time.Duration
	OffsetFlushTimeout  time.Duration
	ConfigProviders     []ProviderConfig
	OverridePolicyName  string
	OverrideAllowlist   []string
	TopicCreationEnable bool
	TopicTrackingEnable bool
	TopicTrackingReset  bool
	MetricsSampleWindow time.Duration
	MetricsNumSamples   int
	MetricsLevel        string
	TLS                 TLSConfig
	REST                RESTConfig

	// Producer, Consumer and Admin are defaults for the clients of connectors,
	// without their prefixes.
	Producer, Consumer, Admin config.Props

	providerAliases            []string
	dnsLookup, pluginDiscovery string
	pluginPath, reporters      []string
	internalKey, internalValue string
}

// ProviderConfig declares a config provider: its alias, class and settings.
type ProviderConfig struct {
	Alias, Class string
	Params       config.Props
}

// Describe declares the keys in Kafka's order.
func (c *WorkerConfig) Describe(d *config.Def) {
	config.List(d, &c.BootstrapServers, "bootstrap.servers").Check(config.DistinctNonEmpty()).Importance(config.High).
		Doc("Addresses (host:port) of Kafka brokers, from which the others are found.")
	config.Enum(d, &c.dnsLookup, "client.dns.lookup", "use_all_dns_ips", "resolve_canonical_bootstrap_servers_only").
		Default("use_all_dns_ips").Importance(config.Medium).Ignored("every address of a name is tried.").
		Doc("How names of brokers are resolved.")
	c.describeConverter(d, &c.KeyConverter, "key")
	c.describeConverter(d, &c.ValueConverter, "value")
	c.describeRunning(d)
	c.describeMetrics(d)
	config.Class(d, &c.HeaderConverter.Class, "header.converter").Default("org.apache.kafka.connect.storage.SimpleHeaderConverter").
		Doc("Header converter of connectors that name none. Its keys stand below header.converter.")
	Plugins(nil).version(d, &c.HeaderConverter.Version, "header.converter.plugin.version", HeaderConverter, &c.HeaderConverter.Class).
		Doc("Version of the header converter, or a range.")
	config.Map(d, &c.HeaderConverter.Config, "header.converter.", "Settings of the header converter.")
	c.describeConnectors(d)
	d.Prefix("", &c.TLS)
	c.describeTopics(d)
	d.Prefix("", &c.REST)
	c.describeClients(d)
}

func (c *WorkerConfig) describeConverter(d *config.Def, ref *PluginRef, what string) {
	config.Class(d, &ref.Class, what+".converter").Importance(config.High).
		Doc("Converter for record " + what + "s of connectors that name none. Its keys stand below " + what + ".converter.")
	Plugins(nil).version(d, &ref.Version, what+".converter.plugin.version", Converter, &ref.Class).
		Doc("Version of the " + what + " converter, or a range.")
	config.Map(d, &ref.Config, what+".converter.", "Settings of the "+what+" converter.")
}

func (c *WorkerConfig) describeRunning(d *config.Def) {
	config.Millis(d, &c.TaskShutdownTimeout, "task.shutdown.graceful.timeout.ms").Default(5 * time.Second).
		Doc("Milliseconds that tasks get to stop, all together, before they are given up.")
	config.Millis(d, &c.OffsetFlushInterval, "offset.flush.interval.ms").Default(time.Minute).
		Doc("Milliseconds between commits of offsets.")
	config.Millis(d, &c.OffsetFlushTimeout, "offset.flush.timeout.ms").Default(5 * time.Second).
		Doc("Milliseconds that a commit of offsets may take before it is given up and tried again later.")
	config.List(d, &c.pluginPath, "plugin.path").Optional().Check(config.Distinct()).
		Ignored("plugins are part of the program.").Doc("Where Java looks for plugins.")
	config.EnumFold(d, &c.pluginDiscovery, "plugin.discovery", "only_scan", "service_load", "hybrid_warn", "hybrid_fail").
		Default("hybrid_warn").Ignored("plugins are part of the program.").Doc("How Java looks for plugins.")
}

func (c *WorkerConfig) describeMetrics(d *config.Def) {
	const reason = "metrics are counters and histograms; windows are the monitoring system's affair."
	config.Millis(d, &c.MetricsSampleWindow, "metrics.sample.window.ms").Default(30 * time.Second).
		Check(config.AtLeast(time.Duration(0))).Ignored(reason).Doc("Milliseconds that a sample of a metric spans.")
	config.Int(d, &c.MetricsNumSamples, "metrics.num.samples").Default(2).Check(config.AtLeast(1)).Ignored(reason).
		Doc("Number of samples that are kept for a metric.")
	config.Enum(d, &c.MetricsLevel, "metrics.recording.level", "INFO", "DEBUG").Default("INFO").Ignored(reason).
		Doc("Which metrics are recorded.")
	config.List(d, &c.reporters, "metric.reporters").Default([]string{"org.apache.kafka.common.metrics.JmxReporter"}).
		Check(config.Distinct()).Ignored(noLoadClass).Doc("Classes that report metrics.")
}

func (c *WorkerConfig) describeConnectors(d *config.Def) {
	config.List(d, &c.providerAliases, "config.providers").Default(nil).Check(config.Distinct()).
		Doc("Aliases of config providers; config.providers.<alias>.class and config.providers.<alias>.param.* set each up.")
	config.String(d, &c.OverridePolicyName, "connector.client.config.override.policy").Default(policyAll).Importance(config.Medium).
		Check(config.CheckFunc("", func(v string) error {
			_, err := ParseOverridePolicy(v, nil)
			return err
		})).
		Doc("Which client settings connectors may override: All, None, Principal (user and protocol), or Allowlist.")
	d.Dynamic(func(d *config.Def) {
		if p, err := ParseOverridePolicy(c.OverridePolicyName, nil); err == nil && p.name == policyAllowlist {
			config.List(d, &c.OverrideAllowlist, "connector.client.config.override.allowlist").Default(nil).
				Doc("Client settings, without prefix, that the policy Allowlist allows for every kind of client.")
		}
	})
	config.Bool(d, &c.TopicCreationEnable, "topic.creation.enable").Default(true).
		Doc("Whether source connectors may create topics by their topic.creation.* rules.")
	d.Dynamic(c.describeProviders)
}

func (c *WorkerConfig) describeProviders(d *config.Def) {
	if len(c.ConfigProviders) != len(c.providerAliases) {
		c.ConfigProviders = make([]ProviderConfig, len(c.providerAliases))
	}
	for i, alias := range c.providerAliases {
		p := &c.ConfigProviders[i]
		p.Alias = alias
		prefix := "config.providers." + alias + "."
		config.Class(d, &p.Class, prefix+"class").Importance(config.High).Doc("Class of the config provider " + alias + ".")
		config.Map(d, &p.Params, prefix+"param.", "Settings of the config provider "+alias+".")
	}
}

func (c *WorkerConfig) describeTopics(d *config.Def) {
	config.Bool(d, &c.TopicTrackingEnable, "topic.tracking.enable").Default(true).
		Doc("Whether the topics that each connector uses are recorded.")
	config.Bool(d, &c.TopicTrackingReset, "topic.tracking.allow.reset").Default(true).
		Doc("Whether that record may be reset by request.")
}

func (c *WorkerConfig) describeClients(d *config.Def) {
	config.Map(d, &c.Producer, "producer.", "Settings of the producers of connectors.")
	config.Map(d, &c.Consumer, "consumer.", "Settings of the consumers of connectors.")
	config.Map(d, &c.Admin, "admin.", "Settings of the admin clients of connectors.")
	const reason = "the internal format is always JSON without schemas."
	internal := func(key string, p *string) {
		d.Dynamic(func(d *config.Def) {
			if d.Has(key) {
				config.Class(d, p, key).Optional().Ignored(reason).Doc("Converter of the worker's own records.")
				config.Map(d, new(config.Props), key+".", "Settings of that converter.")
			}
		})
	}
	internal("internal.key.converter", &c.internalKey)
	internal("internal.value.converter", &c.internalValue)
}

// OverridePolicy returns the policy for client overrides.
func (c *WorkerConfig) OverridePolicy() (OverridePolicy, error) {
	return ParseOverridePolicy(c.OverridePolicyName, c.OverrideAllowlist)
}

// RESTConfig holds the keys of the REST server.
type RESTConfig struct {
	Listeners          []string
	AdvertisedHost     string // "": the listener's
	AdvertisedPort     int    // 0: the listener's
	AdvertisedListener string // http or https; "": the first listener's
	AllowOrigin        string
	AllowMethods       string
	ResponseHeaders    string
	ClientAuth         string // required, requested or none
	// AdminListeners serve /admin if AdminListenersGiven; an empty list then
	// turns it off. Otherwise Listeners do.
	AdminListeners      []string
	AdminListenersGiven bool

	extensions []string
	// HTTPS replaces the ssl.* keys of the REST server if it has any entry.
	HTTPS config.Props
}

// Describe declares the keys in Kafka's order.
func (c *RESTConfig) Describe(d *config.Def) {
	config.List(d, &c.Listeners, "listeners").Default([]string{"http://:8083"}).Check(listenerURLs(false)).
		Doc("URLs that the REST server listens on, http:// or https://. Without host: all addresses.")
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
	config.List(d, &c.extensions, "rest.extension.classes").Default(nil).Check(config.Distinct()).Ignored(noLoadClass).
		Doc("Classes that extend the REST server.")
	config.List(d, &c.AdminListeners, "admin.listeners").Optional().Given(&c.AdminListenersGiven).Check(listenerURLs(true)).
		Doc("URLs that serve /admin. The REST server's, if left out; none, if empty.")
	config.Map(d, &c.HTTPS, "listeners.https.", "ssl.* settings of the REST server, in place of all ssl.* of the worker.")
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

// StandaloneConfig configures a standalone worker (Java's StandaloneConfig).
type StandaloneConfig struct {
	WorkerConfig
	OffsetFile string
}

// Describe declares the worker's keys and the offset file.
func (c *StandaloneConfig) Describe(d *config.Def) {
	c.WorkerConfig.Describe(d)
	config.String(d, &c.OffsetFile, "offset.storage.file.filename").Importance(config.High).
		Doc("File that holds the offsets of source connectors.")
}
