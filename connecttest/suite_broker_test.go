package connecttest

import (
	"testing"
	"testing/synctest"

	"github.com/streamlane/connect"
)

func TestBrokerSuiteOnMemory(t *testing.T) {
	open := func(testing.TB) connect.Broker { return NewBroker() }
	TestBroker(t, open)
	TestTransactions(t, open)
}

// TestBrokerSuiteInBubble shows that all waits of the Broker are durable.
func TestBrokerSuiteInBubble(t *testing.T) {
	for _, c := range append(append(append(produceCases(), consumeCases()...), groupCases()...), append(adminCases(), transactionCases()...)...) {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.f(t, &testCluster{t: t, Broker: NewBroker()}) })
		})
	}
}
