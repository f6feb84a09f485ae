package config_test

import (
	"context"
	"fmt"
	"time"

	"github.com/streamlane/connect/config"
)

// counterConfig is the configuration of a connector.
type counterConfig struct {
	Topic string
	Every time.Duration
	Token config.Secret
}

func (c *counterConfig) Describe(d *config.Def) {
	config.String(d, &c.Topic, "topic").Importance(config.High).Doc("Topic to write to.")
	config.Millis(d, &c.Every, "every.ms").Default(time.Second).Check(config.AtLeast(time.Millisecond)).Doc("Pause between batches.")
	config.Password(d, &c.Token, "token").Optional().Doc("Token to log in with.")
}

func ExampleDecode() {
	var c counterConfig
	err := config.Decode(config.Props{"topic": "numbers", "every.ms": "250", "token": "hunter2"}, &c)
	fmt.Println(c.Topic, c.Every, c.Token, err)

	err = config.Decode(config.Props{"every.ms": "0"}, &c)
	fmt.Println(err)
	// Output:
	// numbers 250ms [hidden] <nil>
	// Missing required configuration "topic" which has no default value.
	// Invalid value 0 for configuration every.ms: Value must be at least 1
}

func ExampleEncode() {
	fmt.Println(config.Encode(&counterConfig{Topic: "numbers", Every: time.Second}))
	// Output: {topic=numbers}
}

func ExampleUnknown() {
	fmt.Println(config.Unknown(config.Props{"topik": "numbers"}, new(counterConfig)))
	// Output: [{topik topic}]
}

func ExampleResolver() {
	env, err := config.NewEnvProvider(config.EnvProviderConfig{Environ: func() []string { return []string{"TOKEN=hunter2"} }})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := config.NewResolver(map[string]config.Provider{"env": env})
	resolved, err := r.Resolve(context.Background(), config.Props{"topic": "numbers", "token": "${env:TOKEN}"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var c counterConfig
	err = config.DecodeResolved(resolved.Props, resolved.Raw, &c)
	fmt.Println(len(c.Token.Reveal()), config.Encode(&c)["token"], err)
	// Output: 7 ${env:TOKEN} <nil>
}
