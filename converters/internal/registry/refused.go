package registry

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/streamlane/connect/config"
)

// not refuses one of the words of a key, with the reason.
func not(word, reason string) config.Check[string] {
	return config.CheckFunc("", func(v string) error {
		if strings.EqualFold(v, word) {
			return fmt.Errorf("%s is not supported: %s", word, reason)
		}
		return nil
	})
}

// only allows a list of values of a key that has no other meaning here.
func only[T comparable](reason string, allowed ...T) config.Check[T] {
	return config.CheckFunc(strings.Trim(fmt.Sprint(allowed), "[]"), func(v T) error {
		for _, a := range allowed {
			if v == a {
				return nil
			}
		}
		return fmt.Errorf("%v is not supported: %s", v, reason)
	})
}

// describeRefused declares keys that Confluent's converters know and these do not:
// what would be missed is refused, what would not be is left without effect.
func (c *Config) describeRefused(d *config.Def) {
	const group = "Not supported"
	const noRules = "there are no data contract rules"
	text, list, flags := c.void.text[:], c.void.list[:], c.void.boolean[:]
	next := func() *string { p := &text[0]; text = text[1:]; return p }
	refuseText := func(key, reason string, allowed ...string) {
		config.String(d, next(), key).Default("").Check(only(reason, append(allowed, "")...)).Group(group, -1).Doc("Not supported: " + reason + ".")
	}
	refuseText("use.latest.with.metadata", "schemas are chosen by use.latest.version or an id")
	refuseText("schema.format", "schemas are read as they were written")
	refuseText("execution.environment", noRules)
	refuseText("context.name.strategy", "Java classes cannot be loaded; put the context into the URL (…/contexts/<name>)",
		"io.confluent.kafka.serializers.context.NullContextNameStrategy")
	refuseText("bearer.auth.custom.provider.class", "Java classes cannot be loaded")
	refuseText("specific.avro.key.type", "Java classes cannot be loaded")
	refuseText("specific.avro.value.type", "Java classes cannot be loaded")
	refuseText("validation.rules.execution", noRules, "DISABLED")
	for i, key := range []string{"rule.executors", "rule.actions"} {
		config.List(d, &list[i], key).Default(nil).Group(group, -1).Doc("Not supported: " + noRules + ".").
			Check(config.CheckFunc("empty", func(v []string) error {
				if len(v) > 0 {
					return fmt.Errorf("%v is not supported: %s", v, noRules)
				}
				return nil
			}))
	}
	for i, key := range []string{"propagate.schema.tags", "schema.reflection", "schema.backup.enabled"} {
		config.Bool(d, &flags[i], key).Default(false).Check(only("there is no such ability here", false)).Group(group, -1).
			Doc("Not supported; false is accepted.")
	}
	config.Bool(d, &flags[3], "specific.avro.reader").Default(false).Check(only("Java classes cannot be loaded", false)).Group(group, -1).
		Doc("Not supported; false is accepted.")
	for i, key := range []string{"rule.service.loader.enable", "rule.metrics.enable"} {
		config.Bool(d, &flags[4+i], key).Default(true).Ignored(noRules+".").Group(group, -1).Doc("Part of data contract rules.")
	}
	config.Bool(d, &flags[6], "use.apache.http.client").Default(false).Ignored("it chooses among Java's HTTP clients.").Group(group, -1).Doc("Which HTTP client.")
	config.Int(d, &c.void.number, "max.schemas.per.subject").Default(1000).Ignored("schemas.cache.config bounds the caches.").Group(group, -1).
		Doc("Bound of the client's cache.")
}

// checkURL checks the URL of a registry. Its error does not show a password.
func checkURL(text string) error {
	if strings.HasPrefix(text, "mock://") {
		return errors.New("mock:// is for tests inside one JVM; allowed are http and https")
	}
	_, err := baseURL(text)
	return err
}

var (
	guidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
)

func guidCheck() config.Check[string] {
	return config.CheckFunc("a GUID", func(v string) error {
		if v != "" && !guidPattern.MatchString(v) {
			return fmt.Errorf("want 32 hexadecimal digits in five groups")
		}
		return nil
	})
}

func nameCheck() config.Check[string] {
	return config.CheckFunc("letters, digits, underscores and dots", func(v string) error {
		if !namePattern.MatchString(v) {
			return fmt.Errorf("want names of letters, digits and underscores, separated by dots")
		}
		return nil
	})
}
