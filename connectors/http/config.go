package http

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
)

// defaultEndpoint is the name of the endpoint where none are listed.
const defaultEndpoint = "default"

// Config configures the connector, and a task, which has some of the endpoints.
type Config struct {
	Client httpkit.Config
	// URL is what the endpoints' paths are relative to.
	URL string
	// Endpoints are the names of the endpoints; empty: one, of the keys without prefix.
	Endpoints []string
	// MaxRecords that a poll returns.
	MaxRecords int
	// ProbeRequests says whether validation sends a request to each endpoint.
	ProbeRequests bool

	base  Endpoint
	named map[string]*Endpoint
}

// Describe declares the keys.
func (c *Config) Describe(d *config.Def) {
	config.String(d, &c.URL, "http.url").Importance(config.High).Check(config.CheckFunc("http and https URLs", checkURL)).
		Doc("URL of the server, with or without a path. Credentials go to it alone.")
	config.List(d, &c.Endpoints, "endpoints").Default(nil).Importance(config.High).Check(config.Distinct()).
		Doc("Names of endpoints. The keys of an endpoint NAME begin with `endpoint.NAME.`; those without prefix, from `topic` on, are the defaults of all. " +
			"Absent: one endpoint. Endpoints are spread over up to tasks.max tasks; a name is part of the source partition and so must stay.")
	config.Int(d, &c.MaxRecords, "poll.max.records").Default(1000).Check(config.Between(1, 1<<20)).Doc("Records that are handed over at once at most.")
	config.Bool(d, &c.ProbeRequests, "validate.requests").Default(true).
		Doc("Whether validation asks each endpoint for its first page, once, and tells what is wrong with the answer.")
	c.base.name, c.base.defaults = defaultEndpoint, builtIn()
	c.base.Describe(d)
	d.Dynamic(func(d *config.Def) {
		if c.named == nil {
			c.named = map[string]*Endpoint{}
		}
		for _, name := range c.Endpoints {
			if c.named[name] == nil {
				c.named[name] = new(Endpoint)
			}
			e := c.named[name]
			e.name, e.defaults = name, &c.base
			d.Prefix("endpoint."+name+".", e)
		}
	})
	d.Prefix("", &c.Client)
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("must be a URL that begins with http:// or https://, with a host")
	}
	if u.User != nil {
		return errors.New("must have no user: use auth.type=basic")
	}
	return nil
}

// endpoints returns the endpoints, in the order of their names in the configuration.
func (c *Config) endpoints() []*Endpoint {
	if len(c.Endpoints) == 0 {
		return []*Endpoint{&c.base}
	}
	list := make([]*Endpoint, 0, len(c.Endpoints))
	for _, name := range c.Endpoints {
		if e := c.named[name]; e != nil {
			list = append(list, e)
		}
	}
	return list
}

// Check looks at each endpoint.
func (c *Config) Check() error {
	var errs []error
	for _, e := range c.endpoints() {
		prefix := ""
		if len(c.Endpoints) > 0 {
			prefix = "endpoint." + e.name + "."
		}
		errs = append(errs, e.check(prefix))
	}
	return errors.Join(errs...)
}

// A Pagination is a way from page to page.
type Pagination string

// The ways from page to page; see the documentation of the key pagination.
const (
	NoPages   Pagination = "none"
	Link      Pagination = "link"
	NextURL   Pagination = "next_url"
	Cursor    Pagination = "cursor"
	Page      Pagination = "page"
	Offset    Pagination = "offset"
	Timestamp Pagination = "timestamp"
	GraphQL   Pagination = "graphql"
	Record    Pagination = "record"
)

// A Format is that of a response.
type Format string

// The formats.
const (
	JSON   Format = "json"
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
	XML    Format = "xml"
	Text   Format = "text"
)

// A ValueForm is what records are turned into.
type ValueForm string

