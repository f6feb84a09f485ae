//go:build integration

package kafka

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connecttest"
	"github.com/streamlane/connect/internal/testenv"
)

// The suites, on Apache Kafka.

func realBroker(t testing.TB, worker config.Props) *Broker {
	t.Helper()
	return newBroker(t, testenv.Kafka(t).Bootstrap(), worker)
}

func uniqueName(prefix string) string { return prefix + "-" + rand.Text()[:10] }

func TestIntegrationBroker(t *testing.T) {
	b := cooperative{realBroker(t, nil)}
	connecttest.TestBroker(t, func(testing.TB) connect.Broker { return b })
}

func TestIntegrationTransactions(t *testing.T) {
	b := realBroker(t, nil)
	connecttest.TestTransactions(t, func(testing.TB) connect.Broker { return b })
}

func TestIntegrationOffsetStore(t *testing.T) {
	b := realBroker(t, nil)
	connecttest.TestOffsetStore(t, func(testing.TB) connect.OffsetStore { return b.Offsets(uniqueName("offsets")) })
}

func TestIntegrationConfigStore(t *testing.T) {
	b := realBroker(t, config.Props{"group.id": uniqueName("workers"), "exactly.once.source.support": "enabled"})
	connecttest.TestConfigStore(t, func(testing.TB) connect.ConfigStore { return b.Configs(uniqueName("configs")) })
}

func TestIntegrationLog(t *testing.T) {
	b := realBroker(t, nil)
	connecttest.TestLog(t, func(testing.TB) connect.Log { return b.Configs(uniqueName("configs")) })
}

// A topic that is deleted under a group's member is let go, and read anew when it
// comes back.
func TestIntegrationTopicRecreated(t *testing.T) {
	b := realBroker(t, nil)
	topic, group := uniqueName("t"), uniqueName("g")
	makeTopic(t, b, topic, 1, nil)
	require.NoError(t, sendOne(t, producerOf(t, b, nil), message(topic, "old")).err)
	c, err := b.consumer(connect.ConsumerConfig{Group: group, Topics: []string{topic}})
	require.NoError(t, err)
	closeLater(t, c)
	assert.Equal(t, "old", string(pollN(t, c, 1)[0].Value))
	client, err := adminOf(t, b).handle.get()
	require.NoError(t, err)
	_, err = kadm.NewClient(client).DeleteTopics(bounded(t), topic)
	require.NoError(t, err)
	gone, cancel := context.WithTimeout(t.Context(), 3*goneAfter)
	defer cancel()
	for gone.Err() == nil {
		_, err := c.Poll(gone, make([]connect.Message, 10), connect.Rebalance{})
		require.NoError(t, err)
	}
	makeTopic(t, b, topic, 1, nil)
	fresh := producerOf(t, b, config.Props{"client.id": "fresh"})
	require.NoError(t, sendOne(t, fresh, message(topic, "new")).err)
	assert.Equal(t, "new", string(pollN(t, c, 1)[0].Value))
}

// Tokens that prove nothing, for brokers that accept them.
func TestIntegrationOAuthBearer(t *testing.T) {
	cluster := testenv.KafkaWith(t, testenv.KafkaOptions{
		Listeners: []testenv.Listener{{Name: "SASL", Protocol: "SASL_PLAINTEXT"}},
		Properties: []string{
			"listener.name.sasl.sasl.enabled.mechanisms=OAUTHBEARER",
			"listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";",
			"listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler",
		},
	})
	b := newBroker(t, cluster.BootstrapOf("SASL"), config.Props{
		"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER",
		"sasl.jaas.config": `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="me";`,
	})
	topic := uniqueName("t")
	makeTopic(t, b, topic, 1, nil)
	require.NoError(t, sendOne(t, producerOf(t, b, nil), message(topic, "v")).err)
}

func TestIntegrationWrongPassword(t *testing.T) {
	cluster := testenv.KafkaWith(t, testenv.KafkaOptions{
		Listeners: []testenv.Listener{{Name: "SASL", Protocol: "SASL_PLAINTEXT"}},
		Properties: []string{
			"listener.name.sasl.sasl.enabled.mechanisms=PLAIN",
			`listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_me="right";`,
		},
	})
	props := func(password string) config.Props {
		return config.Props{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
			"sasl.jaas.config": plainJAAS("plain.PlainLoginModule", "me", password)}
	}
	right := newBroker(t, cluster.BootstrapOf("SASL"), props("right"))
	topic := uniqueName("t")
	makeTopic(t, right, topic, 1, nil)
	require.NoError(t, sendOne(t, producerOf(t, right, nil), message(topic, "v")).err)
	wrong := newBroker(t, cluster.BootstrapOf("SASL"), props("wrong"))
	_, err := adminOf(t, wrong).ClusterID(bounded(t))
	assert.ErrorIs(t, err, connect.ErrAuth)
	assert.ErrorIs(t, sendOne(t, producerOf(t, wrong, nil), message(topic, "v")).err, connect.ErrAuth)
	c, err := wrong.consumer(connect.ConsumerConfig{Group: "g", Topics: []string{topic}})
	require.NoError(t, err)
	_, err = c.Poll(bounded(t), make([]connect.Message, 1), connect.Rebalance{})
	assert.ErrorIs(t, err, connect.ErrAuth)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, c.Close(ctx))
}
