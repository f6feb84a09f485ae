package rest

import (
	"context"
	"errors"
	"net/http"

	"github.com/streamlane/connect"
)

// serverInfo is GET /.
func (s *server) serverInfo(context.Context, *call) (answer, error) {
	info := struct {
		Version string  `json:"version"`
		Commit  string  `json:"commit"`
		Cluster *string `json:"kafka_cluster_id"`
	}{Version: s.o.Version, Commit: s.o.Commit}
	if s.o.ClusterID != "" {
		info.Cluster = &s.o.ClusterID
	}
	return ok(info)
}

// workerStatus is Java's WorkerStatus.
type workerStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// health is GET /health (KIP-1017): whether the worker answers in time. A worker
// that has never answered is starting.
func (s *server) health(ctx context.Context, _ *call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.HealthTimeout)
	defer cancel()
	_, err := s.rt.Connectors(ctx)
	switch {
	case err == nil:
		s.ready.Store(true)
		return ok(workerStatus{"healthy", "Worker has completed startup and is ready to handle requests."})
	case errors.Is(err, connect.ErrStopped):
		return answer{status: http.StatusServiceUnavailable, body: workerStatus{"unhealthy", "Worker has been shut down."}}, nil
	case !s.ready.Load():
		return answer{status: http.StatusServiceUnavailable, body: workerStatus{"starting", "Worker is still starting up."}}, nil
	}
	return answer{status: http.StatusInternalServerError, body: workerStatus{
		"unhealthy", "Worker was unable to handle this request and may be unable to handle other requests.",
	}}, nil
}