// The forms of values.
const (
	Inferred   ValueForm = "inferred"
	Given      ValueForm = "given"
	Schemaless ValueForm = "schemaless"
	StringForm ValueForm = "string"
	Wrapped    ValueForm = "wrapped"
)

// What happens after the last page (after.end), and about bad records (errors.mode).
const (
	endContinue = "continue"
	endRestart  = "restart"
	endStop     = "stop"

	modeEngine = "tolerance"
	modeFail   = "fail"
	modeSkip   = "skip"
	modeLetter = "dead_letter"
)

// An Endpoint is one thing to read.
type Endpoint struct {
	name     string
	defaults *Endpoint

	Topic, Path, Method, Body string
	Headers, Params           config.Props
	Query, Variables          string // of GraphQL
	CursorVariable            string
	// Sensitive are headers with secrets, as text: they are no templates.
	Sensitive          config.Secret
	SensitiveSeparator string

	Pagination                        Pagination
	PagePath, PageHeader, MorePath    string
	PageParam, LimitParam, Start, End string
	Limit, Overlap                    int

	SinceParam, SinceInitial, TimeFormat string
	SinceOverlap                         time.Duration
	Interval, CatchUp                    time.Duration
	Window                               int

	Format                                     Format
	RecordsPath, TimestampPath, OffsetPath     string
	KeyPath, IDPath                            []string
	Value                                      ValueForm
	Schema, ErrorsMode, ErrorsTopic, Delimiter string
	CSVHeader, RecordsOptional                 bool
}

func builtIn() *Endpoint {
	return &Endpoint{Method: "GET", CursorVariable: "after", SensitiveSeparator: "|", Pagination: NoPages, Interval: time.Minute, Format: JSON, Value: Inferred, ErrorsMode: modeEngine,
		Delimiter: ",", CSVHeader: true, TimeFormat: "rfc3339"}
}

// Describe declares the keys.
func (e *Endpoint) Describe(d *config.Def) {
	if e.defaults == nil {
		e.defaults = builtIn()
	}
	e.describeRequest(d, e.defaults)
	e.describePages(d, e.defaults)
	e.describeTime(d, e.defaults)
	e.describeRecords(d, e.defaults)
}

func (e *Endpoint) describeRequest(d *config.Def, def *Endpoint) {
	const group = "Request"
	config.String(d, &e.Topic, "topic").Default(def.Topic).Importance(config.High).Group(group, 1).Doc("Topic that the records are written to. `${endpoint}` stands for the endpoint's name.")
	config.String(d, &e.Path, "path").Default(def.Path).Importance(config.High).Group(group, 2).
		Doc("What is added to http.url, query included. A template, as are parameters, headers and body: `${cursor}`, `${page}`, `${offset}`, `${limit}`, `${since}`, `${until}`, `${now}`, `${endpoint}` and `${topic}` are " +
			"replaced; times as `since.format` says, or as `${now|unix}`, `${now|unix_ms}`, `${now|rfc3339}`, `${now|2006-01-02}`.")
	config.Enum(d, &e.Method, "request.method", "GET", "POST", "PUT", "PATCH").Default(def.Method).Group(group, 3).Doc("Method of the request.")
	config.Text(d, &e.Body, "request.body").Default(def.Body).Group(group, 4).Doc("Body of the request, a template. What is put into a body of JSON is escaped as within a string.")
	config.Map(d, &e.Headers, "request.header.", "Headers of the request: `request.header.Accept`. Templates.")
	config.Map(d, &e.Params, "request.param.", "Parameters of the query: `request.param.status`. Templates.")
	config.Text(d, &e.Query, "graphql.query").Default(def.Query).Group(group, 5).Doc("GraphQL query. The request is then a POST of query and variables.")
	config.Text(d, &e.Variables, "graphql.variables").Default(def.Variables).Group(group, 6).Doc("Variables of the GraphQL query, a JSON object. A template.")
	config.Password(d, &e.Sensitive, "request.sensitive.headers").Default(def.Sensitive).Group(group, 8).
		Doc("Further headers, which are secret: `Name: Value`, separated by request.sensitive.headers.separator. No templates.")
	config.Text(d, &e.SensitiveSeparator, "request.sensitive.headers.separator").Default(def.SensitiveSeparator).Check(config.NonEmpty()).Group(group, 9).Doc("What stands between the headers of request.sensitive.headers.")
	config.String(d, &e.CursorVariable, "graphql.cursor.variable").Default(def.CursorVariable).Group(group, 7).Doc("Variable that gets the cursor; null at first.")
}

