package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

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

// health is GET /health (KIP-1017): whether the worker answers in time, and has its
// place among the others. One that never had is starting.
func (s *server) health(ctx context.Context, _ *call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.HealthTimeout)
	defer cancel()
	err := s.rt.Ready(ctx)
	switch {
	case err == nil:
		return ok(workerStatus{"healthy", "Worker has completed startup and is ready to handle requests."})
	case errors.Is(err, connect.ErrStopped):
		return unavailable(workerStatus{"unhealthy", "Worker has been shut down."}, leavingPause), nil
	case !s.rt.Started():
		return unavailable(workerStatus{"starting", withActivity(messageStarting, s.rt.Activity())}, startingPause), nil
	}
	return answer{status: http.StatusInternalServerError, body: workerStatus{
		"unhealthy", withActivity("Worker was unable to handle this request and may be unable to handle other requests.", s.rt.Activity()),
	}}, nil
}

// unavailable answers with 503, and when to ask again.
func unavailable(body workerStatus, pause time.Duration) answer {
	return answer{status: http.StatusServiceUnavailable, body: body, retryAfter: pause}
}

// withActivity adds to a message what the worker is doing, if that is known.
func withActivity(message, activity string) string {
	if activity == "" {
		return message
	}
	return message + " " + activity
}
