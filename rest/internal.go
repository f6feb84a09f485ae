package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"regexp"

	"github.com/streamlane/connect/config"
)

// Headers of requests between workers (KIP-507).
const (
	// SignatureHeader has the MAC of the body, in Base64.
	SignatureHeader = "X-Connect-Authorization"
	// SignatureAlgorithmHeader names its algorithm, such as HmacSHA256.
	SignatureAlgorithmHeader = "X-Connect-Request-Signature-Algorithm"
)

// Internal serves what the workers of a cluster ask of each other. Its errors
// decide the answers: a *StatusError says it all, others are treated as those of
// a Runtime; a *connect.NotLeaderError is forwarded. It is safe for concurrent
// use.
type Internal interface {
	// Verify returns nil if a request is signed by a worker of the cluster. It
	// answers 400 to a request without signature or with an algorithm that is not
	// allowed, 403 to a wrong signature, 503 while the worker has no session key.
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

// macName is what the platforms of Java workers call their MACs.
const macName = `(?i)^Hmac(MD5|SHA(1|224|256|384|512|512/224|512/256|3-224|3-256|3-384|3-512))$`

// verify checks who asks, before anything else is looked at. A worker without
// peers refuses; purpose says what.
func (s *server) verify(ctx context.Context, c *call, purpose string) error {
	signature, algorithm := c.Header.Get(SignatureHeader), c.Header.Get(SignatureAlgorithmHeader)
	if signature != "" && algorithm != "" {
		if known, _ := regexp.MatchString(macName, algorithm); !known {
			return badRequest("Algorithm %s not available", algorithm)
		}
		if _, err := base64.StdEncoding.DecodeString(signature); err != nil {
			return failure(http.StatusBadRequest, err, "The signature of the request is no Base64: %v", err)
		}
	}
	if s.o.Internal == nil {
		return failure(http.StatusInternalServerError, nil, "Kafka Connect in standalone mode does not support %s.", purpose)
	}
	return s.o.Internal.Verify(ctx, c.Header, c.body)
}