func (e *Endpoint) describePages(d *config.Def, def *Endpoint) {
	const group = "Pages"
	config.Enum(d, &e.Pagination, "pagination", NoPages, Link, NextURL, Cursor, Page, Offset, Timestamp, GraphQL, Record).Default(def.Pagination).Importance(config.High).Group(group, 1).
		Doc("How the next page is found. none: there is one page. link: header Link with rel=next. next_url: a URL in the response. cursor: a cursor in the response or a header. page: numbers. offset: numbers of records. " +
			"timestamp: the greatest record.timestamp.path so far. graphql: pageInfo. record: the record.offset.path of the last record.")
	config.String(d, &e.PagePath, "pagination.path").Default(def.PagePath).Group(group, 2).
		Doc("JSON pointer or JSONPath to the next URL (next_url), the cursor (cursor) or pageInfo (graphql).")
	config.String(d, &e.PageHeader, "pagination.header").Default(def.PageHeader).Group(group, 3).Doc("Header with the cursor.")
	config.String(d, &e.PageParam, "pagination.param").Default(def.PageParam).Group(group, 4).Doc("Parameter of the query that gets the cursor, page number or offset. Absent: the templates have it.")
	config.Int(d, &e.Limit, "pagination.limit").Default(def.Limit).Check(config.AtLeast(0)).Group(group, 5).
		Doc("Records of a full page. One with fewer is taken for the last, by page, offset and timestamp. 0: not known; an empty page is the last. pagination.more.path decides in its place.")
	config.String(d, &e.LimitParam, "pagination.limit.param").Default(def.LimitParam).Group(group, 6).Doc("Parameter of the query that gets the limit.")
	config.String(d, &e.Start, "pagination.start").Default(def.Start).Group(group, 7).Doc("First page number, offset or cursor. Absent: page 1, offset 0, no cursor.")
	config.String(d, &e.MorePath, "pagination.more.path").Default(def.MorePath).Group(group, 8).Doc("JSON pointer or JSONPath to a boolean that tells whether there are more pages.")
	config.Int(d, &e.Overlap, "pagination.overlap").Default(def.Overlap).Check(config.AtLeast(0)).Group(group, 9).
		Doc("Records of the page before that are asked for again by offset, so that deletions meanwhile lose nothing. Needs dedup.window.records.")
	config.Enum(d, &e.End, "after.end", "", endContinue, endRestart, endStop).Default(def.End).Importance(config.Medium).Group(group, 10).
		Doc("What comes after the last page, at the next interval. continue: the last page again, for what is new in it, and those after it. restart: the first page, all records again. stop: nothing, the work is done. " +
			"Absent: restart for none, link, next_url and graphql, continue for the others. With `since`, the next round begins with the newest timestamp.")
	config.Int(d, &e.Window, "dedup.window.records").Default(def.Window).Check(config.Between(0, 100_000)).Importance(config.Medium).Group(group, 11).
		Doc("Records that are remembered, in the offset, eleven bytes each, so as to leave out those that come again. 0: 1000 where `since` is used, else none. A record is known by record.id.path, and its timestamp if there is one, or by all of its content.")
}

