package httpkit_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/connectors/internal/httpkit"
	"github.com/streamlane/connect/connectors/internal/httpkit/httpkittest"
)

func client(t testing.TB, props config.Props, dial httpkittest.Dial) *httpkit.Client {
	t.Helper()
	var c httpkit.Config
	require.NoError(t, config.Decode(props, &c))
	k, err := httpkit.New(c, httpkit.Options{Dial: dial})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	return k
}

func getter(k *httpkit.Client) httpkittest.Get {
	return func(ctx context.Context, text string) ([]byte, error) {
		u, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		res, err := k.Do(ctx, httpkit.Request{Method: "GET", URL: u})
		if err != nil {
			return nil, err
		}
		return res.Body, nil
	}
}

func TestConformance(t *testing.T) {
	httpkittest.TestClient(t, func(t testing.TB, props config.Props, dial httpkittest.Dial) httpkittest.Get {
		return getter(client(t, props, dial))
	})
}
