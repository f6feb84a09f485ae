package rest

import (
	"context"
	"errors"
	"net/http"

	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/sessionkey"
)

// Headers of requests between workers (KIP-507).
const (
	// SignatureHeader has the MAC of the body, in Base64.
	SignatureHeader = sessionkey.AuthorizationHeader
	// SignatureAlgorithmHeader names its algorithm, such as HmacSHA256.
	SignatureAlgorithmHeader = sessionkey.AlgorithmHeader
)

// Internal serves what the workers of a cluster ask of each other (KIP-507,
// KIP-618). Its errors decide the answers: a *StatusError says it all, others are
// treated as those of a Runtime; a *connect.NotLeaderError is forwarded. It is
// safe for concurrent use.
type Internal interface {
	// Verify returns nil if a request is signed by a worker of the cluster, in
	// SignatureHeader and SignatureAlgorithmHeader. Errors of package
	// internal/sessionkey are answered with 400, 403 and 503.
	Verify(ctx context.Context, header http.Header, body []byte) error
	// PutTaskConfigs stores the task set that the connector's worker has made.
	PutTaskConfigs(ctx context.Context, connector string, tasks []config.Props) error
	// FenceZombies fences out the producers of the connector's earlier tasks
	// (KIP-618).
	FenceZombies(ctx context.Context, connector string) error
}

// putTaskConfigs is POST /connectors/{name}/tasks.
func (s *server) putTaskConfigs(ctx context.Context, c *call) (answer, error) {
	tasks, err := parseTaskConfigs(c.body)
	if err != nil {
		return answer{}, err
	}
	if err := s.verify(ctx, c, "externally setting task configurations"); err != nil {
		return answer{}, err
	}
	err = s.o.Internal.PutTaskConfigs(ctx, c.name(), tasks)
	return empty(http.StatusNoContent, notFound(err, messageNoConnector, c.name()))
}

func parseTaskConfigs(body []byte) ([]config.Props, error) {
	v, err := parse(body)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, badRequest("The request has no body; a JSON array with task configurations is expected")
	}
	items, isList := v.([]any)
	if !isList {
		return nil, mismatch("List<"+propsEntity+">", v)
	}
	tasks := make([]config.Props, len(items))
	for i, item := range items {
		if tasks[i], err = props(item); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}

// fence is PUT /connectors/{name}/fence.
func (s *server) fence(ctx context.Context, c *call) (answer, error) {
	if err := s.verify(ctx, c, "exactly-once source connectors"); err != nil {
		return answer{}, err
	}
	err := s.o.Internal.FenceZombies(ctx, c.name())
	return empty(http.StatusNoContent, notFound(err, messageNoConnector, c.name()))
}

// verify checks who asks, before anything else is looked at. A worker without
// peers refuses, but says first what is wrong with a signature as such; purpose
// is what it does not do.
func (s *server) verify(ctx context.Context, c *call, purpose string) error {
	if s.o.Internal != nil {
		return s.o.Internal.Verify(ctx, c.Header, c.body)
	}
	signature := sessionkey.Signature{
		Authorization: c.Header.Get(SignatureHeader), Algorithm: c.Header.Get(SignatureAlgorithmHeader),
	}
	err := sessionkey.Key{}.Verify(signature, c.body, []string{signature.Algorithm})
	if signature.Authorization != "" && errors.Is(err, sessionkey.ErrUnsigned) {
		return err
	}
	return failure(http.StatusInternalServerError, nil, "Kafka Connect in standalone mode does not support %s.", purpose)
}