func (e *Endpoint) describeTime(d *config.Def, def *Endpoint) {
	const group = "Time"
	config.Millis(d, &e.Interval, "poll.interval.ms").Default(def.Interval).Check(config.AtLeast(time.Duration(0))).Importance(config.High).Group(group, 1).
		Doc("Pause after the last page.")
	config.Millis(d, &e.CatchUp, "catchup.interval.ms").Default(def.CatchUp).Check(config.AtLeast(time.Duration(0))).Group(group, 2).Doc("Pause between pages while there are more.")
	config.String(d, &e.SinceParam, "since.param").Default(def.SinceParam).Group(group, 3).
		Doc("Parameter of the query that gets the newest timestamp so far. Absent: templates with `${since}` have it, if at all.")
	config.String(d, &e.SinceInitial, "since.initial").Default(def.SinceInitial).Group(group, 4).
		Doc("Where to begin: a time in RFC 3339, `now` (of the last start before the first record), or absent for 1970.")
	config.Millis(d, &e.SinceOverlap, "since.overlap.ms").Default(def.SinceOverlap).Check(config.AtLeast(time.Duration(0))).Group(group, 5).
		Doc("How much earlier than the newest timestamp each round begins, for records that appear late. Those that were delivered are left out; see dedup.window.records.")
	config.String(d, &e.TimeFormat, "since.format").Default(def.TimeFormat).Check(config.NonEmpty()).Group(group, 6).
		Doc("How times are written in requests: rfc3339, unix, unix_ms, or a layout of Go's package time.")
}

func (e *Endpoint) describeRecords(d *config.Def, def *Endpoint) {
	const group = "Records"
	config.Enum(d, &e.Format, "response.format", JSON, NDJSON, CSV, XML, Text).Default(def.Format).Importance(config.High).Group(group, 1).
		Doc("Format of the responses. text: a record a line.")
	config.String(d, &e.RecordsPath, "records.path").Default(def.RecordsPath).Importance(config.High).Check(pathCheck()).Group(group, 2).
		Doc("JSON pointer (/data/items) or JSONPath ($.data.items) to the records: a list, or one record. Absent: the whole response.")
	config.Bool(d, &e.RecordsOptional, "records.optional").Default(def.RecordsOptional).Group(group, 13).
		Doc("Whether a response with nothing at records.path has no records: some interfaces leave out lists that are empty. Otherwise it is an error.")
	config.List(d, &e.KeyPath, "record.key.path").Default(def.KeyPath).Check(config.Each(pathCheck())).Group(group, 3).
		Doc("JSON pointer or JSONPath, within a record, to its key; several make a struct. Absent: no key.")
	config.String(d, &e.TimestampPath, "record.timestamp.path").Default(def.TimestampPath).Check(pathCheck()).Group(group, 4).
		Doc("JSON pointer or JSONPath to the timestamp: RFC 3339, other usual forms, or seconds, milliseconds, microseconds or nanoseconds since 1970.")
	config.String(d, &e.OffsetPath, "record.offset.path").Default(def.OffsetPath).Check(pathCheck()).Group(group, 5).Doc("JSON pointer or JSONPath to what pagination=record goes on from.")
	config.List(d, &e.IDPath, "record.id.path").Default(def.IDPath).Check(config.Each(pathCheck())).Group(group, 6).Doc("JSON pointers or JSONPaths to what tells records apart, for dedup.window.records.")
	config.Enum(d, &e.Value, "value.form", Inferred, Given, Schemaless, StringForm, Wrapped).Default(def.Value).Importance(config.Medium).Group(group, 7).
		Doc("inferred: structs under a schema that grows with what is seen, all fields optional. given: structs under value.schema; members that have no field there are left out. schemaless: maps. string: JSON text. wrapped: a struct of value (JSON text), key and timestamp, as castorm's connector makes.")
	config.Text(d, &e.Schema, "value.schema").Default(def.Schema).Group(group, 8).Doc("Schema of values, in the JSON of Kafka Connect's JsonConverter.")
	config.Enum(d, &e.ErrorsMode, "errors.mode", modeEngine, modeFail, modeSkip, modeLetter).Default(def.ErrorsMode).Importance(config.Medium).Group(group, 9).
		Doc("What happens to records that cannot be read, and to responses that cannot be, after the retries. tolerance: errors.tolerance decides, and the connector's dead letters get their text. fail: the task fails. skip: they are logged. dead_letter: their text goes to errors.topic.")
	config.String(d, &e.ErrorsTopic, "errors.topic").Default(def.ErrorsTopic).Group(group, 10).Doc("Topic for errors.mode=dead_letter. Headers tell endpoint, URL, status and error.")
	config.Text(d, &e.Delimiter, "csv.delimiter").Default(def.Delimiter).Group(group, 11).Doc("Character between the fields of CSV.")
	config.Bool(d, &e.CSVHeader, "csv.header").Default(def.CSVHeader).Group(group, 12).Doc("Whether the first line of CSV has the names of the fields; they are c1, c2, … otherwise.")
}

