package kafka

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/config/framework"
)

// The types by which overrides are validated are those by which clients decode
// them.
func TestTypesOfClientKeys(t *testing.T) {
	for kind, prefix := range map[Clients]string{
		ProducerClient: framework.ProducerOverridePrefix, ConsumerClient: framework.ConsumerOverridePrefix, AdminClient: framework.AdminOverridePrefix,
	} {
		for _, k := range config.Keys(&settings{kind: kind}) {
			want := k.Type
			switch want {
			case config.TypeList, config.TypeClass, config.TypePassword:
				want = config.TypeString // any text will do
			}
			assert.Equal(t, want, framework.ClientType(prefix, k.Name), "%s%s", prefix, k.Name)
		}
	}
}
