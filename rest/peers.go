package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/streamlane/connect"
	"github.com/streamlane/connect/config"
	"github.com/streamlane/connect/internal/sessionkey"
)

// NewInternal returns what rt answers to the other workers of its cluster, for
// Options.Internal.
func NewInternal(rt *connect.Runtime) Internal { return internal{rt} }

type internal struct{ *connect.Runtime }

func (i internal) Verify(_ context.Context, header http.Header, body []byte) error {
	return i.VerifyInternal(header.Get(sessionkey.AuthorizationHeader), header.Get(sessionkey.AlgorithmHeader), body)
}

// NewPeers returns the way to the other workers' REST interfaces, for
// connect.Options.Peers. A nil client is one with Go's default transport.
func NewPeers(client *http.Client) connect.Peers {
	if client == nil {
		client = &http.Client{Timeout: defaultRequestTimeout}
	}
	return &peers{client}
}

type peers struct{ client *http.Client }

// PutTaskConfigs posts the task set to the leader. The request is signed, and
// goes to the leader itself: a copy passed on by another worker would have no
// signature.
func (p *peers) PutTaskConfigs(ctx context.Context, leaderURL, connector string, tasks []config.Props, sign connect.Signer) error {
	body, err := json.Marshal(tasks)
	if err != nil {
		return err
	}
	target := strings.TrimSuffix(leaderURL, "/") + "/connectors/" + url.PathEscape(connector) + "/tasks"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "kafka-connect")
	authorization, algorithm, err := sign(body)
	switch {
	case err == nil:
		req.Header.Set(sessionkey.AuthorizationHeader, authorization)
		req.Header.Set(sessionkey.AlgorithmHeader, algorithm)
	case !errors.Is(err, connect.ErrConflict): // a cluster without sessions has no key
		return fmt.Errorf("task set of connector %q: %w", connector, err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("task set of connector %q: leader: %w", connector, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // for the message only
	return fmt.Errorf("task set of connector %q: the leader answers %s: %s", connector, resp.Status, text)
}