// usesSince tells whether requests depend on the newest timestamp.
func (e *Endpoint) usesSince() bool {
	return e.Pagination == Timestamp || e.SinceParam != "" || slices.ContainsFunc(e.named(), func(t template) bool { return strings.Contains(t.text, "${since") })
}

// A template is a text in which variables are replaced, with its key.
type template struct{ key, text string }

// named returns the templates.
func (e *Endpoint) named() []template {
	all := []template{{"path", e.Path}, {"request.body", e.Body}, {"graphql.variables", e.Variables}}
	for prefix, p := range map[string]config.Props{"request.header.": e.header(), "request.param.": e.param()} {
		for _, key := range p.Keys() {
			all = append(all, template{prefix + key, p[key]})
		}
	}
	return all
}

func (e *Endpoint) header() config.Props {
	return inherit(e.defaults, e.Headers, func(d *Endpoint) config.Props { return d.header() })
}
func (e *Endpoint) param() config.Props {
	return inherit(e.defaults, e.Params, func(d *Endpoint) config.Props { return d.param() })
}

func inherit(from *Endpoint, own config.Props, get func(*Endpoint) config.Props) config.Props {
	if from == nil {
		return own
	}
	return get(from).Merge(own)
}

func (e *Endpoint) window() int {
	if e.Window == 0 && e.usesSince() {
		return 1000
	}
	return e.Window
}

func (e *Endpoint) end() string {
	switch {
	case e.End != "":
		return e.End
	case e.Pagination == NoPages, e.Pagination == Link, e.Pagination == NextURL, e.Pagination == GraphQL:
		return endRestart
	}
	return endContinue
}

// check says what no single key can say. Keys are named with the prefix.
func (e *Endpoint) check(prefix string) error {
	var errs []error
	bad := func(key, format string, args ...any) { errs = append(errs, config.Errorf(prefix+key, format, args...)) }
	need := func(ok bool, key string) {
		if !ok {
			bad(key, "is needed for pagination=%s", e.Pagination)
		}
	}
	if e.Topic == "" {
		bad("topic", "%w", config.ErrMissing)
	}
	switch e.Pagination {
	case NextURL, GraphQL:
		need(e.PagePath != "", "pagination.path")
	case Cursor:
		need(e.PagePath != "" || e.PageHeader != "", "pagination.path")
	case Timestamp:
		need(e.TimestampPath != "", "record.timestamp.path")
	case Record:
		need(e.OffsetPath != "", "record.offset.path")
	case Page, Offset:
		if _, err := e.startNumber(); err != nil {
			bad("pagination.start", "%w", err)
		}
	}
	if e.Pagination == GraphQL {
		need(e.Query != "", "graphql.query")
	}
	if e.usesSince() && e.TimestampPath == "" {
		bad("record.timestamp.path", "is needed where requests have the newest timestamp (since)")
	}
	if _, err := e.initialTime(time.Unix(0, 0)); err != nil {
		bad("since.initial", "%w", err)
	}
	e.checkUse(bad)
	if e.Overlap > 0 && (e.Pagination != Offset || e.window() < e.Overlap || e.Limit > 0 && e.Limit <= e.Overlap) {
		bad("pagination.overlap", "needs pagination=offset, a dedup.window.records that is not less, and a pagination.limit that is greater")
	}
	if e.ErrorsMode == modeLetter && e.ErrorsTopic == "" {
		bad("errors.topic", "is needed for errors.mode=dead_letter")
	}
	if len([]rune(e.Delimiter)) != 1 {
		bad("csv.delimiter", "must be one character")
	}
	if e.Value == Given {
		if _, err := parseSchema(e.Schema); err != nil {
			bad("value.schema", "%w", err)
		}
	}
	for _, p := range []struct{ key, path string }{{"pagination.path", e.PagePath}, {"pagination.more.path", e.MorePath}} {
		if _, err := compile(p.path); err != nil {
			bad(p.key, "%w", err)
		}
	}
	e.checkTexts(bad)
	return errors.Join(errs...)
}

// checkUse tells of keys that would have no effect, and of what would be lost thereby.
func (e *Endpoint) checkUse(bad func(key, format string, args ...any)) {
	if e.Format != JSON && e.Format != XML {
		for _, k := range []template{{"records.path", e.RecordsPath}, {"pagination.path", e.PagePath}, {"pagination.more.path", e.MorePath}} {
			if k.text != "" {
				bad(k.key, "needs response.format=json or xml: a response of %s has no whole to look into", e.Format)
			}
		}
	}
	if e.Pagination == GraphQL || e.Query != "" {
		if e.Body != "" {
			bad("request.body", "cannot stand beside graphql.query, which makes the body")
		}
	} else if e.Variables != "" {
		bad("graphql.variables", "needs graphql.query")
	}
	if e.LimitParam != "" && e.Limit == 0 {
		bad("pagination.limit.param", "needs pagination.limit")
	}
	if e.Pagination == Page && e.Limit == 0 && e.MorePath == "" && e.end() == endContinue && !e.usesSince() {
		bad("pagination.limit", "or pagination.more.path is needed for pagination=page with after.end=continue: it tells whether a page will grow or the next one comes")
	}
	if e.PagePath != "" && e.PageHeader != "" {
		bad("pagination.header", "cannot stand beside pagination.path")
	}
}

// checkTexts looks at templates and at headers that are none.
func (e *Endpoint) checkTexts(bad func(key, format string, args ...any)) {
	for _, t := range e.named() {
		if err := checkTemplate(t.text); err != nil {
			bad(t.key, "template %q: %w", t.text, err)
		}
	}
	if err := pairs(e.Sensitive.Reveal(), e.SensitiveSeparator, ":", func(_, _ string) {}); err != nil {
		bad("request.sensitive.headers", "want Name: Value, separated by %q", e.SensitiveSeparator) // the error quotes them
	}
}

func (e *Endpoint) startNumber() (int64, error) {
	n := int64(0)
	if e.Pagination == Page {
		n = 1
	}
	if e.Start == "" {
		return n, nil
	}
	if _, err := fmt.Sscan(e.Start, &n); err != nil || n < 0 {
		return 0, fmt.Errorf("want a whole number from 0 on, for pagination=%s", e.Pagination)
	}
	return n, nil
}

func (e *Endpoint) initialTime(now time.Time) (time.Time, error) {
	switch e.SinceInitial {
	case "":
		return time.Unix(0, 0), nil
	case "now":
		return now, nil
	}
	t, err := time.Parse(time.RFC3339, e.SinceInitial)
	if err != nil {
		return t, errors.New("want a time in RFC 3339, such as 2026-01-31T00:00:00Z, or now")
	}
	return t, nil
}
